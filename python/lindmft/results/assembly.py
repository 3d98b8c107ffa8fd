"""Fields of a ``Solution`` from arrays by name: the compiled module and files give such arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

from lindmft._internal.types import Array
from lindmft.results.layers import Layers
from lindmft.results.observables import LAYERED, SOLUTION
from lindmft.results.replicas import Replicas


def observables_from(
    arrays: Mapping[str, Array | Sequence[Array]], *, in_channels: bool = False
) -> dict[str, Any]:
    """Return the fields that hold these observables.

    Functions of layers, which come as lists, become ``Layers``; overlaps of networks become
    ``Replicas``. ``in_channels`` says that the functions are those of several channels.
    """
    found: dict[str, Any] = {
        name: array for name, array in arrays.items() if not SOLUTION[name].part
    }
    found |= {name: Layers(name, arrays.get(name, ()), in_channels=in_channels) for name in LAYERED}
    overlaps: dict[str, Any] = {
        name: array for name, array in arrays.items() if SOLUTION[name].part == "replicas"
    }
    if overlaps:
        found["replicas"] = Replicas(found["test_loss"], **overlaps)
    return found
