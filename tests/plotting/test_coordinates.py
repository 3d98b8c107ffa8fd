"""The picture of a coordinate check has labels, can be read, and shows the right numbers."""

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import lindmft as lm
from lindmft.plotting.style import COLOURS

mpl.use("Agg")
PROBLEM = lm.Problem(lm.MLP(depth=3), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
WIDTHS = [1, 2, 4, math.inf]
COLUMNS = ("features", "feature_updates", "gradients", "gradient_updates")


@pytest.fixture(scope="module")
def check() -> lm.CoordinateCheck:
    return lm.coordinate_check(PROBLEM, WIDTHS, 21, dim=32, seeds=4)


@pytest.fixture(scope="module")
def panels(check: lm.CoordinateCheck) -> np.ndarray:
    return lm.plotting.coordinates(check)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def theory_lines(ax: Axes) -> list[mpl.lines.Line2D]:
    """Return the lines over finite widths, without marks at infinity, points and the guide."""
    return [line for line in ax.get_lines() if line.get_linewidth() == 1.6]


def test_panels_are_named(panels: np.ndarray, tmp_path: Path) -> None:
    assert panels.shape == (2, 4)
    assert [ax.get_title() for ax in panels[0]] == [
        "features $h^{3}$",
        "updates $h^{3}(t) - h^{3}(0)$",
        "gradients $g^{1}$",
        "updates $g^{1}(t) - g^{1}(0)$",
    ]
    assert [ax.get_ylabel() for ax in panels[:, 0]] == [
        "muP\nrms of an entry",
        "NTK\nrms of an entry",
    ]
    assert {ax.get_xlabel() for ax in panels[1]} == {"width $N / D$"}
    assert {(ax.get_xscale(), ax.get_yscale()) for ax in panels.flat} == {("log", "log")}
    ticks = [label.get_text() for label in panels[1, 0].get_xticklabels()]
    assert ticks == ["1", "2", "4", r"$\infty$"]
    figure = panels[0, 0].figure
    assert figure.get_supxlabel() == "lines: theory; points: 4 networks of D = 32 at each width"
    figure.savefig(tmp_path / "check.png")
    assert (tmp_path / "check.png").stat().st_size > 20000


def test_lines_are_the_theory(check: lm.CoordinateCheck, panels: np.ndarray) -> None:
    for row in range(2):
        for column, name in enumerate(COLUMNS):
            layer = 2 if name.startswith("feature") else 0
            drawn = [0, 1, 2, 4, 5] if column % 2 == 0 else [1, 2, 4, 5]  # of 0 1 2 5 10 20
            lines = theory_lines(panels[row, column])
            assert len(lines) == len(drawn)
            for line, t in zip(lines, drawn, strict=True):
                expected = getattr(check.theory, name)[row, :3, layer, t]
                np.testing.assert_array_equal(line.get_ydata(), expected)
                np.testing.assert_array_equal(line.get_xdata(), WIDTHS[:3])


def test_points_are_the_networks_with_errors(check: lm.CoordinateCheck, panels: np.ndarray) -> None:
    assert check.training is not None
    assert check.errors is not None
    last = panels[1, 3].containers[-1]
    points, _, (bars,) = last.lines
    seen = check.training.gradient_updates[1, :3, 0, -1]
    np.testing.assert_array_equal(points.get_ydata(), seen)
    lengths = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
    np.testing.assert_allclose(lengths, 2 * check.errors.gradient_updates[1, :3, 0, -1])


def test_steps_are_told_apart_without_colour(panels: np.ndarray) -> None:
    lines = theory_lines(panels[0, 0])
    assert [line.get_color() for line in lines] == list(COLOURS[:5])
    assert len({str((line.get_linestyle(), line._dash_pattern)) for line in lines}) == 5
    assert sorted(texts(panels[0, 0])) == ["t = 0", "t = 1", "t = 10", "t = 2", "t = 20"]
    assert "t = 0" not in texts(panels[0, 1])  # nothing has moved
    assert "width$^{-1/2}$" in texts(panels[1, 3])
    colours = {line.get_color() for line in theory_lines(panels[0, 1])}
    assert colours == set(COLOURS[1:5])  # the same step, the same colour


def test_infinity_has_a_mark_unless_nothing_moves(
    check: lm.CoordinateCheck, panels: np.ndarray
) -> None:
    def marks(ax: Axes) -> list[float]:
        chosen = [line for line in ax.get_lines() if line.get_marker() == "_"]
        return [y for line in chosen for y in line.get_ydata()]

    expected = check.theory.gradient_updates[0, -1, 0, [1, 2, 4, 5]]
    np.testing.assert_array_equal(marks(panels[0, 3]), expected)
    assert marks(panels[1, 3]) == []


def test_a_layer_and_axes_can_be_chosen() -> None:
    check = lm.coordinate_check(PROBLEM, [1, 2], 5, scalings={"own": {"network.gamma0": 0.5}})
    axes = Figure().subplots(1, 4, squeeze=False)
    panels = lm.plotting.coordinates(check, axes, layer=2)
    assert (panels == axes).all()
    assert panels[0, 3].get_title() == "updates $g^{2}(t) - g^{2}(0)$"
    line = theory_lines(panels[0, 2])[-1]
    np.testing.assert_array_equal(line.get_ydata(), check.theory.gradients[0, :, 1, -1])
    assert all(len(ax.containers) == 0 for ax in panels.flat)


def test_divergence_leaves_lines_out() -> None:
    fast = PROBLEM.replace(**{"optimizer.lr": 3.0})
    panels = lm.plotting.coordinates(lm.coordinate_check(fast, [1, 2], 40))
    for ax in panels.flat:
        assert all(np.isfinite(line.get_ydata()).all() for line in ax.get_lines())
        assert "t = 39" not in texts(ax)


def test_bad_input_leaves_no_figure(check: lm.CoordinateCheck) -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    with pytest.raises(ValueError, match="^layer must be a whole number from 1 to 3, got 4"):
        lm.plotting.coordinates(check, layer=4)
    with pytest.raises(ValueError, match=r"^axes must be an array of axes of shape \(2, 4\)"):
        lm.plotting.coordinates(check, Figure().subplots(1, 4))
    assert pyplot.get_fignums() == before
