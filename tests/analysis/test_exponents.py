"""Exponents: exact where the curve is a power law, honest where it is not."""

import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from closed_forms import infinite_width_flow_loss, lazy_critical_loss
from power_laws import lazy_loss, panel_times, rich_loss

import lindmft as lm
from lindmft.analysis.log_fits import STATIONS, local_slopes, widest_flat

TIMES = panel_times(0.1, 1e5, 20)
INF = float("inf")
LAZY = lm.MLP(depth=1, width=INF, gamma0=0)


def broken(times: Any, early: float, late: float, at: float) -> Any:
    """Two power laws that meet at a time."""
    ratio = np.asarray(times) / at
    return np.where(ratio < 1, ratio**early, ratio**late)


def networks(curves: Any) -> lm.Ensemble:
    """An ensemble of which these are the test losses, (seed, n)."""
    curves = np.asarray(curves)
    count, steps = curves.shape
    problem = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
    return dataclasses.replace(lm.train(problem, steps, dim=8, seeds=count), test_loss=curves)


# ---- local exponents


@pytest.mark.parametrize("times", [TIMES, np.arange(1.0, 200), np.geomspace(1e-9, 1e9, 7)])
@pytest.mark.parametrize("exponent", [-3.0, -0.5, 0.0, 1.2])
def test_power_laws_have_their_exponent_everywhere(times: Any, exponent: float) -> None:
    time, local = lm.local_exponent(times, 1e-3 * times**exponent)
    np.testing.assert_array_equal(time, times)
    np.testing.assert_allclose(local, exponent, rtol=0, atol=1e-10)


def test_smooth_curves_have_their_slope_up_to_third_order_in_the_span() -> None:
    x = np.log(TIMES)
    truth = -0.5 + 0.2 * np.cos(x / 2)
    loss = np.exp(-0.5 * x + 0.4 * np.sin(x / 2))
    errors = [np.abs(lm.local_exponent(TIMES, loss, span=s)[1] - truth).max() for s in (0.5, 0.25)]
    assert errors[1] < 5e-3
    assert errors[0] > 3 * errors[1]


def test_the_floor_is_taken_off() -> None:
    loss = 0.25 + TIMES**-0.7
    np.testing.assert_allclose(lm.local_exponent(TIMES, loss, floor=0.25)[1], -0.7, atol=1e-8)
    assert lm.local_exponent(TIMES, loss)[1][-1] > -0.01
    fit = lm.fit_exponent(TIMES, loss, floor=0.25)
    assert fit.prefactor == pytest.approx(1)
    assert fit.floor == 0.25
    assert "loss ~ 0.25 + 1 t^(-0.7000" in fit.summary()


def test_curves_start_after_zero_and_end_where_they_diverge_or_vanish() -> None:
    times = np.arange(10.0)
    loss = 1 / np.maximum(times, 0.5)
    for last in (np.inf, 0.0):
        ended = loss.copy()
        ended[8] = last
        np.testing.assert_array_equal(lm.local_exponent(times, ended).time, times[1:8])


def test_results_are_read() -> None:
    problem = lm.Problem(LAZY, lm.FullBatch(alpha=1.0, noise=0.1), lm.SGD(lr=0.1))
    theory = lm.solve(problem, 50)
    for name in ("test_loss", "train_loss"):
        time, local = lm.local_exponent(theory, observable=name)
        same = lm.local_exponent(theory.time, getattr(theory, name))
        np.testing.assert_array_equal(time, theory.time[1:])
        np.testing.assert_array_equal(local, same.exponent)
        np.testing.assert_array_equal(
            lm.local_exponent((theory.time, getattr(theory, name)))[1], local
        )
    diverged = lm.solve(problem.replace(**{"optimizer.lr": 2.0}), 50)
    assert diverged.diverged_at is not None
    assert lm.local_exponent(diverged).time[-1] == diverged.diverged_at - 1


def test_ensembles_are_their_mean() -> None:
    steps = np.maximum(np.arange(100.0), 0.5)
    runs = networks([2 * steps**-0.5, steps**-0.5])
    np.testing.assert_allclose(lm.local_exponent(runs).exponent, -0.5, atol=1e-10)
    assert lm.fit_exponent(runs).prefactor == pytest.approx(1.5)


