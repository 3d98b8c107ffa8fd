"""Going on from a solution, also with a compiled module that cannot: there, by solving anew."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lindmft import _core

NEEDED = {
    "time",
    "panels",
    "test_loss",
    "train_loss",
    "term_target",
    "term_init",
    "term_data",
    "feature_norm",
    "gradient_norm",
    "depth",
    "diverged_at",
    "stats",
    "state",
    "channels",
    "channel",
}


def install() -> None:
    """Replace ``_core.solve`` and ``_core.flow`` where they have no ``continue_from``."""
    if "continue_from" not in (_core.solve.__doc__ or ""):
        _core.solve, _core.flow = _resumable(_core.solve), _resumable(_core.flow)


def _resumable(real: Callable[..., Any]) -> Callable[..., Any]:
    def computed(problem: Any, end: float, **options: Any) -> Any:
        """With keep_state and continue_from."""
        keep, start = options.pop("keep_state", False), options.pop("continue_from", None)
        if start is not None:
            for part in start["channels"] or [start]:
                assert part.keys() >= NEEDED
                np.testing.assert_array_equal(part["state"]["times"][0], part["time"])
        result = real(problem, end, **options)
        if keep and result["diverged_at"] is None:
            for part in result["channels"] or [result]:
                part["state"] = {"times": part["time"][None, :].copy()}
        return result

    return computed
