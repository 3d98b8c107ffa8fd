"""The infinite-size theory: exact steps, adaptive steps and gradient flow, one or many problems."""

from lindmft.theory.check import check_flow, check_solve
from lindmft.theory.many import flow_many, solve_many
from lindmft.theory.options import AccuracyOptions, FlowOptions, SolveOptions
from lindmft.theory.solve import estimate_memory, flow, solve

__all__ = [
    "AccuracyOptions",
    "FlowOptions",
    "SolveOptions",
    "check_flow",
    "check_solve",
    "estimate_memory",
    "flow",
    "flow_many",
    "solve",
    "solve_many",
]
