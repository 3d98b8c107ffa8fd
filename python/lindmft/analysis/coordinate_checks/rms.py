"""Rms sizes of features and gradients, and of their updates since initialization.

Those of the theory come from two-time correlations, those of training from recorded series.
Everything here is per hidden unit; several outputs are added, as in the norms.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.types import Array, Mask
from lindmft.results.ensemble import Ensemble
from lindmft.results.layers import Layers
from lindmft.results.solution import Solution

SERIES = {
    "features": "feature_norm",
    "feature_updates": "feature_update",
    "gradients": "gradient_norm",
    "gradient_updates": "gradient_update",
}
"""Names of rms values, with the names of their squares in an ensemble."""
RESOLVED_UPDATE = 1e-13
"""Fraction of the squares whose difference is an update, below which that is rounding."""

Rms: TypeAlias = dict[str, Array]
"""Arrays (L, m) by name: layers and the requested times."""


def theoretical(solution: Solution, times: NDArray[np.int_]) -> Rms:
    """Roots of C(t, t) and C(t, t) - 2 C(t, 0) + C(0, 0) of C_h and C_g; inf past a divergence."""
    channels = solution.channels or (solution,)
    features = [_squares(channel.C_h, times) for channel in channels]
    gradients = [_squares(channel.C_g, times) for channel in channels]
    squares = [np.sum(kind, axis=0) for kind in (features, gradients)]
    values = np.sqrt(np.concatenate(squares))
    return dict(zip(SERIES, values, strict=True))


def _squares(correlations: Layers, times: NDArray[np.int_]) -> Array:
    """(2, L, m): the norms and the updates of the layers from the first on."""
    kept = [correlations[layer] for layer in sorted(correlations) if layer > 0]
    out = np.full((2, len(kept), len(times)), np.inf)
    valid = times < len(kept[0])
    t = times[valid]
    if not len(t):
        return out
    for layer, C in enumerate(kept):
        ends = C[t, t] + C[0, 0]
        moved = ends - 2 * C[t, 0]
        out[0, layer, valid] = np.maximum(C[t, t], 0.0)  # rounding may make zero negative
        # Vectors that have not moved differ by rounding errors, which are no update.
        out[1, layer, valid] = np.where(moved > RESOLVED_UPDATE * ends, moved, 0.0)
    return out


def measured(runs: Ensemble, times: NDArray[np.int_]) -> tuple[Rms, Rms]:
    """The root of the mean square over networks, and its standard error."""
    mean, error = runs.mean(), runs.sem()
    values: Rms = {}
    errors: Rms = {}
    for name, series in SERIES.items():
        square, spread = getattr(mean, series)[:, times], getattr(error, series)[:, times]
        values[name] = root = np.sqrt(square)
        # d sqrt(x) = dx / (2 sqrt(x)); nothing is uncertain about an update at t = 0
        known = np.isfinite(spread) & (root > 0)
        rest = np.where(root > 0, np.inf, 0.0)
        errors[name] = np.divide(spread, 2 * root, out=rest, where=known)
    return values, errors


def slopes(widths: Sequence[float], values: Array) -> Array:
    """D log value / d log width (scaling, layer, m) of (scaling, width, layer, m).

    Least squares over the wider half of the finite widths; inf where a value there is 0 or inf.
    """
    sizes = np.array(widths)
    finite = np.isfinite(sizes)
    chosen = np.log(sizes[finite])
    first = first_fitted(len(chosen))
    x = chosen[first:] - chosen[first:].mean()
    y = values[:, finite][:, first:]
    usable: Mask = np.asarray((np.isfinite(y) & (y > 0)).all(axis=1))
    logs = np.log(np.where(usable[:, None], y, 1.0))
    return np.where(usable, np.tensordot(x, logs, axes=(0, 1)) / (x @ x), np.inf)


def first_fitted(count: int) -> int:
    """The index of the first of ``count`` widths to which slopes are fitted."""
    return min(count // 2, count - 2)
