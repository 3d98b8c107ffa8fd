"""Types of the compiled module; the public functions in ``theory`` and ``training`` say what everything means."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, overload

from lindmft._internal.types import (
    Callback,
    ConfigDict,
    LimitsDict,
    OptionDict,
    ReplicasDict,
    SolveDict,
    TrainDict,
)

__version__: str

def free_memory() -> float: ...

class NotConverged(RuntimeError): ...

INFINITE_DEPTH: int

class Architecture(Enum):
    mlp = 0
    resnet = 1

class BranchScaling(Enum):
    depth = 0
    constant = 1

class Parameterization(Enum):
    mup = 0
    ntk = 1

class DataMode(Enum):
    full_batch = 0
    multi_pass = 1
    one_pass = 2
    population = 3
    epochs = 4

class Network:
    def __init__(
        self,
        *,
        kind: Architecture,
        depth: int,
        width: Sequence[float],
        gamma0: float,
        parameterization: Parameterization,
        init_scale: Sequence[float],
        centered: bool,
        branch: float = 1.0,
        branch_scaling: BranchScaling = ...,
        zero_readout: bool = False,
    ) -> None: ...

class Spectrum:
    def __init__(
        self,
        *,
        eigenvalues: Sequence[float],
        target_power: Sequence[float],
        weights: Sequence[float],
        trace_class: bool = False,
        targets: Sequence[float] = ...,
    ) -> None: ...

class Data:
    def __init__(
        self,
        *,
        mode: DataMode,
        alpha: float,
        alphas: Sequence[float] = ...,
        batch_fraction: float = 1.0,
        batches: int = 1,
        noise: float,
        spectrum: Spectrum,
        targets: Sequence[float] = ...,
        rotation: Sequence[float] = ...,
        noise_factor: Sequence[float] = ...,
        switch_at: int = 0,
        switch_overlap: float = 0.0,
        switch_strength: float = 1.0,
    ) -> None: ...
    @property
    def irreducible(self) -> float: ...

class Optimizer:
    def __init__(
        self,
        *,
        lr: Sequence[float],
        momentum: Sequence[float],
        nesterov: bool,
        weight_decay: float,
        layer_lr: Sequence[float],
    ) -> None: ...

class Problem:
    def __init__(self, *, network: Network, data: Data, optimizer: Optimizer) -> None: ...

def condensable(data: Data) -> bool: ...
@overload
def validate(network: Network) -> None: ...
@overload
def validate(data: Data) -> None: ...
@overload
def validate(optimizer: Optimizer) -> None: ...
@overload
def validate(problem: Problem, steps: int = 0) -> None: ...
def stability_threshold(optimizer: Optimizer, step: int = 0) -> float: ...

class SolveOptions:
    """Made of keywords: the options of the table."""

    table: ClassVar[list[OptionDict]]
    rtol: float
    atol: float
    lanczos: int
    def __init__(self, **options: Any) -> None: ...

class TrainOptions:
    """Made of keywords: the options of the table, and ``samples``, four matrices."""

    table: ClassVar[list[OptionDict]]
    lanczos: int
    def __init__(self, **options: Any) -> None: ...

def solve(
    problem: Problem,
    steps: int,
    options: SolveOptions,
    *,
    continue_from: Mapping[str, object] | None = None,
    progress: Callback | None = None,
) -> SolveDict: ...
def flow(
    problem: Problem,
    time: float,
    options: SolveOptions,
    *,
    continue_from: Mapping[str, object] | None = None,
    progress: Callback | None = None,
) -> SolveDict: ...
def solve_many(
    problems: Sequence[Problem],
    steps: int,
    options: SolveOptions,
    *,
    return_errors: bool = False,
    progress: Callback | None = None,
) -> list[SolveDict | Exception]: ...
def flow_many(
    problems: Sequence[Problem],
    time: float,
    options: SolveOptions,
    *,
    return_errors: bool = False,
    progress: Callback | None = None,
) -> list[SolveDict | Exception]: ...
@overload
def check_solve(problem: Problem, steps: int, options: SolveOptions) -> None: ...
@overload
def check_solve(problems: Sequence[Problem], steps: int, options: SolveOptions) -> None: ...
@overload
def check_flow(problem: Problem, time: float, options: SolveOptions) -> None: ...
@overload
def check_flow(problems: Sequence[Problem], time: float, options: SolveOptions) -> None: ...
def estimate_solve_memory(problem: Problem, steps: int, options: SolveOptions) -> float: ...
def train(
    problem: Problem, steps: int, options: TrainOptions, *, progress: Callback | None = None
) -> TrainDict: ...
def train_many(
    problems: Sequence[Problem],
    steps: int,
    options: TrainOptions,
    *,
    progress: Callback | None = None,
) -> list[TrainDict]: ...
def train_replicas(
    problem: Problem, steps: int, options: TrainOptions, *, progress: Callback | None = None
) -> ReplicasDict: ...
@overload
def check_train(problem: Problem, steps: int, options: TrainOptions) -> None: ...
@overload
def check_train(problems: Sequence[Problem], steps: int, options: TrainOptions) -> None: ...
def check_replicas(problem: Problem, steps: int, options: TrainOptions) -> None: ...
def estimate_train_memory(problem: Problem, steps: int, options: TrainOptions) -> float: ...
def estimate_train_many_memory(
    problems: Sequence[Problem], steps: int, options: TrainOptions
) -> float: ...
def estimate_replicas_memory(problem: Problem, steps: int, options: TrainOptions) -> float: ...
def config() -> ConfigDict: ...
def machine_limits(*, threads: int = 0, seconds: float = 2.0) -> LimitsDict: ...
def error_table() -> list[tuple[str, str, str, str]]: ...
