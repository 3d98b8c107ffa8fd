"""Types of the compiled module; the public functions in ``theory`` and ``training`` say what everything means."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import overload

from lindmft._internal.types import (
    Callback,
    ConfigDict,
    LimitsDict,
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

class Grid(Enum):
    exact = 0
    adaptive = 1

class Network:
    def __init__(
        self,
        *,
        kind: Architecture,
        depth: int,
        width: Sequence[float],
        gamma0: float,
        parameterization: Parameterization,
        init_scale: float,
        centered: bool,
        branch: float = 1.0,
        branch_scaling: BranchScaling = ...,
    ) -> None: ...

class Spectrum:
    def __init__(
        self,
        *,
        eigenvalues: Sequence[float],
        target_power: Sequence[float],
        weights: Sequence[float],
        trace_class: bool = False,
    ) -> None: ...

class Data:
    def __init__(
        self,
        *,
        mode: DataMode,
        alpha: float,
        batch_fraction: float,
        noise: float,
        spectrum: Spectrum,
        targets: Sequence[float] = ...,
        rotation: Sequence[float] = ...,
    ) -> None: ...

class Optimizer:
    def __init__(
        self,
        *,
        lr: Sequence[float],
        momentum: float,
        nesterov: bool,
        weight_decay: float,
        layer_lr: Sequence[float],
    ) -> None: ...

class Problem:
    def __init__(self, *, network: Network, data: Data, optimizer: Optimizer) -> None: ...

@overload
def validate(network: Network) -> None: ...
@overload
def validate(data: Data) -> None: ...
@overload
def validate(optimizer: Optimizer) -> None: ...
@overload
def validate(problem: Problem, steps: int = 0) -> None: ...
def solve(
    problem: Problem,
    steps: int,
    *,
    grid: Grid = ...,
    save: Sequence[str] = ...,
    depth_nodes: int = 0,
    replicas: bool = False,
    kernels: bool = False,
    rtol: float = 1e-6,
    atol: float = 1e-10,
    keep_state: bool = False,
    continue_from: Mapping[str, object] | None = None,
    threads: int = 0,
    memory_limit: float = 0.0,
    progress: Callback | None = None,
) -> SolveDict: ...
def flow(
    problem: Problem,
    time: float,
    *,
    save: Sequence[str] = ...,
    depth_nodes: int = 0,
    replicas: bool = False,
    kernels: bool = False,
    rtol: float = 1e-6,
    atol: float = 1e-10,
    keep_state: bool = False,
    continue_from: Mapping[str, object] | None = None,
    threads: int = 0,
    memory_limit: float = 0.0,
    progress: Callback | None = None,
) -> SolveDict: ...
def solve_many(
    problems: Sequence[Problem],
    steps: int,
    *,
    grid: Grid = ...,
    save: Sequence[str] = ...,
    depth_nodes: int = 0,
    replicas: bool = False,
    kernels: bool = False,
    rtol: float = 1e-6,
    atol: float = 1e-10,
    keep_state: bool = False,
    threads: int = 0,
    memory_limit: float = 0.0,
    progress: Callback | None = None,
    return_errors: bool = False,
) -> list[SolveDict | Exception]: ...
def flow_many(
    problems: Sequence[Problem],
    time: float,
    *,
    save: Sequence[str] = ...,
    depth_nodes: int = 0,
    replicas: bool = False,
    kernels: bool = False,
    rtol: float = 1e-6,
    atol: float = 1e-10,
    keep_state: bool = False,
    threads: int = 0,
    memory_limit: float = 0.0,
    progress: Callback | None = None,
    return_errors: bool = False,
) -> list[SolveDict | Exception]: ...
def estimate_solve_memory(
    problem: Problem,
    steps: int,
    *,
    save: Sequence[str] = ...,
    depth_nodes: int = 0,
    replicas: bool = False,
    kernels: bool = False,
    keep_state: bool = False,
) -> float: ...
def train(
    problem: Problem,
    steps: int,
    *,
    dim: int,
    seeds: Sequence[int],
    threads: int = 0,
    memory_limit: float = 0.0,
    progress: Callback | None = None,
    kernels: bool = False,
    updates: bool = False,
    noise_draw: int = 0,
    single_precision: bool = False,
    stop: int = 0,
    keep_state: bool = False,
    start: Sequence[bytes] = ...,
) -> TrainDict: ...
def train_many(
    problems: Sequence[Problem],
    steps: int,
    *,
    dim: int,
    seeds: Sequence[int],
    threads: int = 0,
    memory_limit: float = 0.0,
    progress: Callback | None = None,
    updates: bool = False,
    noise_draws: Sequence[int] = ...,
    single_precision: bool = False,
) -> list[TrainDict]: ...
def train_replicas(
    problem: Problem,
    steps: int,
    *,
    dim: int,
    seeds: Sequence[int],
    k_init: int,
    k_data: int,
    threads: int = 0,
    memory_limit: float = 0.0,
    progress: Callback | None = None,
    single_precision: bool = False,
) -> ReplicasDict: ...
def estimate_train_memory(
    problem: Problem,
    steps: int,
    *,
    dim: int,
    seeds: Sequence[int],
    threads: int = 0,
    kernels: bool = False,
    updates: bool = False,
    single_precision: bool = False,
) -> float: ...
def estimate_train_many_memory(
    problems: Sequence[Problem],
    steps: int,
    *,
    dim: int,
    seeds: Sequence[int],
    threads: int = 0,
    updates: bool = False,
    single_precision: bool = False,
) -> float: ...
def estimate_replicas_memory(
    problem: Problem,
    steps: int,
    *,
    dim: int,
    seeds: Sequence[int],
    k_init: int,
    k_data: int,
    threads: int = 0,
    single_precision: bool = False,
) -> float: ...
def config() -> ConfigDict: ...
def machine_limits(*, threads: int = 0, seconds: float = 2.0) -> LimitsDict: ...
def error_table() -> list[tuple[str, str, str, str]]: ...
