"""Finite-size networks, trained: one problem, many problems, and pairs that share randomness."""

from lindmft.training.options import (
    AllTrainOptions,
    NetworkOptions,
    SampleOptions,
    TrainManyOptions,
    TrainOptions,
)
from lindmft.training.replicas import train_replicas
from lindmft.training.train import check_train, estimate_train_memory, train, train_many

__all__ = [
    "AllTrainOptions",
    "NetworkOptions",
    "SampleOptions",
    "TrainManyOptions",
    "TrainOptions",
    "check_train",
    "estimate_train_memory",
    "train",
    "train_many",
    "train_replicas",
]