# ---- fits


@pytest.mark.parametrize("window", [None, (2.0, 500.0)])
def test_a_power_law_is_fitted_exactly(window: Any) -> None:
    fit = lm.fit_exponent(TIMES, 3 * TIMES**-0.6, window=window)
    assert fit.exponent == pytest.approx(-0.6, abs=1e-12)
    assert fit.prefactor == pytest.approx(3)
    assert max(fit.error, fit.spread, abs(fit.drift), fit.residual) < 1e-10
    assert fit.error_source == "window"
    inside = TIMES if window is None else TIMES[(TIMES >= 2) & (TIMES <= 500)]
    assert fit.window == (inside[0], inside[-1])
    assert (fit.points, fit.networks) == (len(inside), 0)
    assert fit.decades == pytest.approx(np.log10(inside[-1] / inside[0]))


def test_every_decade_counts_the_same() -> None:
    """Nearly all exact steps lie in the last decade, but the fit is over log t."""
    steps = np.arange(1.0, 10001)
    x = np.log(steps)
    fit = lm.fit_exponent(steps, np.exp(-0.5 * x - 0.01 * x**2), window=(1, 10000))
    assert fit.exponent == pytest.approx(-0.5 - 0.02 * x[-1] / 2, abs=2e-3)


def test_the_error_of_a_curve_is_how_far_its_exponent_varies() -> None:
    x = np.log(TIMES)
    fit = lm.fit_exponent(TIMES, np.exp(-0.5 * x - 0.005 * x**2), window=(1, 1e4))
    change = 0.01 * np.log(fit.window[1] / fit.window[0])  # of the exponent over the window
    assert fit.spread == pytest.approx(change / 2, rel=1e-6)
    assert fit.drift == pytest.approx(-change / 2, rel=0.05)
    assert fit.error == max(fit.spread, -fit.drift)
    assert "no statistical error" in str(fit)


def test_an_exponent_that_swings_and_returns_has_an_error_too() -> None:
    """Both halves of the window have the same exponent: there is spread and no drift."""
    x = np.log(TIMES / 100)  # from -a to a
    turn = 2 * np.pi / x[-1]
    fit = lm.fit_exponent(TIMES, np.exp(-0.5 * x + 0.05 * np.sin(turn * x)), window=(0.1, 1e5))
    assert abs(fit.drift) < 1e-3
    assert fit.spread == pytest.approx(0.05 * turn, rel=0.05)
    assert fit.error == fit.spread


def test_what_lies_outside_a_window_does_not_enter() -> None:
    loss = broken(TIMES, -0.5, -2, 100)
    early, late = (lm.fit_exponent(TIMES, loss, window=w) for w in [(0.1, 99), (101, 1e5)])
    assert early.exponent == pytest.approx(-0.5)
    assert late.exponent == pytest.approx(-2)
    assert max(early.error, late.error) < 1e-9


def test_the_window_is_the_widest_flat_one() -> None:
    fit = lm.fit_exponent(TIMES, broken(TIMES, -0.5, -2, 1000))
    assert fit.exponent == pytest.approx(-0.5, abs=0.01)
    assert fit.window[0] == TIMES[0]
    assert 300 < fit.window[1] < 1100
    fit = lm.fit_exponent(TIMES, broken(TIMES, -0.5, -2, 10))
    assert fit.exponent == pytest.approx(-2, abs=0.02)
    assert 8 < fit.window[0] < 30


def test_plateaus_are_no_power_laws() -> None:
    """A power law of rate 1 between two plateaus, both wider than it."""
    times = panel_times(1e-6, 1e8, 40)
    fit = lm.fit_exponent(times, 1e-4 + (1 + times) ** -1.0, decades=0.5)
    assert fit.exponent == pytest.approx(-1, abs=0.05)
    for flat in (np.ones_like(times), 1 + 1e-9 / (1 + times)):
        with pytest.raises(ValueError, match="^window is missing: "):
            lm.fit_exponent(times, flat)


def test_no_window_is_an_error_that_says_what_there_is() -> None:
    message = r"^window is missing: .* 1.0% for at most 0\.\d+ decades \(t = .* to .*\), less than"
    with pytest.raises(ValueError, match=message):
        lm.fit_exponent(TIMES, np.exp(-0.1 * np.log(TIMES + 2) ** 2), tolerance=0.01, decades=2)


