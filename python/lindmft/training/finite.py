"""What of a problem a finite network can be trained on: the number of input dimensions, one by one.

Ordinary spectra are distributions, of which any number of directions can be drawn. Trace-class
spectra are lists of modes: networks take the leading ones as they are, and the tail is dropped.
"""

from dataclasses import replace

from lindmft import _core
from lindmft._internal.validation import integer, refuse
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import Discrete, PowerLaw

DIM = 256
"""Input dimension D if none is given."""
LEADING = 1024
"""Modes of a power law that are kept if no number is given."""


def finite(problem: Problem, dim: int | None) -> tuple[_core.Problem, int]:
    """The compiled module's value, with every mode alone, and the dimension."""
    spectrum = problem.data.spectrum
    size = default_dim(problem) if dim is None else integer(dim, "dim")
    if isinstance(spectrum, PowerLaw):
        if not 1 <= size <= spectrum.modes:
            refuse("dim", f"from 1 to the number of modes ({spectrum.modes})", size)
        problem = replace(problem, data=replace(problem.data, spectrum=spectrum.leading(size)))
    return problem.as_core(), size


def default_dim(problem: Problem, *, all_modes: bool = False) -> int:
    """The default input dimension: ``data.inputs`` where given, else 256.

    With a power law its first 1024 modes (unless all), with other trace-class spectra all modes.
    """
    spectrum = problem.data.spectrum
    if problem.data.inputs is not None:
        return int(problem.data.inputs)
    if isinstance(spectrum, PowerLaw):
        return spectrum.modes if all_modes else min(LEADING, spectrum.modes)
    if isinstance(spectrum, Discrete) and spectrum.trace_class:
        return max(1, int(sum(spectrum.weights or ())))
    return DIM
