"""The edge of stability: sharpness in closed form, crossings of the threshold, and verdicts."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft.analysis import SharpnessRun
from lindmft.analysis.edges.crossings import first_above_one

INF = math.inf
LAZY = lm.MLP(depth=2, width=INF, gamma0=0)
RICH = lm.Problem(lm.MLP(depth=2, gamma0=2.0), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
SLOW = lm.Problem(
    lm.MLP(depth=2, width=INF, gamma0=3),
    lm.Population(spectrum=lm.Discrete([1, 0.002], target_power=[0.05, 100], weights=[0.5, 0.5])),
    lm.SGD(lr=0.05),
)
"""A fast mode that has decayed becomes unstable when a slow one is learned (theory section 15)."""


def edge(problem: lm.Problem, steps: int, **options: Any) -> lm.EdgeOfStability:
    return lm.edge_of_stability(problem, steps, **{"limits": False, **options})


def made(ratio: list[float], error: float = 0.0, **changes: Any) -> SharpnessRun:
    """Return a run with learning rate 1 and threshold 2."""
    count = len(ratio)
    run = SharpnessRun(
        parameterization="mup",
        width=1.0,
        lr=1.0,
        time=10.0 * np.arange(count),
        sharpness=2 * np.array(ratio),
        sharpness_error=np.full(count, 2 * error),
        learning_rate=np.ones(count),
        threshold=np.full(count, 2.0),
        grid="exact",
        unstable_at=None,
        predictable_until=None,
        diverged_at=None,
    )
    return replace(run, **changes)


# ---- closed forms


@pytest.mark.parametrize("alpha", [1.0, 4.0, INF])
@pytest.mark.parametrize(
    ("optimizer", "threshold"), [({}, 2.0), ({"momentum": 0.5}, 3.0), ({"weight_decay": 0.5}, None)]
)
def test_lazy_networks_have_the_largest_rate_of_their_constant_kernel(
    alpha: float, optimizer: dict[str, float], threshold: float | None
) -> None:
    """Theory section 12, item 3: the sharpness is K m+, with K = L + 1."""
    data = lm.Population() if alpha == INF else lm.FullBatch(alpha=alpha)
    problem = lm.Problem(LAZY, data, lm.SGD(lr=0.1, **optimizer))
    found = lm.edge_of_stability(problem, 20, lr=0.1, rtol=1e-4)
    sharpness = 3 * (1 + alpha**-0.5) ** 2
    if threshold is not None:
        np.testing.assert_allclose(found.runs[0].sharpness, sharpness, rtol=1e-4)
        assert not found.runs[0].sharpens
        assert found.limits[0].lower == pytest.approx(threshold / sharpness, rel=3e-4)
    else:  # weights decay, and the kernel with them, but not at the start
        assert found.limits[0].lower == pytest.approx(2 / (sharpness + 0.5), rel=3e-4)
    assert found.limits[0].upper <= found.limits[0].lower * (1 + 1e-4) * (1 + 1e-12)


@pytest.mark.parametrize("width", [1.0, 4.0])
def test_one_hidden_layer_on_infinite_data_has_a_bulk_in_closed_form(width: float) -> None:
    """Theory section 15: C_g(t, t) + (1 + nu^(-1/2))^2, while no eigenvalue has left the bulk."""
    problem = lm.Problem(lm.MLP(width=width, gamma0=0.5), lm.Population(), lm.SGD(lr=0.1))
    run = edge(problem, 20, lr=0.1, times=range(20)).runs[0]
    kernel = np.diag(lm.solve(problem, 20, save="C_g").C_g[1])
    assert abs(kernel[-1] - kernel[0]) > 0.01 * kernel[0]
    np.testing.assert_allclose(run.sharpness, kernel + (1 + width**-0.5) ** 2, rtol=2e-4)


def test_the_start_depends_on_neither_rate_nor_richness_nor_parameterization() -> None:
    starts = [
        run.sharpness[0]
        for gamma0 in (0.5, 3.0)
        for run in edge(
            RICH.replace(**{"network.gamma0": gamma0}),
            10,
            lr=[0.02, 0.1],
            widths=[2.0],
            parameterizations=["mup", "ntk"],
        ).runs
    ]
    np.testing.assert_allclose(starts, starts[0], rtol=1e-10)


def test_at_width_one_the_parameterizations_are_the_same() -> None:
    mup, ntk = edge(RICH, 30, lr=0.1, parameterizations=["mup", "ntk"]).runs
    np.testing.assert_allclose(mup.sharpness, ntk.sharpness, rtol=1e-10)


def test_in_mup_networks_sharpen_at_every_width_and_in_ntk_they_become_lazy() -> None:
    """Training from a small start reaches nearly the same sharpness at all widths in muP."""
    small = RICH.replace(**{"network.init_scale": 0.6, "network.gamma0": 3.0})
    with pytest.warns(lm.ScalingWarning, match=r"network\.init_scale stays 0\.6"):
        found = edge(small, 100, lr=0.05, widths=[1, 4, INF], parameterizations=["mup", "ntk"])
    ends = {
        name: [run.sharpness[-1] for run in found.runs if run.parameterization == name]
        for name in ("mup", "ntk")
    }
    assert max(ends["mup"]) < 1.02 * min(ends["mup"])
    assert ends["ntk"][0] > 2 * ends["ntk"][1] > 4 * ends["ntk"][2]
    lazy = found.runs[-1]
    assert not lazy.sharpens
    assert set(found.spread) == {"mup", "ntk"}
    assert found.spread["mup"] < found.spread["ntk"]
    text = found.summary()
    assert "muP, lr = 0.05, widths 1, 4, inf: the sharpness rises by the factors 9.1" in text
    assert "Progressive sharpening: in 5 of 6 stable runs" in text


# ---- passing the threshold


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5, 0.9], None),
        ([1.5, 0.5], 0.0),
        ([0.5, 2.0], 5.0),  # in the logarithm
        ([0.5, 1.0, 4.0], 10.0),
        ([0.5, 0.9, INF], 20.0),
    ],
)
def test_crossings_are_interpolated(values: list[float], expected: float | None) -> None:
    found = first_above_one(10.0 * np.arange(len(values)), np.array(values))
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.long
@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_a_late_instability_is_predicted_on_every_grid(grid: str) -> None:
    times = [*range(0, 400, 50), *range(400, 440, 4), 500]
    run = edge(SLOW, 501, lr=0.05, grid=grid, times=times).runs[0]
    assert run.passes_at == pytest.approx(420, abs=1)
    assert run.unstable_at == 420
    if grid == "exact":
        assert 470 < run.until < 500, "rounding errors differ between processors"
    else:
        assert run.until == 420
    assert run.certain
    assert run.growth > 10
    assert run.predicted.sum() == (len(times) - 1 if grid == "exact" else 14)


@pytest.mark.long
def test_grids_follow_the_number_of_steps_and_the_data() -> None:
    assert edge(SLOW, 501, lr=0.01, times=0).grid == "adaptive"
    assert edge(SLOW, 500, lr=0.01, times=0).grid == "exact"
    fresh = lm.Problem(lm.MLP(), lm.OnePass(alpha=0.5), lm.SGD(lr=0.01))
    found = edge(fresh, 501, lr=0.01, times=0, lanczos=4)
    assert found.grid == "exact"
    assert "Random batches add noise" in found.summary()


def test_a_divergence_is_a_crossing() -> None:
    run = edge(RICH, 30, lr=2.0).runs[0]
    assert run.diverged_at is not None
    assert run.passes_at == 0.0
    assert f"diverges at {run.diverged_at}" in run.fate()
    assert not np.isnan(run.ratio).any()
    assert made([0.5, 0.6, INF], diverged_at=14).passes_at == 14.0


def test_a_crossing_within_the_error_is_not_certain() -> None:
    sure, doubtful = made([0.5, 0.9], 0.01), made([0.5, 0.995], 0.01)
    assert sure.certain
    assert not doubtful.certain
    assert doubtful.passes_at is None
    early, late = doubtful.passes_between
    assert early is not None
    assert 9 < early < 10
    assert late is None
    found = lm.EdgeOfStability(RICH, 11, "exact", (sure, doubtful), ())
    assert "is 0.995 with an error of 0.01: whether it passes 1 is not decided" in found.summary()
    assert found.table().splitlines()[2].split()[3] == "-?"
    assert found.table().splitlines()[1].split()[3] == "-"


def test_decay_alone_may_make_steps_unstable() -> None:
    run = made([0.5, 0.6], threshold=np.array([2.0, -0.1]))
    assert run.ratio.tolist() == [0.5, INF]
    assert run.passes_at == 10.0


def test_a_schedule_has_the_rate_of_every_step() -> None:
    warmup = RICH.replace(**{"optimizer.lr": [0.01] * 5 + [0.02] * 15})
    run = edge(warmup, 20, lr=0.1, times=[0, 4, 5, 19]).runs[0]
    np.testing.assert_allclose(run.learning_rate, [0.05, 0.05, 0.1, 0.1])
    assert run.lr == 0.1


# ---- the largest rate


@pytest.mark.long
def test_the_limit_encloses_the_rate_at_which_the_threshold_is_reached() -> None:
    found = lm.edge_of_stability(RICH, 60, lr=0.05)
    (limit,) = found.limits
    lower, upper = edge(RICH, 60, lr=[limit.lower, limit.upper]).runs
    assert lower.ratio.max() <= 1 < upper.ratio.max()
    assert limit.upper <= 1.01 * limit.lower
    assert limit.time == lower.time[lower.ratio.argmax()]
    assert limit.by_loss is not None
    assert limit.by_loss.lr == pytest.approx(lm.largest_stable_lr(RICH, 60).lr, rel=0.02)
    assert limit.by_loss.lr > 2 * limit.lr
    assert "some steps are unstable, but the loss stays bounded" in found.summary()
    start = lm.edge_of_stability(RICH.replace(**{"optimizer.lr": 30.0}), 60, lr=0.05).limits[0]
    assert start.lr == pytest.approx(limit.lr, rel=0.02)


@pytest.mark.long
def test_default_rates_are_fractions_of_the_limit() -> None:
    found = lm.edge_of_stability(RICH, 30)
    rates = np.array([run.lr for run in found.runs])
    np.testing.assert_allclose(rates / found.limits[0].lr, [0.25, 0.5, 0.9, 1.1])
    assert [run.passes_at is None for run in found.runs] == [True, True, True, False]
    np.testing.assert_allclose([run.lr for run in edge(RICH, 30).runs], rates)


@pytest.mark.long
def test_on_coarse_grids_losses_do_not_judge() -> None:
    (limit,) = lm.edge_of_stability(SLOW, 2000, lr=0.01).limits
    assert limit.by_loss is None
    assert 0.02 < limit.lr < 0.035


# ---- networks, outputs, forms


@pytest.mark.long
def test_networks_have_the_sharpness_of_the_theory() -> None:
    found = edge(RICH, 30, lr=0.05, networks=8, dim=192, widths=[1.0, INF])
    run, limit = found.runs
    assert run.networks is not None
    assert run.networks.shape == (8, len(run.time))
    np.testing.assert_allclose(run.network_mean, run.sharpness, rtol=0.05)
    assert (run.network_error < 0.03 * run.sharpness).all()
    assert found.dim == 192
    assert limit.networks is None
    with pytest.raises(ValueError, match="networks are missing"):
        _ = limit.network_mean


def test_a_diverged_network_leaves_no_mean() -> None:
    run = made([0.5, 0.6], networks=np.array([[1.0, 1.2], [1.1, INF]]))
    assert run.network_mean.tolist() == [1.05, INF]
    assert run.network_error[1] == INF


def test_several_outputs_have_the_sharpness_of_the_sharpest_channel() -> None:
    problem = RICH.replace(**{"data.targets": [[1.0, 0.0], [0.0, 4.0]]})
    run = edge(problem, 20, lr=0.02).runs[0]
    channels = lm.solve(
        problem.replace(**{"optimizer.lr": 0.02}), 20, spectrum_at=run.time, lanczos=8
    ).channels
    values = [channel.spectrum.sharpness for channel in channels]
    np.testing.assert_array_equal(run.sharpness, np.max(values, axis=0))


def test_forms() -> None:
    found = edge(RICH, 20, lr=[0.05, 0.1], widths=[1, 2])
    assert repr(found) == "<EdgeOfStability of 4 runs of 20 steps: lr 0.05, 0.1>"
    lines = str(found).splitlines()
    assert lines[1].startswith("muP, width 1")
    assert lines[5].startswith("Progressive sharpening: in 4 of 4 stable runs")
    assert "<table>" in found._repr_html_()
    assert "<table>" in found.runs[0]._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0.0}, "lr must be a positive learning rate, or a list of them, got 0.0"),
        ({"lr": []}, "lr must be"),
        ({"times": [0.5]}, r"times must be whole numbers from 0 to 9, got \[0.5\]"),
        ({"times": 10}, "times must be whole numbers from 0 to 9, got 10"),
        ({"grid": "flow"}, "grid must be 'exact' or 'adaptive', got 'flow'"),
        ({"parameterizations": ["sp"]}, "parameterizations must be 'mup' or 'ntk', got 'sp'"),
        ({"parameterizations": []}, "parameterizations must be"),
        ({"widths": []}, "widths must be a list of at least one width"),
        ({"widths": [-1]}, r"network\.width must be"),
        ({"networks": -1}, "networks must be 0 or more, got -1"),
        ({"limits": 1}, "limits must be true or false, got 1"),
        ({"lanczos": 1}, "lanczos must be a whole number from 2"),
        ({"rtol": 0}, "rtol must be a positive finite number, got 0"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        edge(RICH, 10, **options)
    with pytest.raises(ValueError, match="steps must be at least 2, got 1"):
        edge(RICH, 1)


@pytest.mark.parametrize("data", [lm.OnePass(0.5), lm.MultiPass(2.0, batch_fraction=0.5)])
def test_random_batches_take_exact_steps(data: lm.OnePass | lm.MultiPass) -> None:
    with pytest.raises(ValueError, match="grid must be 'exact' for random batches"):
        edge(RICH.replace(data=data), 10, lr=0.01, grid="adaptive")
