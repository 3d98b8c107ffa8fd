"""Samples that users give to ``train``: checked, and divided into those to train on and held out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import (
    conflict,
    integer,
    missing,
    number,
    real_array,
    refuse,
)
from lindmft.problem.problem import Problem

__all__ = ["OwnSamples", "own_samples"]

HELD_OUT = ("X_test", "y_test")
NAMES = ("X", "y", *HELD_OUT, "test_fraction")
MATRIX = "a matrix of numbers, one sample in each row"
LABELS = "a list of numbers, one for each sample, or a matrix with a column for each output"
LARGEST = 1e150
"""Largest number whose sums of squares do not overflow."""


@dataclass(frozen=True)
class OwnSamples:
    """Samples to train on, and samples held out: inputs (P, D) and labels (P, C) of each."""

    inputs: Array
    labels: Array
    test_inputs: Array
    test_labels: Array

    @property
    def dim(self) -> int:
        """D, the number of inputs."""
        return int(self.inputs.shape[1])

    def as_core(self) -> tuple[Array, Array, Array, Array]:
        """Return the arrays in the order of the compiled module."""
        return self.inputs, self.labels, self.test_inputs, self.test_labels


def own_samples(given: Mapping[str, Any], problem: Problem) -> OwnSamples | None:
    """Return the samples among the arguments of ``train``; None if there are none."""
    if given["X"] is None:
        for name in NAMES[1:]:
            if given[name] is not None:
                missing("X", f"{name} belongs to samples that are given")
        _check_split(given)
        return None
    _check_kind(problem)
    _check_others(given)
    inputs, labels = _pair(given, "X", "y", problem.data.outputs)
    if given["test_fraction"] is None:
        test_inputs, test_labels = _held_out(given, inputs.shape[1], problem.data.outputs)
        found = OwnSamples(inputs, labels, test_inputs, test_labels)
    else:
        found = _divided(inputs, labels, given)
    _check_sizes(found, problem, given["dim"])
    return found


def _check_kind(problem: Problem) -> None:
    if problem.data.kind not in {"full_batch", "multi_pass", "epochs"}:
        conflict(
            "X",
            f"data of the kind {problem.data.kind!r}",
            "it takes new samples in every step",
            "Use FullBatch, MultiPass or Epochs; the first epoch of Epochs passes through the "
            "samples once",
        )


def _check_others(given: Mapping[str, Any]) -> None:
    """Refuse options that make no sense for given samples."""
    target = "the samples have no known target direction"
    reasons = {
        "kernels": target,
        "spectrum_at": target,
        "noise_draw": "the labels contain their noise",
        "checkpoint": "the file does not hold the samples",
    }
    for name, why in reasons.items():
        if given[name] is not None and given[name] is not False and given[name] != 0:
            conflict(name, "X", why, f"Leave {name} out")


def _check_split(given: Mapping[str, Any]) -> None:
    if given["test_fraction"] is None and given["test_split"] != 0:
        missing("test_fraction", "test_split is the number of a random split into two parts")


def _pair(given: Mapping[str, Any], inputs: str, labels: str, outputs: int) -> tuple[Array, Array]:
    """Return inputs (P, D) and labels (P, C)."""
    if given[labels] is None:
        missing(labels, f"give the labels of the samples {inputs}")
    x = _finite(given[inputs], inputs, MATRIX)
    y = _finite(given[labels], labels, LABELS)
    if x.ndim != 2 or 0 in x.shape:
        refuse(inputs, MATRIX, given[inputs])
    if y.ndim not in {1, 2}:
        refuse(labels, LABELS, given[labels])
    if len(y) != len(x):
        allowed = f"of length {len(x)}, one label for each row of {inputs}"
        refuse(labels, allowed, f"one of length {len(y)}")
    y = y.reshape(len(x), -1)
    if y.shape[1] != outputs:
        allowed = f"labels of as many outputs as the problem has ({outputs})"
        refuse(labels, allowed, f"labels of {y.shape[1]}")
    return x, y


def _finite(value: Any, field: str, allowed: str) -> Array:
    array = real_array(value, field, allowed)
    with np.errstate(over="ignore"):  # numbers of longer types than doubles can become inf
        array = np.ascontiguousarray(array, float)
    if not np.isfinite(array).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        index = "".join(f"[{i}]" for i in first)
        refuse(f"{field}{index}", "finite", float(array[first]))
    if array.size and (largest := float(np.abs(array).max())) > LARGEST:
        refuse(field, f"numbers of size {LARGEST:g} at most, whose squares are doubles", largest)
    return array


def _held_out(given: Mapping[str, Any], dim: int, outputs: int) -> tuple[Array, Array]:
    if given["X_test"] is None:
        missing(
            "X_test",
            "the test loss needs samples that are held out. Give X_test and y_test, or "
            "test_fraction; to train on all samples, give X and y once more",
        )
    _check_split(given)
    inputs, labels = _pair(given, *HELD_OUT, outputs)
    if inputs.shape[1] != dim:
        refuse("X_test", f"samples of as many inputs as X ({dim})", f"samples of {inputs.shape[1]}")
    return inputs, labels


def _divided(inputs: Array, labels: Array, given: Mapping[str, Any]) -> OwnSamples:
    """Return the samples in two random parts, which depend on ``test_split`` alone."""
    for name in HELD_OUT:
        if given[name] is not None:
            why = "both say which samples are held out"
            conflict("test_fraction", name, why, "Give one of them")
    allowed = "a number between 0 and 1"
    fraction = number(given["test_fraction"], "test_fraction", allowed)
    if not 0.0 < fraction < 1.0:
        refuse("test_fraction", allowed, fraction)
    split = integer(given["test_split"], "test_split")
    if split < 0:
        refuse("test_split", "0, 1, ...", split)
    samples = len(inputs)
    count = round(fraction * samples)
    if not 0 < count < samples:
        allowed = f"a fraction that leaves samples in both parts of {samples}"
        refuse("test_fraction", allowed, fraction)
    order = np.random.default_rng(split).permutation(samples)
    test, rest = np.sort(order[:count]), np.sort(order[count:])
    return OwnSamples(inputs[rest], labels[rest], inputs[test], labels[test])


def _check_sizes(samples: OwnSamples, problem: Problem, dim: int | None) -> None:
    """Refuse a problem whose sizes are not those of the samples."""
    data, inputs = problem.data, samples.dim
    for field, value in {"dim": dim, "data.inputs": data.inputs}.items():
        if value is not None and value != inputs:
            refuse(field, f"the number of inputs in X ({inputs})", value)
    counted = data.spectrum.trace_class
    amount = data.samples if counted else data.alpha * inputs
    count = len(samples.inputs)
    if np.isinf(amount) or round(amount) != count:
        field = "data.samples" if counted else "data.alpha"
        of_alpha = "" if counted else f", samples = alpha * {inputs}"
        allowed = f"the amount of training samples that X gives ({count}{of_alpha})"
        refuse(field, allowed, amount if counted else data.alpha)

