"""The options of ``sweep`` that it passes on to the theory and to training."""

from lindmft.problem.averages import Average
from lindmft.theory.options import AccuracyOptions
from lindmft.training.options import NetworkOptions

__all__ = ["SweepOptions"]


class SweepOptions(AccuracyOptions, NetworkOptions, total=False):
    """Options of ``sweep``: those of ``solve`` and ``flow``, and of ``train``.

    The numbers of the theory depend on the first ones; the others say which networks are trained.
    """

    grid: str
    average: Average | None
