"""Pictures of the learning curves of modes."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import lindmft as lm

SPECTRUM = lm.Discrete([3.0, 1.0, 0.3], target_power=[1.0, 0.0, 2.0], weights=[0.2, 0.3, 0.5])
PROBLEM = lm.Problem(
    lm.MLP(depth=2, centered=True),
    lm.FullBatch(alpha=2.0, noise=0.3, spectrum=SPECTRUM),
    lm.SGD(lr=0.05),
)
THEORY = lm.solve(PROBLEM, 30, modes=True)
RUNS = lm.train(PROBLEM, 30, dim=20, seeds=3, modes=True)


@pytest.mark.parametrize("name", ["mode_learned", "mode_loss"])
def test_lines_are_the_theory_and_points_the_means(name: str) -> None:
    ax = lm.plotting.mode_curves(THEORY, RUNS, name, ax=Figure().subplots())
    lines = [line for line in ax.get_lines() if line.get_linestyle() == "-"]
    assert len(lines) == 3
    for k, line in enumerate(lines):
        drawn = dict(zip(*line.get_data(), strict=True))
        expected = dict(zip(THEORY.time, getattr(THEORY, name)[k], strict=True))
        assert drawn == {t: y for t, y in expected.items() if y > 0 or name == "mode_learned"}
        points = ax.containers[k].lines[0]
        steps = np.array(points.get_xdata(), int)
        mean = getattr(RUNS.mean(), name)[k]
        np.testing.assert_array_equal(points.get_ydata(), mean[steps])
    assert {text.get_text() for text in ax.texts} == {"mode 1", "mode 2", "mode 3"}
    box = ax.get_legend()
    assert box is not None
    assert [text.get_text() for text in box.get_texts()] == ["theory", "mean of 3 networks, D = 20"]
    assert ax.get_yscale() == ("log" if name == "mode_loss" else "linear")
    ax.figure.canvas.draw()


def test_the_first_modes_are_drawn() -> None:
    ax = lm.plotting.mode_curves(THEORY, count=2)
    assert len(ax.get_lines()) == 2
    coarse = lm.solve(PROBLEM, 300, grid="adaptive", modes=True)
    lm.plotting.mode_curves(coarse, name="mode_loss").figure.canvas.draw()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"theory": lm.solve(PROBLEM, 3)}, "^theory and runs must have learning curves of modes"),
        ({"runs": lm.train(PROBLEM, 3, dim=8, seeds=1)}, "^theory and runs must have learning"),
        ({"runs": THEORY}, "^runs must be an Ensemble or None"),
        ({"name": "test_loss"}, "^name must be"),
        ({"count": 0}, "^count must be at least 1, got 0"),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.plotting.mode_curves(**{"theory": THEORY, **arguments})
