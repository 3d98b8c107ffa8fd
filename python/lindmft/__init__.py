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

# Loading is first: every other module needs the compiled one.
from lindmft._internal.loading import NotConverged, __version__  # isort: skip
from lindmft._internal.config import show_config
from lindmft._internal.refusals import BadInput
from lindmft.analysis.best_point import BestPoint, best_point
from lindmft.analysis.comparison import Comparison, compare
from lindmft.analysis.compute import ComputeOptimal, compute_optimal
from lindmft.analysis.coordinates import CoordinateCheck, coordinate_check
from lindmft.analysis.exponents import ExponentFit, LocalExponent, fit_exponent, local_exponent
from lindmft.analysis.predictions import (
    ExponentComparison,
    ExponentRow,
    PredictedExponents,
    compare_exponents,
    predicted_exponents,
)
from lindmft.analysis.rates import OptimalRate, optimal_lr, optimal_lrs
from lindmft.analysis.scaling import Scaling, check_scaling
from lindmft.analysis.sharpness import EdgeOfStability, edge_of_stability
from lindmft.analysis.sizes.fixed_fields import ScalingWarning
from lindmft.analysis.stability import StableRate, largest_stable_lr, largest_stable_lrs
from lindmft.analysis.training_time import OptimumOverTime, optimum_over_time
from lindmft.analysis.transfer import Transfer, transfer
from lindmft.analysis.width_scan import WiderIsBetter, wider_is_better
from lindmft.problem.averages import EMA, CheckpointAverage, TailAverage
from lindmft.problem.citation import citation
from lindmft.problem.data import Epochs, FullBatch, MultiPass, OnePass, Population
from lindmft.problem.empirical import estimate_noise, from_covariance, from_data
from lindmft.problem.frameworks.loop import PyTorchLoop, to_pytorch
from lindmft.problem.frameworks.pytorch import from_pytorch
from lindmft.problem.network import MLP, ResNet
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.problem.samples.fitted import DataWarning, FittedData
from lindmft.problem.scales import SizeWarning
from lindmft.problem.schedules import schedule
from lindmft.problem.spectrum import Discrete, Isotropic, PowerLaw
from lindmft.problem.stability import stability_threshold
from lindmft.results.ensemble import Ensemble
from lindmft.results.replica_ensemble import ReplicaEnsemble
from lindmft.results.replicas import Replicas
from lindmft.results.solution import Solution
from lindmft.results.stability import StabilityWarning
from lindmft.theory.check import check_flow, check_solve
from lindmft.theory.many import flow_many, solve_many
from lindmft.theory.solve import estimate_memory, flow, solve
from lindmft.training.replicas import train_replicas
from lindmft.training.train import check_train, estimate_train_memory, train, train_many

if TYPE_CHECKING:
    from lindmft import analysis, figures, plotting
    from lindmft.analysis.verification import Verification, verify
    from lindmft.explorer import Explorer, explore
    from lindmft.sweeps.sweep import open_sweep, sweep, sweep_summary

__all__ = [
    "EMA",
    "MLP",
    "SGD",
    "BadInput",
    "BestPoint",
    "CheckpointAverage",
    "Comparison",
    "ComputeOptimal",
    "CoordinateCheck",
    "DataWarning",
    "Discrete",
    "EdgeOfStability",
    "Ensemble",
    "Epochs",
    "Explorer",
    "ExponentComparison",
    "ExponentFit",
    "ExponentRow",
    "FittedData",
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
    "PyTorchLoop",
    "ReplicaEnsemble",
    "Replicas",
    "ResNet",
    "Scaling",
    "ScalingWarning",
    "SizeWarning",
    "Solution",
    "StabilityWarning",
    "StableRate",
    "TailAverage",
    "Transfer",
    "Verification",
    "WiderIsBetter",
    "__version__",
    "analysis",
    "best_point",
    "check_flow",
    "check_scaling",
    "check_solve",
    "check_train",
    "citation",
    "compare",
    "compare_exponents",
    "compute_optimal",
    "coordinate_check",
    "edge_of_stability",
    "estimate_memory",
    "estimate_noise",
    "estimate_train_memory",
    "explore",
    "figures",
    "fit_exponent",
    "flow",
    "flow_many",
    "from_covariance",
    "from_data",
    "from_pytorch",
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
    "stability_threshold",
    "sweep",
    "sweep_summary",
    "to_pytorch",
    "train",
    "train_many",
    "train_replicas",
    "transfer",
    "verify",
    "wider_is_better",
]


_LATER = {
    "analysis": "analysis",
    "Explorer": "explorer",
    "explore": "explorer",
    "figures": "figures",
    "machine": "machine",
    "plotting": "plotting",
    "sweeps": "sweeps",
    "sweep": "sweeps",
    "open_sweep": "sweeps",
    "sweep_summary": "sweeps",
    "verify": "analysis",
    "Verification": "analysis",
}
"""Names, and the rooms that have them: what takes long to import, when it is used."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = import_module(f"lindmft.{_LATER[name]}")
    return room if name == _LATER[name] else getattr(room, name)


def __dir__() -> list[str]:
    return __all__
