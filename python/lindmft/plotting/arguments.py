"""Checks of the arguments of pictures: axes to draw in, and colours."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.optional import optional
from lindmft._internal.validation import instance, is_list, refuse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["colour_or_none", "given_axes", "given_grid", "given_pair"]


def given_axes(ax: Any, new: "Callable[[], Axes]") -> "Axes":
    """Return the axes to draw in, new ones for None."""
    return new() if ax is None else _axes(ax, "ax", "axes of matplotlib or None")


def given_pair(axes: Any, new: "Callable[[], tuple[Axes, Axes]]") -> "tuple[Axes, Axes]":
    """Return two axes to draw in, from a tuple, a list or an array; new ones for None."""
    if axes is None:
        return new()
    allowed = "a pair of axes of matplotlib or None"
    if not is_list(axes) or len(axes) != 2:
        refuse("axes", allowed, axes)
    left, right = (_axes(axes[i], "axes", allowed) for i in range(2))
    return left, right


def given_grid(axes: Any, shape: tuple[int, int]) -> "NDArray[Any] | None":
    """Return an array of axes to draw in, of this shape; None stays None."""
    if axes is None:
        return None
    allowed = f"an array of axes of shape {shape} or None"
    if not is_list(axes):
        refuse("axes", allowed, axes)
    try:
        grid = np.array(axes, object)
    except ValueError:  # the rows differ in length
        refuse("axes", allowed, axes)
    if grid.shape != shape:
        refuse("axes", allowed, axes)
    for ax in grid.flat:
        _axes(ax, "axes", allowed)
    return grid


def colour_or_none(value: Any, field: str) -> Any:
    """Return a colour in a form of matplotlib (a name, or three or four numbers), or None."""
    if value is None:
        return None
    known = optional("matplotlib.colors", "plot").is_color_like
    listed = is_list(value) and not any(isinstance(part, bool | np.bool_) for part in value)
    if not (isinstance(value, str) or listed) or not known(value):
        refuse(field, "a colour of matplotlib or None", value)
    return value


def _axes(ax: Any, field: str, allowed: str) -> "Axes":
    found: Axes = instance(ax, field, allowed, optional("matplotlib.axes", "plot").Axes)
    return found