def test_the_widest_flat_stretch_by_search() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        x, values = np.cumsum(rng.random(12)), rng.choice([-1.0, -1.05, -1.3, 0.0, 1.0], 12)
        stretches = [(i, j) for i in range(12) for j in range(i + 1, 12)]
        flat = [s for s in stretches if _is_flat(values[s[0] : s[1] + 1])]
        first, last = widest_flat(x, values, 0.05)
        assert x[last] - x[first] == max([x[j] - x[i] for i, j in flat], default=0.0)


def _is_flat(values: Any) -> bool:
    middle = (values.min() + values.max()) / 2
    return bool((np.abs(values - middle) <= 0.05 * abs(middle)).all() and (values != 0).all())


# ---- ensembles


def test_errors_of_ensembles_are_those_over_networks() -> None:
    """Fitted exponents of many ensembles scatter by the error that each quotes."""
    rng = np.random.default_rng(1)
    steps = np.maximum(np.arange(60.0), 0.5)
    base, fits = networks(np.ones((8, 60))), []
    for _ in range(200):
        noisy = steps**-0.8 * np.exp(rng.normal(0, 0.1, (8, 1)) * np.log(steps))
        runs = dataclasses.replace(base, test_loss=noisy)
        fits.append(lm.fit_exponent(runs, window=(1, 59)))
    scatter = np.std([fit.exponent for fit in fits])
    assert np.sqrt(np.mean([fit.error**2 for fit in fits])) == pytest.approx(scatter, rel=0.15)
    assert fits[0].error_source == "networks"
    assert fits[0].networks == 8
    assert "standard error over 8 networks" in fits[0].summary()


def test_one_network_has_no_statistical_error() -> None:
    steps = np.maximum(np.arange(60.0), 0.5)
    fit = lm.fit_exponent(networks([steps**-0.5]))
    assert (fit.error_source, fit.networks) == ("window", 1)


def test_a_floor_too_near_to_single_networks_is_refused() -> None:
    steps = np.maximum(np.arange(30.0), 0.5)
    runs = networks([1.5 + 0 * steps, 0.1 + 1 / steps])
    with pytest.raises(
        ValueError, match="^floor must be below the mean loss of the networks whichever"
    ):
        lm.fit_exponent(runs, window=(1, 29), floor=0.5)


def test_theory_and_training_have_the_same_exponent() -> None:
    problem = lm.Problem(lm.MLP(gamma0=0.5), lm.FullBatch(alpha=1.0), lm.SGD(lr=0.1))
    runs = lm.train(problem, 100, dim=200, seeds=8)
    theory, measured = (lm.fit_exponent(r, window=(2, 20)) for r in (lm.solve(problem, 100), runs))
    assert measured.exponent == pytest.approx(theory.exponent, abs=5 * measured.error)
    assert measured.error < 0.05


# ---- closed forms


def test_lazy_learning_at_the_critical_size_goes_as_the_root_of_time() -> None:
    problem = lm.Problem(LAZY, lm.FullBatch(alpha=1.0), lm.SGD(lr=0.1))
    fit = lm.fit_exponent(lm.solve(problem, 600), window=(60, 600))
    assert fit.exponent == pytest.approx(-0.5, abs=5e-3)
    law = fit.prefactor * 300**fit.exponent
    assert law == pytest.approx(lazy_critical_loss(1, 0.1, 300), rel=5e-3)


@pytest.mark.parametrize(("capacity", "source"), [(2.0, 0.5), (1.5, 1.0), (2.0, 1.75)])
def test_lazy_power_laws_have_the_predicted_exponent_and_prefactor(
    capacity: float, source: float
) -> None:
    times = panel_times(1e-2, 1e5, 16)
    loss = lazy_loss(times, capacity, source, kernel=3)
    predicted = lm.predicted_exponents(source)
    fit = lm.fit_exponent(times, loss, tolerance=0.02)
    assert fit.exponent == pytest.approx(predicted.lazy, rel=0.01)
    assert abs(fit.exponent - predicted.lazy) <= fit.error
    assert fit.window[0] > 0.3
    law = predicted.lazy_loss(times[-40:], capacity, kernel=3)
    np.testing.assert_allclose(loss[-40:], law, rtol=0.01)


