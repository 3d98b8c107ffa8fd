"""Finite versions of problems: the input dimension, and the modes that networks are trained on.

Ordinary spectra are distributions, of which any number of directions can be drawn. Trace-class
spectra are lists of modes: networks take the leading ones as they are, and the tail is dropped.
"""

from dataclasses import replace

from lindmft import _core
from lindmft._internal.refusals import at_index
from lindmft._internal.validation import integer, missing, refuse
from lindmft.problem.mode_targets import split_targets
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import Discrete, PowerLaw

DIM = 256
"""Input dimension D if none is given."""
LEADING = 1024
"""Modes of a power law that are kept if no number is given."""


def finite(problem: Problem, dim: int | None) -> tuple[_core.Problem, int]:
    """Return the compiled module's value, with every mode alone, and the dimension."""
    spectrum = problem.data.spectrum
    size = default_dim(problem) if dim is None else integer(dim, "dim")
    if isinstance(spectrum, PowerLaw):
        if not 1 <= size <= spectrum.modes:
            refuse("dim", f"from 1 to the number of modes ({spectrum.modes})", size)
        problem = replace(problem, data=replace(problem.data, spectrum=spectrum.leading(size)))
    elif isinstance(spectrum, Discrete):
        _check_grams(spectrum)
    return problem.as_core(), size


def _check_grams(spectrum: Discrete) -> None:
    """Refuse Gram matrices that the modes of a class cannot have: each mode has one vector."""
    if spectrum.targets is None or not spectrum.trace_class:
        return
    of_mode, _, share = split_targets(spectrum.targets)
    weights = spectrum.weights or ()
    for k, part in zip(of_mode, share, strict=True):
        if float(weights[k]).is_integer() and not (weights[k] * part).is_integer():
            allowed = f"a Gram matrix whose rank divides the number of its modes ({weights[k]:g})"
            refuse(
                f"data.spectrum.targets[{k}]",
                f"{allowed} to train networks",
                f"one of rank {round(1 / part)}",
            )


def all_finite(problems: list[Problem], dim: int | None) -> tuple[list[_core.Problem], int]:
    """Return the compiled module's values, and the dimension that all problems have."""
    if dim is None:
        sizes = sorted({default_dim(problem) for problem in problems})
        if len(sizes) > 1:
            missing("dim", f"the problems differ in their input dimension (by default {sizes})")
        dim = sizes[0] if sizes else DIM
    core = []
    for i, problem in enumerate(problems):
        try:
            core.append(finite(problem, dim)[0])
        except ValueError as error:
            raise at_index(error, i) from error
    return core, integer(dim, "dim")


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
