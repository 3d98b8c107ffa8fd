"""Inputs and targets of a finite loop: standard deviations and targets of every direction."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import refuse
from lindmft.problem.data import Data
from lindmft.problem.frameworks.batches import whole_number
from lindmft.problem.mode_targets import split_targets
from lindmft.problem.outputs import noise_factor
from lindmft.problem.spectrum import Discrete, Isotropic, PowerLaw
from lindmft.problem.targets import channels

__all__ = ["Modes", "modes_of", "number_of_inputs"]

DIM, LEADING = 256, 1024
"""Inputs if their number is not given, and leading modes of a power law, as in ``train``."""


@dataclass(frozen=True, eq=False)
class Modes:
    """Directions of the inputs, as a script has them.

    Attributes
    ----------
    std
        (D,), standard deviations of the inputs; None: 1.
    target
        (D, C), target vectors up to the sign of each direction; or (D, 1), sizes of the targets of
        outputs that ``mixing`` makes; None: 1 / sqrt(D).
    mixing
        (C, C), the outputs' targets in terms of C independent ones; None where ``target`` has C
        columns.
    noise
        (C, C), a root of the covariance of the label noise.
    """

    std: Array | None
    target: Array | None
    mixing: Array | None
    noise: Array


def number_of_inputs(data: Data, inputs: Any, field: str = "inputs") -> int:
    """Return D: as given, or as in ``train``."""
    spectrum = data.spectrum
    modes = spectrum.modes if isinstance(spectrum, PowerLaw) else None
    if isinstance(spectrum, Discrete) and spectrum.trace_class:
        counts = np.array(spectrum.weights)
        if not np.array_equal(counts, np.round(counts)):
            allowed = "whole numbers of modes (grouped spectra are for the theory alone)"
            refuse("data.spectrum.weights", allowed, spectrum.weights)
        modes = int(counts.sum())
    if inputs is None:
        usual = DIM if data.inputs is None else int(data.inputs)
        return usual if modes is None else min(LEADING, modes)
    given = whole_number(inputs, field)
    if modes is not None and given > modes:
        refuse(field, f"at most the number of modes ({modes})", given)
    if isinstance(spectrum, Discrete) and modes is not None and given != modes:
        refuse(field, f"the number of modes ({modes})", given)
    return given


def modes_of(data: Data, inputs: int) -> Modes:
    """Return the directions of D inputs with the spectrum and the targets of the data."""
    spectrum = data.spectrum
    outputs = data.outputs
    noise = noise_factor(data.noise_covariance)
    noise = noise if noise.size else data.noise * np.eye(outputs)
    if isinstance(spectrum, Discrete) and spectrum.targets is not None:
        of_mode, rows, share = split_targets(spectrum.targets)
        weights = np.array(spectrum.weights)[of_mode] * share
        counts = mode_counts(weights, inputs, spectrum.trace_class)
        std = np.sqrt(np.array(spectrum.eigenvalues)[of_mode])
        scale = 1.0 if spectrum.trace_class else inputs**-0.5
        norm = float(np.ravel(data.targets)[0])
        rows = np.repeat(rows, counts, axis=0) * (scale * norm)
        return Modes(np.repeat(std, counts), rows, None, noise)
    norms, rotation = channels(data.targets)
    mixing = rotation * norms
    if isinstance(spectrum, Isotropic):
        return Modes(None, None, mixing, noise)
    listed = spectrum.leading(inputs) if isinstance(spectrum, PowerLaw) else spectrum
    counts = mode_counts(np.array(listed.weights), inputs, listed.trace_class)
    scale = 1.0 if listed.trace_class else inputs**-0.5
    sizes = np.sqrt(np.array(listed.target_power)) * scale
    return Modes(
        std=np.repeat(np.sqrt(listed.eigenvalues), counts),
        target=np.repeat(sizes, counts)[:, None],
        mixing=mixing,
        noise=noise,
    )


def mode_counts(weights: Array, inputs: int, trace_class: bool) -> Any:
    """Return the number of directions of each mode: fractions of D are rounded to the sum D."""
    if trace_class:
        return np.round(weights).astype(int)
    shares = weights * inputs
    counts = np.floor(shares).astype(int)
    most = np.argsort(counts - shares, kind="stable")
    counts[most[: inputs - math.floor(counts.sum())]] += 1
    return counts