def test_the_curve_of_rich_learning_is_that_of_item_6() -> None:
    """The ODE of these tests at a single eigenvalue, where |w*|^2 is the loss at the start."""
    times = np.linspace(0, 0.6, 9)
    power = rich_loss(times, 1e-12, 0.5, gamma0=1.0)[0]
    loss = rich_loss(times, 1e-12, 0.5, gamma0=3 / np.sqrt(power))
    np.testing.assert_allclose(loss / power, infinite_width_flow_loss(3.0, times), rtol=1e-4)


@pytest.mark.parametrize(("capacity", "source"), [(2.0, 0.5), (1.5, 0.3), (2.0, 1.5)])
def test_rich_power_laws_have_the_predicted_exponent(capacity: float, source: float) -> None:
    times = panel_times(1e-3, 1e4, 14)
    loss = rich_loss(times, capacity, source, gamma0=100.0)
    predicted = lm.predicted_exponents(source)
    fit = lm.fit_exponent(times, loss, window=(10, 1e3))
    assert fit.exponent == pytest.approx(predicted.rich, abs=0.006)
    assert fit.error < 0.01


@pytest.mark.parametrize("source", [0.2, 0.5, 1.0, 1.75])
def test_predictions(source: float) -> None:
    predicted = lm.predicted_exponents(source)
    assert predicted.lazy == -source
    assert predicted.rich == pytest.approx(max(-2 * source / (1 + source), -source, key=abs))
    rich = [lm.predicted_exponents(source, depth).rich for depth in (1, 2, 3, 10**6, INF)]
    assert rich == sorted(rich, reverse=True), "deeper networks are at least as fast"
    assert rich[0] == predicted.rich
    assert rich[-1] == pytest.approx(min(-1, -source))
    assert rich[1] == pytest.approx(-source if source >= 1 else -3 * source / (1 + 2 * source))


# ---- side by side


def test_the_table_says_which_prediction_is_nearest() -> None:
    curves = {f"b = {b}, {x}": (TIMES, TIMES**x) for b, x in [(0.5, -0.51), (0.5, -0.64), (2, -2)]}
    sources = {label: float(label[4:].split(",")[0]) for label in curves}
    table = lm.compare_exponents(curves, sources, window=(1, 100))
    assert [row.nearest for row in table.rows] == ["lazy", "rich", "both"]
    np.testing.assert_allclose(
        [r.difference for r in table.rows], [-0.01, 2 / 3 - 0.64, 0], atol=1e-9
    )
    lines = table.summary().splitlines()
    heading = "b depth measured error decades lazy rich nearest"
    assert lines[0].split() == heading.split()
    given, nearest = "   0.500      1", "rich (off by +0.027)"
    numbers = "      -0.640   0.0000      2.0   -0.500   -0.667"
    assert lines[2].endswith(f"{given}{numbers}  {nearest}")
    assert str(table) == table.summary()


def test_fits_and_curves_may_be_mixed() -> None:
    steps = np.maximum(np.arange(60.0), 0.5)
    curves: dict[str, Any] = {
        "fit": lm.fit_exponent(TIMES, TIMES**-0.5),
        "networks": networks([steps**-0.5, 2 * steps**-0.55]),
    }
    table = lm.compare_exponents(curves, source=0.5)
    assert table.rows[0].fit is curves["fit"]
    last = table.summary().splitlines()[-2:]
    assert [line.split(":")[0] for line in last] == [
        "Errors of ensembles",
        "Errors of single curves",
    ]


