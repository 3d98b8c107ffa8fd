"""Pictures of sweeps, transfer, training time, compute and width show the numbers they get."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from label_places import label_heights
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from problems import problem

import lindmft as lm

BASE = lm.Problem.from_dict(problem())
AXES = {"network.width": [0.5, 2.0], "optimizer.lr": [0.02, 0.05, 0.1, 30.0]}


def new_axes(count: int = 1) -> Any:
    return Figure(layout="constrained").subplots(1, count)


@pytest.fixture(scope="module")
def swept() -> xr.Dataset:
    return lm.sweep(BASE, AXES, 20, run=["solve", "train"], dim=32, seeds=4)


def lines_of(ax: Axes, marker: str = "None") -> list[Any]:
    return [line for line in ax.get_lines() if line.get_marker() == marker]


def test_a_sweep_is_lines_and_points(swept: xr.Dataset) -> None:
    ax = lm.plotting.sweep(swept, ax=new_axes())
    first, second = lines_of(ax)
    for line, width in ((first, 0.5), (second, 2.0)):
        losses = swept.theory_test_loss.sel(width=width).isel(time=-1).values
        assert np.array_equal(line.get_xdata(), [0.02, 0.05, 0.1]), "the last one diverges"
        assert np.array_equal(line.get_ydata(), losses[:3])
    means = [container.lines[0].get_ydata() for container in ax.containers]
    expected = swept.training_test_loss.isel(time=-1).mean("seed").values[:, :3]
    assert np.allclose(means, expected)
    assert [cross.get_xdata()[0] for cross in lines_of(ax, "x")] == [30.0, 30.0]
    legend = ax.get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["0.5", "2", "theory", "mean of 4 networks", "diverges"]
    assert legend.get_title().get_text() == "width"
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "learning rate (lr)",
        "test loss at t = 19",
    )
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    ax.figure.canvas.draw()


def test_networks_that_diverge_are_left_out_of_the_mean(swept: xr.Dataset) -> None:
    one = swept.copy(deep=True)
    one.training_test_loss[0, 0, 0, -1] = np.inf
    ax = lm.plotting.sweep(one, ax=new_axes())
    expected = swept.training_test_loss[0, 0, 1:, -1].mean()
    assert np.isclose(ax.containers[0].lines[0].get_ydata()[0], expected)
    one.training_test_loss[0, 0, :3, -1] = np.inf
    ax = lm.plotting.sweep(one, ax=new_axes())
    assert ax.containers[0].lines[0].get_xdata()[0] == 0.05, "most of them have diverged"


def test_bars_are_standard_errors_and_crosses_the_first_loss(swept: xr.Dataset) -> None:
    ax = lm.plotting.sweep(swept, ax=new_axes())
    runs = swept.training_test_loss.isel(time=-1).values[0, :3]
    _, _, (bars,) = ax.containers[0].lines
    half = [(segment[1, 1] - segment[0, 1]) / 2 for segment in bars.get_segments()]
    assert np.allclose(half, runs.std(axis=1, ddof=1) / 2)
    wild = lm.sweep(BASE, {"optimizer.lr": [0.1, 30.0, 60.0]}, 20)
    (cross,) = lines_of(lm.plotting.sweep(wild, ax=new_axes()), "x")
    assert cross.get_xdata()[0] == 30.0


def test_axes_of_a_sweep_are_chosen(swept: xr.Dataset) -> None:
    ax = lm.plotting.sweep(swept, x="width", select={"lr": 0.05}, time=3, ax=new_axes())
    (line,) = lines_of(ax)
    values = swept.theory_test_loss.sel(lr=0.05, time=3).values
    assert np.array_equal(line.get_ydata(), values)
    named: Any = {"network.parameterization": ["mup", "ntk"], "optimizer.lr": [0.05, 0.1]}
    labels = lm.plotting.sweep(lm.sweep(BASE, named, 5), x="parameterization", ax=new_axes())
    assert [text.get_text() for text in labels.get_xticklabels()] == ["mup", "ntk"]
    many = lm.sweep(BASE, {"network.width": np.arange(1, 10), "optimizer.lr": [0.05, 0.1]}, 5)
    colours = {line.get_color() for line in lines_of(lm.plotting.sweep(many, ax=new_axes()))}
    assert len(colours) == 9, "every one its own"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"observable": "loss"}, "observable must be .*, got 'loss'"),
        ({"x": "depth"}, "x must be 'width' or 'lr', got 'depth'"),
        (
            {"x": "lr", "select": {"lr": 0.05}},
            "x='lr' cannot be combined with select={'lr': 0.05}: .*. Leave 'lr' out of select",
        ),
        ({"select": {"lr": 0.3}}, "lr must be one of 0.02, 0.05, 0.1, 30, got 0.3"),
        ({"time": 99}, "time must be one of .*, got 99"),
    ],
)
def test_bad_pictures_are_refused(
    arguments: dict[str, Any], message: str, swept: xr.Dataset
) -> None:
    with pytest.raises(ValueError, match=message):
        lm.plotting.sweep(swept, ax=new_axes(), **arguments)


def test_what_was_selected_before_is_no_axis(swept: xr.Dataset) -> None:
    ax = lm.plotting.sweep(swept.sel(lr=0.05), ax=new_axes())
    assert ax.get_xlabel().startswith("width")
    with pytest.raises(ValueError, match="dataset must be a sweep with at least one axis"):
        lm.plotting.sweep(swept.isel(lr=0, width=0), ax=new_axes())
    layered = lm.sweep(BASE, {"optimizer.lr": [0.05, 0.1]}, 5, observables="feature_norm")
    with pytest.raises(ValueError, match="observable must be one without layers"):
        lm.plotting.sweep(layered, observable="feature_norm", ax=new_axes())
    lm.plotting.sweep(layered.isel(layer=0), observable="feature_norm", ax=new_axes())


def test_an_axis_too_many_is_to_be_selected() -> None:
    three = lm.sweep(BASE, AXES | {"data.alpha": [1.0, 2.0]}, 5)
    with pytest.raises(ValueError, match=r"select\['width'\] is missing: width is not drawn"):
        lm.plotting.sweep(three, ax=new_axes())
    lm.plotting.sweep(three, ax=new_axes(), select={"width": 2.0})


def test_rates_that_are_not_determined_have_bars() -> None:
    fast = lm.Problem(lm.MLP(2), lm.Population(), lm.SGD(0.1))
    table = lm.transfer(fast, "network.width", [1, 4], 80, scalings=["muP"])
    ax = lm.plotting.transfer_rates(table)
    (bars,) = ax.collections
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends == table.plateau[0].tolist()
    legend = ax.get_legend()
    assert legend is not None
    assert "best, not determined" in [text.get_text() for text in legend.get_texts()]


def test_transfer_is_two_panels() -> None:
    table = lm.transfer(BASE, "network.width", [1, 2, 4], 20, rtol=0.05)
    left, right = lm.plotting.transfer(table, tuple(new_axes(2)))
    assert np.array_equal(left.get_lines()[0].get_ydata(), table.lr[0])
    assert np.array_equal(left.get_lines()[1].get_ydata(), table.edge[0])
    assert np.array_equal(right.get_lines()[0].get_ydata(), table.loss[0])
    assert np.array_equal(right.get_lines()[1].get_ydata(), table.carried[0, 0])
    assert [text.get_text() for text in left.texts] == ["muP", "NTK"]
    left.figure.canvas.draw()
    deep = lm.Problem(lm.ResNet(depth=4), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    lost = lm.transfer(deep, "network.depth", [2, 16], 20, rtol=0.05)
    _, right = lm.plotting.transfer(lost, tuple(new_axes(2)))
    infinite = int(np.isinf(lost.carried[:, 0]).sum())
    assert infinite >= 1
    assert [cross.get_xdata()[0] for cross in lines_of(right, "x")] == [16.0] * infinite
    right.figure.canvas.draw()


def test_optima_over_time_are_two_panels() -> None:
    found = lm.optimum_over_time(BASE, [10, 20], schedules=["constant", "cosine decay"], rtol=0.05)
    rates, losses = lm.plotting.optimum_over_time(found, tuple(new_axes(2)))
    for ax, table in ((rates, found.lr), (losses, found.loss)):
        assert np.array_equal([line.get_ydata() for line in ax.get_lines()], table)
        assert [text.get_text() for text in ax.texts] == ["constant", "cosine decay"]
        ax.figure.canvas.draw()


def test_compute_is_an_envelope() -> None:
    found = lm.compute_optimal(BASE, [0.5, 1, 2], 50)
    ax = lm.plotting.compute_optimal(found, new_axes())
    frontier, changes, *widths = ax.get_lines()
    assert len(widths) == 3
    assert np.array_equal(frontier.get_ydata(), found.loss)
    assert len(changes.get_xdata()) == np.count_nonzero(np.diff(found.width))
    assert "operations / dim" in ax.get_xlabel()
    ax.figure.canvas.draw()


def test_where_wider_is_worse_is_marked() -> None:
    noisy = BASE.replace(**{"network.depth": 3, "network.gamma0": 2.0, "data.noise": 0.6})
    noisy = noisy.replace(**{"optimizer.lr": 0.02})
    found = lm.wider_is_better(noisy, [0.5, 1, 2], 200)
    assert not found.holds
    ax = lm.plotting.wider_is_better(found, new_axes())
    marks = [line for line in ax.get_lines() if line.get_linewidth() > 5]
    worse = [line for line in found.violations if line.any()]
    assert len(marks) == len(worse)
    assert np.array_equal(~np.ma.getmaskarray(marks[0].get_ydata(orig=True)), worse[0])
    ax.figure.canvas.draw()


def test_labels_of_widths_stand_beside_the_ends() -> None:
    """Labels of curves that end close together are one line's height apart."""
    few = lm.Problem(
        lm.MLP(depth=3, gamma0=2.0), lm.FullBatch(alpha=1.5, noise=0.5), lm.SGD(lr=0.02)
    )
    found = lm.wider_is_better(few, [0.25, 0.5, 1, 2, 4], 200)
    ax = lm.plotting.wider_is_better(found, new_axes())
    ax.figure.canvas.draw()
    assert np.allclose(np.diff(label_heights(ax)[:5]), 11)


@pytest.mark.parametrize(
    "name", ["transfer", "optimum_over_time", "compute_optimal", "wider_is_better"]
)
def test_other_things_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"must be what {name} returns, got 3"):
        getattr(lm.plotting, name)(3)
    with pytest.raises(ValueError, match="table must be what transfer returns"):
        lm.plotting.transfer_rates("table")


def test_budgets_that_are_not_covered_are_grey() -> None:
    found = lm.compute_optimal(BASE, [0.5, 1, 2], 30, budgets=np.geomspace(20, 1000, 20))
    assert not found.covered[-1]
    ax = lm.plotting.compute_optimal(found, new_axes())
    bands = [patch.get_extents().transformed(ax.transData.inverted()) for patch in ax.patches]
    grey = [any(0.99 * b.x0 < budget < 1.01 * b.x1 for b in bands) for budget in found.budgets]
    assert np.array_equal(grey, ~found.covered)
    assert "not covered" in [text.get_text() for text in ax.texts]
