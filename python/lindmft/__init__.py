"""Training dynamics of wide deep linear networks: theory (``solve``, ``flow``) and ``train``.

    import lindmft as lm

    problem = lm.Problem(
        network=lm.MLP(depth=2, width=1.0, gamma0=1.0),
        data=lm.FullBatch(alpha=2.0, noise=0.3),
        optimizer=lm.SGD(lr=0.1),
    )
    theory = lm.solve(problem, steps=200)
    runs = lm.train(problem, steps=200, dim=1024, seeds=16)
    print(lm.compare(theory, runs).summary())
    lm.plotting.compare(theory, runs)

``lm.SGD`` says what the scales mean; ``lm.plotting`` needs matplotlib and is imported when used, as
are ``lm.figures``, sweeps and verification.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lindmft import _loading  # first: every other module needs the compiled one  # noqa: F401
from lindmft._citation import citation
from lindmft._config import show_config
from lindmft._core import NotConverged, __version__
from lindmft.comparison import Comparison, compare
from lindmft.compute import ComputeOptimal, compute_optimal
from lindmft.coordinates import CoordinateCheck, coordinate_check
from lindmft.data import FullBatch, MultiPass, OnePass, Population
from lindmft.empirical import estimate_noise, from_covariance, from_data
from lindmft.ensemble import Ensemble
from lindmft.exponents import ExponentFit, LocalExponent, fit_exponent, local_exponent
from lindmft.many import flow_many, solve_many
from lindmft.network import MLP, ResNet
from lindmft.optimizer import SGD
from lindmft.predictions import (
    ExponentComparison,
    ExponentRow,
    PredictedExponents,
    compare_exponents,
    predicted_exponents,
)
from lindmft.problem import Problem
from lindmft.rates import OptimalRate, optimal_lr, optimal_lrs
from lindmft.replica_ensemble import ReplicaEnsemble
from lindmft.replicas import Replicas
from lindmft.scaling import Scaling, check_scaling
from lindmft.schedules import schedule
from lindmft.solution import Solution
from lindmft.spectrum import Discrete, Isotropic, PowerLaw
from lindmft.stability import StableRate, largest_stable_lr, largest_stable_lrs
from lindmft.theory import estimate_memory, flow, solve
from lindmft.train_replicas import train_replicas
from lindmft.training import estimate_train_memory, train, train_many
from lindmft.training_time import OptimumOverTime, optimum_over_time
from lindmft.transfer import Transfer, transfer
from lindmft.wider import WiderIsBetter, wider_is_better

if TYPE_CHECKING:
    from lindmft import analysis, figures, plotting
    from lindmft.sweeps import open_sweep, sweep, sweep_summary
    from lindmft.verification import Verification, verify

__all__ = [
    "MLP",
    "SGD",
    "Comparison",
    "ComputeOptimal",
    "CoordinateCheck",
    "Discrete",
    "Ensemble",
    "ExponentComparison",
    "ExponentFit",
    "ExponentRow",
    "FullBatch",
    "Isotropic",
    "LocalExponent",
    "MultiPass",
    "NotConverged",
    "OnePass",
    "OptimalRate",
    "OptimumOverTime",
    "Population",
    "PowerLaw",
    "PredictedExponents",
    "Problem",
    "ReplicaEnsemble",
    "Replicas",
    "ResNet",
    "Scaling",
    "Solution",
    "StableRate",
    "Transfer",
    "Verification",
    "WiderIsBetter",
    "__version__",
    "analysis",
    "check_scaling",
    "citation",
    "compare",
    "compare_exponents",
    "compute_optimal",
    "coordinate_check",
    "estimate_memory",
    "estimate_noise",
    "estimate_train_memory",
    "figures",
    "fit_exponent",
    "flow",
    "flow_many",
    "from_covariance",
    "from_data",
    "largest_stable_lr",
    "largest_stable_lrs",
    "local_exponent",
    "open_sweep",
    "optimal_lr",
    "optimal_lrs",
    "optimum_over_time",
    "plotting",
    "predicted_exponents",
    "schedule",
    "show_config",
    "solve",
    "solve_many",
    "sweep",
    "sweep_summary",
    "train",
    "train_many",
    "train_replicas",
    "transfer",
    "verify",
    "wider_is_better",
]


_LATER = {
    "sweep": "sweeps",
    "open_sweep": "sweeps",
    "sweep_summary": "sweeps",
    "verify": "verification",
    "Verification": "verification",
}
"""Names whose modules take long to import, for engines and the like: when they are used."""


def __getattr__(name: str) -> Any:
    if name in {"analysis", "figures", "plotting", "sweeps", "verification"}:
        return import_module(f"lindmft.{name}")
    if name in _LATER:
        return getattr(import_module(f"lindmft.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
