"""Interpretation of solutions and sweeps.

Theory against training; the best and the largest stable learning rates; what transfers across
width, depth, training time and schedules; compute-optimal sizes; exponents.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lindmft.analysis.best_point import BestPoint, best_point
from lindmft.analysis.comparison import Advice, Agreement, Chances, Comparison, compare
from lindmft.analysis.compute import ComputeOptimal, compute_optimal
from lindmft.analysis.coordinates import CoordinateCheck, coordinate_check
from lindmft.analysis.exponents import ExponentFit, LocalExponent, fit_exponent, local_exponent
from lindmft.analysis.predictions import compare_exponents, predicted_exponents
from lindmft.analysis.rates import OptimalRate, optimal_lr, optimal_lrs
from lindmft.analysis.scaling import Explanation, Scaling, check_scaling
from lindmft.analysis.sharpness import (
    EdgeOfStability,
    SharpnessLimit,
    SharpnessRun,
    edge_of_stability,
)
from lindmft.analysis.sizes.fixed_fields import ScalingWarning
from lindmft.analysis.stability import StableRate, largest_stable_lr, largest_stable_lrs
from lindmft.analysis.training_time import OptimumOverTime, optimum_over_time
from lindmft.analysis.transfer import Transfer, transfer
from lindmft.analysis.width_scan import WiderIsBetter, wider_is_better
from lindmft.problem.schedules import schedule

if TYPE_CHECKING:
    from lindmft.analysis.verification import Verification, verify

__all__ = [
    "Advice",
    "Agreement",
    "BestPoint",
    "Chances",
    "Comparison",
    "ComputeOptimal",
    "CoordinateCheck",
    "EdgeOfStability",
    "Explanation",
    "ExponentFit",
    "LocalExponent",
    "OptimalRate",
    "OptimumOverTime",
    "Scaling",
    "ScalingWarning",
    "SharpnessLimit",
    "SharpnessRun",
    "StableRate",
    "Transfer",
    "Verification",
    "WiderIsBetter",
    "best_point",
    "check_scaling",
    "compare",
    "compare_exponents",
    "compute_optimal",
    "coordinate_check",
    "edge_of_stability",
    "fit_exponent",
    "largest_stable_lr",
    "largest_stable_lrs",
    "local_exponent",
    "optimal_lr",
    "optimal_lrs",
    "optimum_over_time",
    "predicted_exponents",
    "schedule",
    "transfer",
    "verify",
    "wider_is_better",
]


def __getattr__(name: str) -> Any:
    if name in {
        "Verification",
        "verify",
    }:  # random problems take long to import: when they are used
        return getattr(import_module("lindmft.analysis.verification"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
