"""Results of theory and training as values: series over time, two-time functions, files."""

from lindmft.results.ensemble import Ensemble, Series
from lindmft.results.layers import Layers
from lindmft.results.observables import FUNCTIONS
from lindmft.results.replica_ensemble import ReplicaEnsemble, ReplicaSeries
from lindmft.results.replicas import Replicas
from lindmft.results.result import NotRequested
from lindmft.results.solution import Solution
from lindmft.results.solve_stats import SolveStats
from lindmft.results.spectrum import HessianSpectrum
from lindmft.results.stability import StabilityWarning
from lindmft.results.statistics import TrainStats

__all__ = [
    "FUNCTIONS",
    "Ensemble",
    "HessianSpectrum",
    "Layers",
    "NotRequested",
    "ReplicaEnsemble",
    "ReplicaSeries",
    "Replicas",
    "Series",
    "Solution",
    "SolveStats",
    "StabilityWarning",
    "TrainStats",
]