def test_the_source_is_that_of_the_spectrum() -> None:
    theory = lm.solve(lm.Problem(LAZY, lm.FullBatch(alpha=1.0), lm.SGD(lr=0.1)), 60)
    data = SimpleNamespace(spectrum=SimpleNamespace(source=0.7))
    deep = SimpleNamespace(data=data, network=SimpleNamespace(depth=3))
    run = dataclasses.replace(theory, problem=deep)
    table = lm.compare_exponents({"run": run}, window=(5, 59))
    assert table.rows[0].predicted == lm.predicted_exponents(0.7, 3)
    other = lm.compare_exponents({"run": run}, depth={"run": 2}, window=(5, 59))
    assert other.rows[0].predicted.depth == 2


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": [1, 2]}, r"loss must have one entry a time \(161\), got 2"),
        ({"loss": -TIMES}, "loss must be non-negative numbers, got an array"),
        ({"loss": TIMES * np.nan}, "loss must be non-negative numbers"),
        (
            {"loss": TIMES * np.inf},
            "loss must be positive and finite at 5 or more times",
        ),
        ({"loss": "1, 2"}, "loss must be a list of numbers"),
        ({"curve": TIMES[::-1]}, "time must be finite, non-negative and increasing"),
        ({"curve": TIMES - 1}, "time must be finite, non-negative and increasing"),
        ({"loss": None}, "the curve must be a Solution, an Ensemble or the pair"),
        ({"floor": -1}, "floor must be a finite number of at least 0, got -1"),
        ({"floor": 1e-2}, "floor must be below every loss, the smallest of which is 0.003"),
        ({"span": 0}, "span must be a positive finite number, got 0"),
        ({"observable": "loss"}, "observable must be 'test_loss' or 'train_loss', got 'loss'"),
    ],
)
def test_bad_curves_are_refused(arguments: dict[str, Any], message: str) -> None:
    defaults: dict[str, Any] = {"curve": TIMES, "loss": TIMES**-0.5}
    for function in (lm.local_exponent, lm.fit_exponent):
        with pytest.raises(ValueError, match=f"^{message}"):
            function(**(defaults | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"window": 3},
            "window must be a pair of times, the first above 0 and below the la",
        ),
        ({"window": (10, 1)}, "window must be a pair of times"),
        ({"window": (0, 1)}, "window must be a pair of times"),
        ({"window": (1, "2")}, r"window\[1\] must be a number"),
        ({"window": (1, 1.01)}, "window must be one with 5 or more times of the curve"),
        ({"tolerance": -1}, "tolerance must be a positive finite number, got -1"),
        ({"decades": True}, "decades must be a number, got True"),
    ],
)
def test_bad_windows_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        lm.fit_exponent(TIMES, TIMES**-0.5, **arguments)


def test_bad_comparisons_are_refused() -> None:
    curve = (TIMES, TIMES**-0.5)
    with pytest.raises(ValueError, match="^curves must be a dictionary from labels to curves"):
        lm.compare_exponents({})
    with pytest.raises(ValueError, match="^source is missing: the curve 'a' has no"):
        lm.compare_exponents({"a": curve})
    with pytest.raises(ValueError, match="^source is missing: it has no value for the curve 'b'"):
        lm.compare_exponents({"a": curve, "b": curve}, {"a": 1.0})
    with pytest.raises(ValueError, match=r"^curves\['a'\]: window must be one with 5 or more"):
        lm.compare_exponents({"a": curve}, 1.0, window=(1, 1.01))
    with pytest.raises(ValueError, match="^depth is missing: it has no value for the curve 'b'"):
        lm.compare_exponents({"a": curve, "b": curve}, 1.0, {"a": 1})
    for bad in (0, 1.5, -1, math.nan, "2"):
        with pytest.raises(ValueError, match="^depth must be"):
            lm.predicted_exponents(0.5, bad)  # type: ignore[arg-type]
    for bad in (0, -1, INF, "0.5"):
        with pytest.raises(ValueError, match="^source must be"):
            lm.predicted_exponents(bad)
    with pytest.raises(ValueError, match="^capacity must be a positive finite number, got 0"):
        lm.predicted_exponents(1).lazy_loss(1.0, capacity=0)
    theory = lm.solve(lm.Problem(LAZY, lm.Population(), lm.SGD(lr=0.1)), 10)
    with pytest.raises(ValueError, match="^loss cannot be combined with a result as the curve"):
        lm.local_exponent(theory, theory.test_loss)


def test_a_mark_behind_the_last_point_is_that_point() -> None:
    """The last of the marks 1, 1.1, 1.2, 1.3 is rounded to a number above 1.3."""
    x = np.linspace(1.0, 1.3, 40)
    assert np.arange(1.0, 1.3, 0.1)[-1] > x[-1]
    slopes = local_slopes(x, 2 * x, 0.1 * STATIONS)
    np.testing.assert_allclose(slopes, 2.0, rtol=1e-9)
