"""Pictures have labels, can be read, and show the right numbers."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from label_places import label_heights
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import lindmft as lm
from lindmft.plotting.labels import End, label_ends, spread_out, within
from lindmft.plotting.losses import thinned
from lindmft.plotting.ticks import plain_ticks

mpl.use("Agg")
PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
STEPS = 60


@pytest.fixture(scope="module")
def theory() -> lm.Solution:
    return lm.solve(PROBLEM, STEPS)


@pytest.fixture(scope="module")
def runs() -> lm.Ensemble:
    return lm.train(PROBLEM, STEPS, dim=48, seeds=5)


def new_axes() -> Axes:
    axes: Axes = Figure(layout="constrained").subplots()
    return axes


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    box = ax.get_legend()
    return [] if box is None else [text.get_text() for text in box.get_texts()]


def test_comparison_is_labelled_and_says_what_is_what(
    theory: lm.Solution, runs: lm.Ensemble, tmp_path: Path
) -> None:
    ax = lm.plotting.compare(theory, runs, new_axes())
    assert ax.get_xlabel() == "step t"
    assert ax.get_ylabel() == "loss, units of target power (test: excess)"
    assert legend(ax) == [
        "theory",
        "mean of 5 networks, D = 48",
        "training loss",
        "one network: standard deviation",
    ]
    assert sorted(texts(ax)) == ["test", "train"]
    assert ax.get_yscale() == "log"
    ax.figure.savefig(tmp_path / "both.png")
    assert (tmp_path / "both.png").stat().st_size > 5000


def test_lines_are_the_theory(theory: lm.Solution) -> None:
    test, train = lm.plotting.losses(theory, new_axes()).get_lines()
    np.testing.assert_array_equal(test.get_ydata(), theory.test_loss)
    np.testing.assert_array_equal(train.get_ydata(), theory.train_loss)
    np.testing.assert_array_equal(test.get_xdata(), theory.time)
    assert test.get_linestyle() != train.get_linestyle()
    assert test.get_color() != train.get_color()


def test_points_are_the_means_with_standard_errors(runs: lm.Ensemble) -> None:
    ax = lm.plotting.losses(runs, new_axes())
    for container, name in zip(ax.containers, ["test_loss", "train_loss"], strict=True):
        points, _, (bars,) = container.lines
        shown = points.get_xdata().astype(int)
        mean, error = getattr(runs.mean(), name), getattr(runs.sem(), name)
        np.testing.assert_array_equal(points.get_ydata(), mean[shown])
        lengths = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
        np.testing.assert_allclose(lengths, 2 * error[shown])
    first, second = (container.lines[0] for container in ax.containers)
    assert first.get_marker() != second.get_marker()


def test_colour_and_labels_can_be_chosen(theory: lm.Solution) -> None:
    ax = lm.plotting.losses(theory, new_axes(), colour="#123456", labels=False)
    assert {line.get_color() for line in ax.get_lines()} == {"#123456"}
    assert texts(ax) == legend(ax) == []


def test_without_axes_a_figure_is_made(theory: lm.Solution) -> None:
    from matplotlib import pyplot

    ax = lm.plotting.losses(theory)
    assert ax.figure.number in pyplot.get_fignums()
    pyplot.close("all")


def test_units_follow_the_target() -> None:
    spectrum = lm.Discrete([2.0, 0.5], [3, 1], [0.5, 0.5])
    problem = PROBLEM.replace(**{"data.spectrum": spectrum})
    ax = lm.plotting.losses(lm.solve(problem, 5), new_axes())
    assert ax.get_ylabel() == "loss, units of $y^2$ (test: excess)"


def test_divergence_is_drawn_up_to_its_step_and_said() -> None:
    problem = PROBLEM.replace(**{"optimizer.lr": 1.0})
    theory = lm.solve(problem, STEPS)
    ax = lm.plotting.losses(theory, new_axes())
    assert [len(line.get_xdata()) for line in ax.get_lines()] == [theory.diverged_at] * 2
    assert texts(ax) == ["test, diverges", "train, diverges"]
    runs = lm.train(problem, STEPS, dim=16, seeds=3)
    ax = lm.plotting.compare(theory, runs, new_axes())
    ax.figure.savefig("/dev/null", format="png")


def test_one_network_and_one_step_can_be_drawn(tmp_path: Path) -> None:
    theory, runs = lm.solve(PROBLEM, 1), lm.train(PROBLEM, 1, dim=16, seeds=1)
    lm.plotting.compare(theory, runs, new_axes()).figure.savefig(tmp_path / "point.png")


def test_different_problems_are_not_drawn_together(theory: lm.Solution, runs: lm.Ensemble) -> None:
    with pytest.raises(ValueError, match=r"optimizer\.lr must be the same"):
        lm.plotting.compare(lm.solve(PROBLEM.replace(**{"optimizer.lr": 0.1}), STEPS), runs)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 1000])
def test_points_are_thinned_evenly_on_the_axis(steps: int) -> None:
    shown = thinned(steps)
    assert shown[0] == 0
    assert shown[-1] == steps - 1
    assert (np.diff(shown) > 0).all()
    assert len(shown) <= min(steps, 25)
    if steps == 1000:
        ratios = shown[shown >= 30][1:] / shown[shown >= 30][:-1]
        assert ratios.max() / ratios.min() < 1.1


def test_labels_never_overlap() -> None:
    heights = spread_out([0.0, 1.0, 2.0, 50.0, 51.0, 100.0], 10.0)
    assert (np.diff(heights) >= 10.0 - 1e-9).all()
    assert heights[-1] == 100.0
    assert np.mean(heights[:3]) == pytest.approx(1.0)
    ax = new_axes()
    ax.plot([0, 1], [0, 1])
    label_ends(ax, [End(1, 1.0, "upper", "k"), End(1, 1.0, "lower", "k")])
    offsets = sorted(text.xyann[1] for text in ax.texts)
    assert offsets[1] - offsets[0] == pytest.approx(11.0)


def test_labels_that_moved_are_joined_to_their_lines() -> None:
    ax = new_axes()
    ax.plot([0, 1], [0, 1])
    label_ends(ax, [End(1, 0.2, "one", "k"), End(1, 0.8, "other", "k")])
    assert all(text.arrow_patch is None for text in ax.texts)
    crowded = new_axes()
    crowded.plot([0, 1], [0, 1])
    label_ends(crowded, [End(1, 0.5, str(i), "k") for i in range(5)])
    assert all(text.arrow_patch is not None for text in crowded.texts)
    assert len({text.xyann[0] for text in crowded.texts}) == 1  # in one column


def test_labels_stay_beside_the_axes() -> None:
    """Labels of lines that end at the lower edge do not overlap the numbers of the axis."""
    ax = new_axes()
    ax.plot([0, 1], [0, 1])
    ax.set_ylim(0, 1)
    label_ends(ax, [End(1, 0.001 * i, str(i), "k") for i in range(6)])
    ax.figure.canvas.draw()
    heights = label_heights(ax)
    assert heights[0] > -1e-9
    assert np.allclose(np.diff(heights), 11)
    assert within([0.0, 10.0, 20.0], 5.0, 100.0, 10.0) == [5.0, 15.0, 25.0]
    assert within([80.0, 95.0, 105.0], 0.0, 100.0, 10.0) == [80.0, 90.0, 100.0]


@pytest.mark.parametrize("low", [3e-7, 0.013, 0.7, 8.0, 900.0])
@pytest.mark.parametrize("ratio", [1.2, 1.6, 3.0, 9.0, 40.0, 1e3, 1e7])
def test_logarithmic_axes_have_three_numbers_at_least(low: float, ratio: float) -> None:
    ax = new_axes()
    ax.set_yscale("log")
    plain_ticks(ax.yaxis)
    ax.set_ylim(low, ratio * low)
    ax.figure.canvas.draw()
    shown = [
        label.get_text()
        for value, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
        if low <= value <= ratio * low and label.get_text()
    ]
    assert len(shown) >= 3
    assert len(shown) <= 12
    assert len(set(shown)) == len(shown)


def test_what_is_zero_or_missing_is_left_out_of_pictures() -> None:
    """Centered losses without target and noise are zero, and two of three kernels do not exist."""
    nothing = {"kind": "discrete", "eigenvalues": [1.0], "target_power": [0.0], "weights": [1.0]}
    data = {"kind": "full_batch", "alpha": 2.0, "spectrum": nothing}
    network = {"kind": "mlp", "depth": 2, "centered": True}
    problem = lm.Problem.from_dict({"network": network, "data": data, "optimizer": {"lr": 0.1}})
    theory = lm.solve(problem, 8, kernels=True, replicas=True)
    runs = lm.train(problem, 8, dim=16, seeds=3, kernels=True)
    coarse = lm.solve(problem, 300, grid="adaptive")
    for result in (theory, coarse, runs):
        axes = lm.plotting.losses(result)
        assert not axes.texts
        axes.figure.canvas.draw()
    assert [text.get_text() for text in lm.plotting.kernels(theory, runs).texts] == [
        "random direction"
    ]
    for axes in (lm.plotting.compare(theory, runs), lm.plotting.variances(theory)):
        axes.figure.canvas.draw()
