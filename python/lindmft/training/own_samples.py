"""Samples that users give to ``train``: checked, and divided where a part of them is held out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft import _core
from lindmft._internal.refusals import at_index
from lindmft._internal.types import Array
from lindmft._internal.validation import (
    conflict,
    flag,
    integer,
    missing,
    number,
    real_array,
    refuse,
)
from lindmft.problem.problem import Problem
from lindmft.training.finite import all_finite, finite

__all__ = ["OwnSamples", "all_settled", "settled"]

HELD_OUT = ("X_test", "y_test")
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

    def as_options(self) -> dict[str, Any]:
        """Return the option of the compiled module."""
        return {"samples": (self.inputs, self.labels, self.test_inputs, self.test_labels)}


def settled(
    problem: Problem, given: Mapping[str, Any]
) -> tuple[_core.Problem, int, dict[str, Any]]:
    """Return the compiled module's problem, the dimension, and options with given samples."""
    samples = own_samples(given)
    if samples is None:
        return (*finite(problem, given["dim"]), {})
    _check_fit(samples, problem, given["dim"])
    return problem.as_core(), samples.dim, samples.as_options()


def all_settled(
    problems: list[Problem], given: Mapping[str, Any]
) -> tuple[list[_core.Problem], int, dict[str, Any]]:
    """Return the same for many problems, which have the samples in common."""
    samples = own_samples(given)
    if samples is None:
        return (*all_finite(problems, given["dim"]), {})
    for i, problem in enumerate(problems):
        try:
            _check_fit(samples, problem, given["dim"])
        except ValueError as error:
            raise at_index(error, i) from error
    return [problem.as_core() for problem in problems], samples.dim, samples.as_options()


def own_samples(given: Mapping[str, Any]) -> OwnSamples | None:
    """Return the samples among the arguments of a call; None if there are none."""
    if given["X"] is None:
        for name in ("y", *HELD_OUT, "test_fraction"):
            if given[name] is not None:
                why = "it belongs to samples that are given"
                conflict(name, "X=None", why, f"Give X, or leave {name} out")
        _check_split(given)
        return None
    inputs, labels = _pair(given, "X", "y")
    _check_others(given)
    if given["test_fraction"] is not None:
        return _divided(inputs, labels, given)
    return OwnSamples(inputs, labels, *_held_out(given, inputs.shape[1], labels.shape[1]))


def _check_others(given: Mapping[str, Any]) -> None:
    """Refuse options that make no sense for given samples."""
    target = "the samples have no known target direction"
    pairs = "replicas have separate random samples"
    draws = np.asarray(given["noise_draw"], dtype=object)
    found = {
        "kernels": (flag(given.get("kernels", False), "kernels"), target),
        "modes": (flag(given.get("modes", False), "modes"), target),
        "spectrum_at": (given.get("spectrum_at") is not None, target),
        "noise_draw": (bool(np.any(draws != 0)), "y contains the noise"),
        "checkpoint": (given.get("checkpoint") is not None, "the file does not hold the samples"),
        "k_init": (given.get("k_init") is not None, pairs),
        "k_data": (given.get("k_data") is not None, pairs),
    }
    for name, (asked, why) in found.items():
        if asked:
            conflict(name, "X", why, f"Leave {name} out")


def _check_split(given: Mapping[str, Any]) -> None:
    """Refuse the number of a random split where nothing is split."""
    if given["test_fraction"] is None and _split(given) != 0:
        why = "it is the number of a random split"
        conflict("test_split", "test_fraction=None", why, "Give test_fraction, or leave it out")


def _split(given: Mapping[str, Any]) -> int:
    split = integer(given["test_split"], "test_split")
    if split < 0:
        refuse("test_split", "0, 1, ...", split)
    return split


def _pair(given: Mapping[str, Any], inputs: str, labels: str) -> tuple[Array, Array]:
    """Return inputs (P, D) and labels (P, C)."""
    if given[labels] is None:
        missing(labels, f"give the labels of the samples {inputs}")
    x = _finite(given[inputs], inputs, MATRIX)
    y = _finite(given[labels], labels, LABELS)
    if x.ndim != 2 or 0 in x.shape:
        refuse(inputs, MATRIX, given[inputs])
    if y.ndim not in {1, 2} or 0 in y.shape:
        refuse(labels, LABELS, given[labels])
    if len(y) != len(x):
        allowed = f"of length {len(x)}, one label for each row of {inputs}"
        refuse(labels, allowed, y)
    return x, y.reshape(len(x), -1)


def _finite(value: Any, field: str, allowed: str) -> Array:
    array = real_array(value, field, allowed)
    with np.errstate(over="ignore"):  # numbers of longer types than doubles can become inf
        array = np.asarray(array, dtype=float, order="C")
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
    inputs, labels = _pair(given, *HELD_OUT)
    if inputs.shape[1] != dim:
        refuse("X_test", f"a matrix with as many columns as X ({dim})", inputs)
    if labels.shape[1] != outputs:
        refuse("y_test", f"labels of as many outputs as y ({outputs})", labels)
    return inputs, labels


def _divided(inputs: Array, labels: Array, given: Mapping[str, Any]) -> OwnSamples:
    """Return the samples in two random parts, which depend on ``test_split`` alone."""
    for name in HELD_OUT:
        if given[name] is not None:
            why = "both say which samples are held out"
            conflict(name, "test_fraction", why, "Give one of them")
    allowed = "a number between 0 and 1"
    fraction = number(given["test_fraction"], "test_fraction", allowed)
    if not 0.0 < fraction < 1.0:
        refuse("test_fraction", allowed, fraction)
    split = _split(given)
    samples = len(inputs)
    count = round(fraction * samples)
    if not 0 < count < samples:
        allowed = f"a fraction that leaves samples in both parts of {samples}"
        refuse("test_fraction", allowed, fraction)
    order = np.random.default_rng(split).permutation(samples)
    test, rest = np.sort(order[:count]), np.sort(order[count:])
    return OwnSamples(inputs[rest], labels[rest], inputs[test], labels[test])


def _check_fit(samples: OwnSamples, problem: Problem, dim: Any) -> None:
    """Refuse a problem whose kind of data, or whose sizes, are not those of the samples."""
    data, inputs = problem.data, samples.dim
    if data.kind not in {"full_batch", "multi_pass", "epochs"}:
        conflict(
            "X",
            f"data of the kind {data.kind!r}",
            "it takes new samples in every step",
            "Use FullBatch, MultiPass or Epochs; the first epoch of Epochs passes through the "
            "samples once",
        )
    if samples.labels.shape[1] != data.outputs:
        refuse(
            "y", f"labels of as many outputs as the problem has ({data.outputs})", samples.labels
        )
    for field, value in {"dim": dim, "data.inputs": data.inputs}.items():
        if value is not None and number(value, field, "a number or None") != inputs:
            refuse(field, f"the number of inputs in X ({inputs})", value)
    counted = data.spectrum.trace_class
    field = "data.samples" if counted else "data.alpha"
    given = float(getattr(data, "samples" if counted else "alpha"))
    amount = given if counted else given * inputs
    count = len(samples.inputs)
    if np.isinf(amount) or round(amount) != count:
        of_alpha = "" if counted else f", samples = alpha * {inputs}"
        refuse(field, f"the amount of training samples that X gives ({count}{of_alpha})", given)
