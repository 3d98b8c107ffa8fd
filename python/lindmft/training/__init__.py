"""Finite-size networks, trained: one problem, many problems, and pairs that share randomness."""

from lindmft.training.replicas import train_replicas
from lindmft.training.train import estimate_train_memory, train, train_many

__all__ = ["estimate_train_memory", "train", "train_many", "train_replicas"]
