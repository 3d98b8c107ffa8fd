"""Descriptions of problems: network, data, spectrum and optimizer, and their forms in files.

They are value types, which are checked when they are made.
"""

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

__all__ = [
    "EMA",
    "MLP",
    "SGD",
    "CheckpointAverage",
    "DataWarning",
    "Discrete",
    "Epochs",
    "FittedData",
    "FullBatch",
    "Isotropic",
    "MultiPass",
    "OnePass",
    "Population",
    "PowerLaw",
    "Problem",
    "PyTorchLoop",
    "ResNet",
    "SizeWarning",
    "TailAverage",
    "citation",
    "estimate_noise",
    "from_covariance",
    "from_data",
    "from_pytorch",
    "schedule",
    "stability_threshold",
    "to_pytorch",
]
