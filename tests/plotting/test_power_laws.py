"""Pictures of exponents and of stability show the right numbers, guides and labels."""

import doctest
import importlib
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import lindmft as lm

mpl.use("Agg")
TIMES = np.geomspace(0.1, 1e4, 60)
CURVES: dict[str, Any] = {"lazy": (TIMES, TIMES**-0.5), "rich": (TIMES, 0.1 * TIMES ** (-2 / 3))}
EDGE = lm.StableRate(0.5, 0.5, 0.51, 9, 40, "bounded")


def two_axes() -> tuple[Axes, Axes]:
    upper, lower = Figure(layout="constrained").subplots(2, 1, sharex=True)
    return upper, lower


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", ["exponents", "stability"])
def test_examples_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import pyplot

    module = importlib.import_module(f"lindmft.plotting.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
    pyplot.close("all")


def test_losses_are_drawn_above_their_exponents() -> None:
    upper, lower = lm.plotting.exponents(CURVES, axes=two_axes())
    for line, slopes, (time, loss) in zip(
        upper.get_lines(), lower.get_lines(), CURVES.values(), strict=True
    ):
        np.testing.assert_array_equal(line.get_xdata(), time)
        np.testing.assert_allclose(line.get_ydata(), loss)
        np.testing.assert_allclose(slopes.get_ydata(), lm.local_exponent(time, loss).exponent)
        assert line.get_color() == slopes.get_color()
        assert line.get_linestyle() == slopes.get_linestyle()
    assert len({line.get_linestyle() for line in upper.get_lines()}) == 2
    assert texts(upper) == ["rich", "lazy"]  # from the bottom
    assert texts(lower) == []
    assert (upper.get_xscale(), upper.get_yscale(), lower.get_yscale()) == ("log", "log", "linear")
    assert lower.get_xlabel() == "time t"


def test_guides_have_the_predicted_slopes_and_hide_no_curve() -> None:
    upper, lower = lm.plotting.exponents(CURVES, 0.5, two_axes())
    above, below = guides = upper.get_lines()[2:]
    slopes = [np.ptp(np.log(g.get_ydata())) / np.ptp(np.log(g.get_xdata())) for g in guides]
    np.testing.assert_allclose(slopes, [1 / 2, 2 / 3])
    assert (above.get_ydata() > 1.5 * above.get_xdata() ** -0.5).all()
    assert (below.get_ydata() < 0.07 * below.get_xdata() ** (-2 / 3)).all()
    levels = [segment[0, 1] for segment in lower.collections[0].get_segments()]
    np.testing.assert_allclose(levels, [-1 / 2, -2 / 3])
    assert texts(lower) == ["rich $-0.667$", "lazy $-0.5$"]
    upper.figure.savefig("/dev/null", format="png")


def test_the_rich_guide_is_that_of_the_depth() -> None:
    upper, lower = lm.plotting.exponents(CURVES, 0.5, two_axes(), depth=3)
    assert len(upper.get_lines()) == 4
    assert "rich $-0.8$" in texts(lower)
    deep = [
        lm.solve(
            lm.Problem(
                lm.MLP(depth=depth, hidden=16, centered=True),
                lm.Population(spectrum=lm.PowerLaw(capacity=2, source=0.5, modes=100)),
                lm.SGD(lr=0.1),
            ),
            20,
        )
        for depth in (1, 2)
    ]
    curves = {str(run.problem.network.depth): run for run in deep}
    upper, lower = lm.plotting.exponents(curves, axes=two_axes())
    assert len(upper.get_lines()) == 3  # the lazy guide: those of two depths are close
    assert {"rich, $L$ = 1 $-0.667$", "rich, $L$ = 2 $-0.75$"} < set(texts(lower))


def test_equal_predictions_are_drawn_once() -> None:
    upper, lower = lm.plotting.exponents(CURVES, 1.5, two_axes())
    assert len(upper.get_lines()) == 3
    assert texts(lower) == ["lazy and rich $-1.5$"]


def test_a_floor_is_said_and_results_are_drawn() -> None:
    problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=1.0, noise=0.5), lm.SGD(lr=0.1))
    curves: dict[str, Any] = {
        "theory": lm.solve(problem, 40),
        "networks": lm.train(problem, 40, dim=16, seeds=2),
    }
    upper, _ = lm.plotting.exponents(curves, axes=two_axes(), floor=0.01, observable="train_loss")
    theory, networks = upper.get_lines()
    np.testing.assert_allclose(theory.get_ydata(), curves["theory"].train_loss[1:] - 0.01)
    np.testing.assert_allclose(
        networks.get_ydata(), curves["networks"].mean().train_loss[1:] - 0.01
    )
    assert upper.get_ylabel() == "loss L less 0.01"


def test_stable_rates_are_drawn_with_their_guides() -> None:
    rates: dict[str, Any] = {
        "a": ([1, 10], [1.0, EDGE]),
        "b": (np.array([1, 2]), np.array([3.0, 2])),
    }
    ax = lm.plotting.stability(rates, {"a": -1}, two_axes()[0], xlabel="width")
    first, guide, second = ax.get_lines()
    np.testing.assert_array_equal(first.get_ydata(), [1, 0.5])
    np.testing.assert_allclose(guide.get_ydata(), [5, 0.5])
    np.testing.assert_array_equal(second.get_xdata(), [1, 2])
    assert texts(ax) == ["a, slope $-1$", "b"]
    assert first.get_marker() != second.get_marker()
    assert ax.get_xlabel() == "width"


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({}, "rates must be a dictionary"),
        ({"a": [1, 2]}, r"rates\['a'\] must be a pair of parameter values and rates"),
        (
            {"a": ([1], [1, 2])},
            r"rates\['a'\] must be two lists of the same length of at least 1, got lengths 1 and 2",
        ),
        ({"a": ([0], [1])}, r"rates\['a'\] must be positive numbers"),
        ({"b": ([1], [1])}, r"slopes must be given for labels of rates, \['b'\], got 'a'"),
    ],
)
def test_bad_rates_are_refused(rates: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        lm.plotting.stability(rates, {"a": 1})


def test_bad_curves_leave_no_figure() -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    for curves, source in (({}, None), (CURVES, -1), ({"a": 3}, None)):
        with pytest.raises(ValueError, match="must be"):
            lm.plotting.exponents(curves, source)
    assert pyplot.get_fignums() == before
