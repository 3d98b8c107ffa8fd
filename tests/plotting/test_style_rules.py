"""Pictures follow the rules of ``lindmft.plotting.style``, also those that broke them once."""

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import lindmft as lm
from lindmft.figures import Curve, Panel
from lindmft.figures._drawing import draw

mpl.use("Agg")
PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
RESIDUAL = PROBLEM.replace({"network": lm.ResNet(depth=4)})
WIDTHS = [0.5, 1.0, 2.0, 4.0]


def coordinates() -> Any:
    return lm.plotting.coordinates(lm.coordinate_check(PROBLEM, widths=WIDTHS, steps=20))


def transfer() -> Any:
    return lm.plotting.transfer(lm.transfer(PROBLEM, "network.width", WIDTHS, steps=40))


def wider() -> Any:
    return lm.plotting.wider_is_better(lm.wider_is_better(PROBLEM, WIDTHS, steps=100))


def compute() -> Any:
    return lm.plotting.compute_optimal(lm.compute_optimal(PROBLEM, WIDTHS, steps=40))


def profile() -> Any:
    return lm.plotting.profile(lm.solve(RESIDUAL, 40))


def stability() -> Any:
    return lm.plotting.stability({"L = 1": ([1.0, 3.0, 10.0], [0.5, 0.3, 0.1])})


def edge() -> Any:
    return lm.plotting.edge_of_stability(lm.edge_of_stability(PROBLEM, 40, limits=False))


def spectrum() -> Any:
    return lm.plotting.spectrum(lm.solve(PROBLEM, 40, spectrum_at=[0, 39], lanczos=8))[0]


def numbers(axis: Any) -> int:
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return sum(low <= tick.get_loc() <= high and tick.label1.get_text() != "" for tick in ticks)


@pytest.mark.parametrize(
    "picture", [coordinates, transfer, wider, compute, profile, stability, edge, spectrum]
)
def test_every_axis_has_three_numbers(picture: Callable[[], Any]) -> None:
    panels: list[Axes] = list(np.ravel(np.array(picture(), dtype=object)))
    figure = panels[0].figure
    figure.draw_without_rendering()
    for ax in panels:
        for axis in (ax.xaxis, ax.yaxis):
            inner = axis is ax.xaxis and not ax.get_subplotspec().is_last_row()
            assert inner or numbers(axis) >= 3, (axis, axis.get_view_interval())
    mpl.pyplot.close(figure)


def test_a_legend_shows_no_style_that_is_not_drawn() -> None:
    def looks(result: lm.Solution | lm.Ensemble) -> tuple[str, str]:
        ax = lm.plotting.losses(result, Figure().subplots())
        box = ax.get_legend()
        assert box is not None
        train = box.get_lines()[1]
        return str(train.get_linestyle()), str(train.get_marker())

    assert looks(lm.solve(PROBLEM, 10)) == ("--", "")
    assert looks(lm.train(PROBLEM, 10, dim=16, seeds=4)) == ("None", "s")


def test_kernels_say_what_is_theory() -> None:
    theory, runs = (lm.solve(PROBLEM, 5, kernels=True), lm.train(PROBLEM, 5, dim=16, kernels=True))
    box = lm.plotting.kernels(theory, runs, Figure().subplots()).get_legend()
    assert box is not None
    assert [text.get_text() for text in box.get_texts()] == ["theory", "mean of 8 networks, D = 16"]


def test_legends_of_figures_have_the_order_of_the_curves_and_a_limit_is_black() -> None:
    x = np.array([1.0, 2.0])
    limit = Curve("limit", x, x / 3, neutral=True)
    curves = [Curve("2", x, x, look=0), limit, Curve("1", x, x / 2, look=1)]
    ax = draw({"a": Panel("", "x", "y", curves, legend=True)}).axes[0]
    box = ax.get_legend()
    assert box is not None
    assert [text.get_text() for text in box.get_texts()] == ["2", "limit", "1"]
    assert box.get_lines()[1].get_color() == "0.15"
