"""What can be read off solutions and sweeps: the front page of everything that interprets results.

Theory against training; the best and the largest stable learning rates; what transfers across
width, depth, training time and schedules; compute-optimal sizes; exponents.
"""

from lindmft.comparison import Agreement, Comparison, compare
from lindmft.compute import ComputeOptimal, compute_optimal
from lindmft.coordinates import CoordinateCheck, coordinate_check
from lindmft.exponents import ExponentFit, LocalExponent, fit_exponent, local_exponent
from lindmft.predictions import compare_exponents, predicted_exponents
from lindmft.rates import OptimalRate, optimal_lr, optimal_lrs
from lindmft.scaling import Scaling, check_scaling
from lindmft.schedules import schedule
from lindmft.stability import StableRate, largest_stable_lr, largest_stable_lrs
from lindmft.training_time import OptimumOverTime, optimum_over_time
from lindmft.transfer import Transfer, transfer
from lindmft.verification import Verification, verify
from lindmft.wider import WiderIsBetter, wider_is_better

__all__ = [
    "Agreement",
    "Comparison",
    "ComputeOptimal",
    "CoordinateCheck",
    "ExponentFit",
    "LocalExponent",
    "OptimalRate",
    "OptimumOverTime",
    "Scaling",
    "StableRate",
    "Transfer",
    "Verification",
    "WiderIsBetter",
    "check_scaling",
    "compare",
    "compare_exponents",
    "compute_optimal",
    "coordinate_check",
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
