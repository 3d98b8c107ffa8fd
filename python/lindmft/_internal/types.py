"""Names of types that several modules share."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, NotRequired, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Number: TypeAlias = float | np.floating[Any] | np.integer[Any]
"""A real number: bool, str and complex are refused."""
Numbers: TypeAlias = Sequence[float] | NDArray[Any]
"""A list, a tuple or a one-dimensional array of real numbers."""
Path: TypeAlias = str | PathLike[str]
Callback: TypeAlias = Callable[[int, int], object]
"""Called as ``callback(done, total)`` from the thread that made the call."""


class SolveStatsDict(TypedDict):
    """Work of one solve, as the compiled module reports it."""

    nodes: int
    panels: int
    rejected_panels: int
    sweeps: int
    row_sweeps: float
    flops: float
    seconds: float
    threads: int
    chain_residual: float
    depth_error: float
    error_estimate: float


class OverlapsDict(TypedDict):
    """Overlaps of networks that share initial weights, data or neither."""

    shared_init: Array
    shared_data: Array
    independent: Array


class FunctionsDict(TypedDict, total=False):
    """Two-time functions that were kept; lists run over layers."""

    C_h: list[Array]
    C_g: list[Array]
    R_hr: list[Array]
    R_gu: list[Array]
    C_v: Array
    C_delta: Array
    R_delta: Array


class SolveDict(TypedDict):
    """What ``_core.solve`` and ``_core.flow`` return."""

    time: Array
    panels: list[int]
    test_loss: Array
    train_loss: Array
    term_target: Array
    term_init: Array
    term_data: Array
    test_loss_by_output: Array
    train_loss_by_output: Array
    depth: Array
    feature_norm: Array
    gradient_norm: Array
    irreducible: float
    diverged_at: int | None
    functions: FunctionsDict
    replicas: OverlapsDict | None
    kernels: dict[str, Array] | None
    channels: list["SolveDict"]
    channel: list[int]
    stats: SolveStatsDict
    state: NotRequired[dict[str, Array]]


class TrainStatsDict(TypedDict):
    """Work of one ensemble, as the compiled module reports it."""

    seconds: float
    threads: int
    instruction_set: str
    method: str
    operations: float
    bytes_moved: float


class TrainedDict(TypedDict):
    """What ``_core.train`` and ``_core.train_replicas`` both return."""

    dim: int
    samples: int
    widths: list[int]
    seeds: list[int]
    time: Array
    test_loss: Array
    diverged_at: list[int]
    stats: TrainStatsDict
    dtype: str


class TrainDict(TrainedDict):
    """What ``_core.train`` returns, and ``_core.train_many`` for every problem."""

    state: list[bytes]
    noise_draw: int
    train_loss: Array
    test_loss_by_output: list[Array]
    train_loss_by_output: list[Array]
    feature_norm: list[Array]
    gradient_norm: list[Array]
    feature_update: list[Array]
    gradient_update: list[Array]
    chain_residual: Array
    kernel_gradient: Array | None
    kernel_target: Array | None
    kernel_scale: Array | None


class ReplicasDict(TrainedDict):
    """What ``_core.train_replicas`` returns."""

    k_init: int
    k_data: int
    shared_init: Array | None
    shared_data: Array | None
    independent: Array | None
    averaged_loss: Array


class OptionDict(TypedDict):
    """An entry of ``_core.SolveOptions.table``; ``lindmft/options.hpp`` says what the parts are."""

    name: str
    kind: str
    default: object
    choices: list[str]
    allowed: str
    least: float
    most: float
    zero: str
    calls: list[str]
    meaning: str


class ConfigDict(TypedDict):
    """What ``_core.config`` returns."""

    version: str
    compiler: str
    build_type: str
    blas: str
    openmp: str
    instruction_set: str
    cores: int
    threads: int


class RatesDict(TypedDict):
    """A rate on one thread and on all of them."""

    one: float
    all: float


class LimitsDict(TypedDict):
    """What ``_core.machine_limits`` returns."""

    gemm: RatesDict
    triad: RatesDict
    update: RatesDict
    read: RatesDict
    array_bytes: float
    threads: int
    cores: int
    blas: str
    instruction_set: str
