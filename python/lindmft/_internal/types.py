"""Types that several modules share."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, TypeAlias, TypedDict

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
"""A function that is called as ``callback(done, total)``, from the thread that made the call."""


class SolveDict(TypedDict):
    """Result of ``_core.solve`` and ``_core.flow``.

    ``series``, ``functions`` and ``spectrum`` are by name and only have what was computed;
    functions of layers are lists. ``channels`` are those that differ, and ``channel`` says which of
    them each output has.
    """

    time: Array
    panels: list[int]
    depth: Array
    series: dict[str, Array]
    functions: dict[str, Array | list[Array]]
    irreducible: float
    diverged_at: int | None
    unstable_at: float | None
    predictable_until: float | None
    spectrum: dict[str, Array]
    channels: list["SolveDict"]
    channel: list[int]
    stats: dict[str, Any]
    state: dict[str, Array]


class TrainedDict(TypedDict):
    """Common part of the results of ``_core.train`` and ``_core.train_replicas``.

    ``series`` are by name and only have what was recorded: (seed, n), or lists of such arrays over
    outputs or layers.
    """

    dim: int
    samples: int
    widths: list[int]
    seeds: list[int]
    time: Array
    series: dict[str, Array | list[Array]]
    diverged_at: list[int]
    stats: dict[str, Any]
    dtype: str


class TrainDict(TrainedDict):
    """Result of ``_core.train``, and of ``_core.train_many`` for every problem."""

    state: list[bytes]
    noise_draw: int
    test_samples: int
    weights: list[Array]
    predictor: Array | None
    spectrum: dict[str, Array]


class ReplicasDict(TrainedDict):
    """Result of ``_core.train_replicas``."""

    k_init: int
    k_data: int


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
    """Result of ``_core.config``."""

    version: str
    compiler: str
    build_type: str
    blas: str
    openmp: str
    instruction_set: str
    cores: int
    threads: int


class RatesDict(TypedDict):
    """A rate on one thread, and on all threads."""

    one: float
    all: float


class LimitsDict(TypedDict):
    """Result of ``_core.machine_limits``."""

    gemm: RatesDict
    triad: RatesDict
    update: RatesDict
    read: RatesDict
    array_bytes: float
    threads: int
    cores: int
    blas: str
    instruction_set: str
