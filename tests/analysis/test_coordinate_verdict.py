"""The sentences of the coordinate check: what is a power, what a limit, and what no difference."""

from typing import Any

import numpy as np
import pytest

from lindmft.analysis.coordinate_checks.rms import first_fitted, slopes
from lindmft.analysis.coordinate_checks.verdict import Trend, sentence

WIDTHS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])


def trend(updates: Any, **more: Any) -> Trend:
    """The trend of updates, given by layer as functions of the width."""
    widths = more.pop("widths", WIDTHS)
    table = np.array([update(widths) for update in updates]).T
    fitted = slopes(list(widths), table[None, :, :, None])[0, :, 0]
    first = first_fitted(len(widths))
    return Trend(widths, table, np.ones(table.shape), fitted, first, **more)


def power(slope: float) -> Any:
    return lambda width: width**slope


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            [-0.05, 0.09],
            "stay of order one with width (slopes -0.05 to 0.09): all widths from 4 to 16",
        ),
        ([-0.5, -0.5], "shrink like width^(-0.50): wider networks are lazier (widths 4 to 16)."),
        ([0.2, 0.3], "grow like width^(0.20 to 0.30): wider networks move more (widths 4 to 16)."),
        (
            [-0.3, 0.0],
            "depend on width differently in different layers (slopes -0.30 to 0.00 ± 0.0",
        ),
        ([-0.11, -0.1], "shrink like width^(-0.11 to -0.10): wider networks are lazier"),
        ([-0.105, -0.08], "stay of order one with width (slopes -0.11 to -0.08)"),
        ([-13.0], "are rounding, below 1e-05 of the gradients: no verdict."),
    ],
)
def test_powers(found: list[float], said: str) -> None:
    """The last but two: a difference below the uncertainty is none."""
    assert f"x {said}" in sentence(trend([power(slope) for slope in found]), "x")


def test_a_limit_is_no_power() -> None:
    falling = [lambda width: np.sqrt(1 + 8 / width)]
    unknown = sentence(trend(falling), "x")
    assert "lazier (widths 4 to 16)" in unknown
    assert "Wider networks may differ" in unknown, "the slope changes by more than 0.1"
    assert "may differ" not in sentence(trend([power(-0.5)]), "x")
    known = sentence(trend(falling, limit=np.ones(1)), "x")
    assert known.startswith("x fall with width here (slopes -0.25, widths 4 to 16), but level off")
    assert "at width 16 updates are still 1.22 times those at infinite width" in known
    wide = sentence(trend([lambda width: 1 + 1 / width**2], limit=np.array([0.9])), "x")
    assert "all widths from 4 to 16 learn alike" in wide
    rising = trend([lambda width: 1 / (1 + 8 / width)], widths=4 * WIDTHS, limit=np.array([0.98]))
    assert "from width 64 on within 10 % of infinite width." in sentence(rising, "x")


def test_laziness_is_confirmed_at_infinite_width() -> None:
    lazy = trend([power(-0.5)], limit=np.zeros(1))
    assert sentence(lazy, "x").endswith("They vanish at infinite width.")
    lost = trend([power(-0.5)], limit=np.full(1, np.inf))
    assert "vanish" not in sentence(lost, "x")
    two = trend([power(-0.5)], widths=WIDTHS[:2])
    assert "Wider networks may differ" in sentence(two, "x")


def test_the_predictor_at_the_start_is_named_if_it_matters() -> None:
    falling = [lambda width: np.sqrt(1 + 8 / width)]
    for initial, named in ((8 / WIDTHS, True), (0.1 / WIDTHS, False), (8 + 0 * WIDTHS, False)):
        said = sentence(trend(falling, limit=np.ones(1), initial=initial), "x")
        assert ("whose power is 2 times the target's at width 4" in said) == named
