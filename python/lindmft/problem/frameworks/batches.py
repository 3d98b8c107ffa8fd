"""Sizes and batches of a loop, as a user of PyTorch gives them, and the data of a problem."""

import math
from typing import Any

from lindmft._internal.validation import (
    conflict,
    integer,
    is_list,
    missing,
    refuse,
    tuple_of_numbers,
)
from lindmft.problem.data import Data, Epochs, FullBatch, MultiPass, OnePass
from lindmft.problem.frameworks.layers import Sizes
from lindmft.problem.sizes import count, whole
from lindmft.problem.spectrum import Discrete, PowerLaw, Spectrum

__all__ = ["ORDERS", "read_data_of_loop", "read_sizes", "whole_number"]

ORDERS = ("shuffled", "replacement", "subsets")
"""Ways in which a loop draws batches from its samples."""


def whole_number(value: Any, field: str) -> int:
    """Return a whole number of at least 1 that arrays can have as their size."""
    return integer(whole(value, field), field)


def read_sizes(inputs: Any, hidden: Any, depth: Any, spectrum: Spectrum) -> Sizes:
    """Return the sizes of a network from the arguments of ``from_pytorch``."""
    units = _hidden(hidden)
    if depth is not None:
        layers = whole_number(depth, "depth")
        if len(units) not in {1, layers}:
            refuse("depth", f"the number of hidden layers in hidden ({len(units)})", depth)
        units = units * layers if len(units) == 1 else units
    return Sizes(_inputs(inputs, spectrum), units, spectrum.trace_class)


def _hidden(hidden: Any) -> tuple[int, ...]:
    if not is_list(hidden):
        return (whole_number(hidden, "hidden"),)
    values = tuple_of_numbers(hidden, "hidden")
    if not values:
        refuse("hidden", "the number of hidden units, or a list with one per hidden layer", hidden)
    return tuple(whole_number(value, f"hidden[{layer}]") for layer, value in enumerate(values))


def _inputs(inputs: Any, spectrum: Spectrum) -> int:
    """Return D, which a trace-class spectrum has as its number of modes."""
    if not spectrum.trace_class:
        if inputs is None:
            missing("inputs", "the number of inputs of the first layer decides its scale")
        return whole_number(inputs, "inputs")
    modes = _modes(spectrum)
    if inputs is not None and whole_number(inputs, "inputs") != modes:
        refuse("inputs", f"the number of modes in the spectrum ({modes})", inputs)
    return modes


def _modes(spectrum: Spectrum) -> int:
    if isinstance(spectrum, Discrete):
        return max(1, round(math.fsum(spectrum.weights or ())))
    return spectrum.modes if isinstance(spectrum, PowerLaw) else 1


def read_data_of_loop(sizes: Sizes, samples: Any, batch: Any, order: str, kept: Any) -> Data:
    """Return the data of a problem; ``kept`` has the spectrum, targets and noise."""
    amount = None if samples is None else count(samples, "samples")
    size = None if batch is None else count(batch, "batch")
    given = {**kept, **({} if sizes.trace_class else {"inputs": sizes.inputs})}
    if amount is None:
        if size is None:
            missing("samples", "give the number of samples, or batch for fresh ones in every step")
        return OnePass(batch=size, **given)
    if size is None or size == amount:
        return FullBatch(samples=amount, **given)
    if math.inf in (amount, size):
        conflict(
            "batch",
            "an infinite number of samples",
            "all samples are new then",
            "Leave samples out for fresh samples in every step",
        )
    if order == "replacement":
        # Each sample's number of visits has the variance of a fraction q of which 1/q - 1 = P/B.
        return MultiPass(samples=amount, batch_fraction=size / (size + amount), **given)
    if size > amount:
        refuse("batch", f"at most samples ({amount})", batch)
    if order == "subsets":
        return MultiPass(samples=amount, batch_fraction=size / amount, **given)
    if amount % size:
        allowed = f"a divisor of samples ({amount}), as with drop_last=True and other samples"
        refuse("batch", allowed, batch)
    return Epochs(samples=amount, batch=size, **given)
