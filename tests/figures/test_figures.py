"""The figures: their content, their agreement with training, their files, and their errors."""

import csv
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft.figures import Curve, Panel, Points
from lindmft.figures._runs import leading_modes, points_of
from lindmft.figures._tables import agreement_table
from lindmft.figures.paper.figure_09 import first_ratio
from lindmft.results.statistics import standard_error

SMALL: dict[str, dict[str, Any]] = {
    "1": {"steps": 8, "depth_steps": 8},
    "2": {"steps": 8, "points": 5, "trained_points": 3},
    "3": {"steps": 8, "times": (2, 5), "alpha_points": 4, "trained_alphas": 2, "fresh_steps": 8},
    "4": {"steps": 8, "depths": (1, 4)},
    "5": {"steps": 8, "points": 5, "trained_points": 3},
    "6": {"steps": 30, "hidden": 32, "widths": (16, 32)},
    "7": {"steps": 8, "points": 4, "trained_points": 3, "widths": (16, 32)},
    "8": {"steps": 20, "depths": (1, 2), "points": 3, "trained_points": 2, "precision": 0.1},
    "9": {},
    "10": {"steps": 30, "hidden": 32, "sources": (0.5, 1)},
    "table1": {"horizons": (30, 1000), "solved": (10, 20), "adaptive": (300, 1000)},
    "depth": {"steps": 8, "depths": (1, 2), "line_depths": (2, 4, 8), "times": (2, 5)},
    "edge": {"steps": 8, "times": (0, 5), "widths": (0.5, 1), "spectrum_dim": 24},
    "horizon": {"exact": (10, 20), "horizons": (30, 300), "repeats": 1},
    "million": {"steps": 3001, "trained_steps": 301},
    "multi-pass": {"steps": 8},
    "optimizers": {"steps": 8, "warmup": 3},
    "scaling-laws": {"steps": 101, "trained_steps": 31, "widths": (16, 32), "schedule_steps": 31},
    "variances": {"steps": 8},
    "ensembling": {"steps": 8},
}
UNTRAINED = ("table1", "horizon")

PRINTED = {
    "1": {
        "widths": (0.25, 0.5, 1, 2, 5),
        "depth": 4,
        "steps": 101,
        "depths": (2, 4, 8, 16),
        "depth_steps": 126,
    },
    "2": {
        "ntk_widths": (0.2, 0.5, 1, 2, 5),
        "mup_widths": (0.25, 0.5, 1, 2, 5),
        "rates": (0.01, 0.1),
    },
    "3": {
        "depth": 4,
        "gamma0": 2,
        "alphas": (0.5, 0.75, 1, 2, 4),
        "steps": 126,
        "times": (10, 50, 100, 250, 500, 1000),
        "alpha_range": (0.25, 2),
        "batches": (0.03, 0.05, 0.1, 0.25, 0.5, 1),
        "batch_width": 0.25,
        "width_batch": 0.05,
        "widths": (0.15, 0.25, 0.5, 1, 2, 4),
    },
    "4": {
        "depth": 16,
        "gamma0s": (1, 2, 4, 6, 8),
        "branches": (1, 1.5, 2, 2.5, 3),
        "depth_branch": 1.2,
        "depths": (1, 2, 4, 8, 16, 32, 64),
        "steps": 201,
    },
    "5": {
        "rates": (1e-4, 1e-1),
        "depths": (1, 2, 4, 8),
        "constant_branch": 1,
        "depth_branch": 1.25,
    },
    "6": {
        "depth": 4,
        "hidden": 1024,
        "batches": (4, 8, 16, 32, 64),
        "steps": 1001,
        "batch": 16,
        "widths": (16, 32, 64, 128, 256, 512, 1024, 2048),
    },
    "7": {
        "capacity": 2,
        "source": 1.75,
        "depth": 3,
        "batch": 128,
        "gamma0": 0.4,
        "widths": (16, 32, 64, 128, 256, 512, 1024),
        "rates": (1e-4, 1),
    },
    "8": {"widths": (1, 10)},
    "9": {
        "depth": 4,
        "batch_width": 0.25,
        "batches": (0.025, 0.033, 0.05, 0.1, 0.25, 0.5, 1),
        "width_batch": 0.05,
        "widths": (0.12, 0.25, 0.5, 1, 2),
        "steps": 11,
    },
    "10": {"sources": (0.2, 0.33, 0.5, 0.67, 0.83, 1), "steps": 1001},
}
"""Values that the paper prints, by figure (theory section 13)."""


@pytest.mark.parametrize("name", PRINTED)
def test_printed_values_are_the_papers(name: str) -> None:
    parameters = lm.figures.get(name).parameters
    assert {key: getattr(parameters, key) for key in PRINTED[name]} == PRINTED[name]


def small(name: str, *panels: str, **changes: Any) -> lm.figures.Result:
    sizes = {} if name in UNTRAINED else {"dim": 24, "seeds": 4}
    return lm.figures.get(name).make(*panels, quick=True, **(SMALL[name] | sizes | changes))


@pytest.mark.long
@pytest.mark.parametrize("name", lm.figures.NAMES)
def test_every_figure_is_computed_drawn_and_written(name: str, tmp_path: Path) -> None:
    result = small(name)
    assert list(result.panels) == list(result.figure.panels)
    for panel in result.panels.values():
        assert bool(panel.trained) == (name not in UNTRAINED and panel.title[:8] != "distance")
        for curve in panel.curves:
            assert curve.x.shape == curve.y.shape
            assert np.isfinite(curve.y).all()
            assert not curve.guide or curve.label or panel.grey, "not explained"
        for points in panel.trained:
            assert np.isfinite([points.x, points.mean, points.expected]).all()
    png, svg, data = result.save(tmp_path)
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    assert_data_is_the_figure(data, result)


def assert_data_is_the_figure(path: Path, result: lm.figures.Result) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert f"# lindmft {lm.__version__}, figure {result.figure.name}: " in lines[0]
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    for key, panel in result.panels.items():
        theory = [row for row in rows if row["panel"] == key and row["kind"] != "training"]
        assert len(theory) == sum(len(curve.x) for curve in panel.curves)
        trained = [row for row in rows if row["panel"] == key and row["kind"] == "training"]
        means = np.concatenate([[]] + [points.mean for points in panel.trained])
        np.testing.assert_allclose([float(row["y"]) for row in trained], means, rtol=1e-9)


@pytest.mark.parametrize("name", ["3", "multi-pass", "variances", "ensembling", "depth"])
def test_training_agrees_with_the_theory(name: str) -> None:
    """Deviations are within standard errors: with 192 inputs the terms of order 1 / D are small."""
    sizes: dict[str, Any] = {"dim": 192, "seeds": 64}
    changes = {"3": {"batches": (0.25, 1), "widths": (1, 2), "times": (10, 20)}, "depth": {}}
    result = small(name, **(sizes | changes.get(name, {})))
    for panel in result.panels.values():
        if panel.trained:
            z = np.concatenate([points.agreement().z for points in panel.trained])
            assert np.sqrt(np.mean(z**2)) < 2.0
            assert np.abs(z).max() < 5.0


@pytest.mark.parametrize(
    "wrong", [{"data.noise": 0.3}, {"optimizer.lr": 0.05}, {"network.width": 1.3}]
)
def test_a_wrong_theory_does_not_agree(wrong: dict[str, Any]) -> None:
    """The test above can fail: at the same sizes, wrong theories do not agree."""
    result = small("multi-pass", "a", dim=192, seeds=64)
    network = lm.MLP(result.parameters.depth, 1.0, result.parameters.gamma0)
    right = lm.Problem(network, lm.FullBatch(2.0, noise=0.5), lm.SGD(result.parameters.lr))
    curve = result.panels["a"].curves[-1]  # the training loss of full batch
    assert curve.points is not None
    at = curve.points.x.astype(int)
    for problem, agrees in ((right, True), (right.replace(**wrong), False)):
        expected = lm.solve(problem, 8).train_loss[at]
        z = replace(curve.points, expected=expected).agreement().z
        assert bool(np.sqrt(np.mean(z**2)) < 2.0 and np.abs(z).max() < 5.0) == agrees


def test_training_supports_the_kernel_l_plus_1_of_figure_9() -> None:
    result = lm.figures.get("9").make("a", quick=True, batches=(1.0,), steps=2, seeds=128)
    points = result.panels["a"].curves[0].points
    assert points is not None
    right = first_ratio(4, 5, width=0.25, batch=1.0, lr=result.parameters.lr)
    paper = first_ratio(4, 4, width=0.25, batch=1.0, lr=result.parameters.lr)
    assert abs(points.mean[1] - right) < 4 * points.error[1]
    assert abs(points.mean[1] - paper) > 6 * points.error[1]
    # And the theory has no doubt.
    assert points.expected[1] == pytest.approx(right, rel=1e-12)


def test_training_supports_the_exponents_l_over_l_plus_1_of_figure_8() -> None:
    panel = small("8", "a", steps=60, points=4, precision=0.03, dim=48).panels["a"]
    for depth, curve in zip((1, 2), [c for c in panel.curves if c.points], strict=True):
        assert curve.points is not None
        slope = np.polyfit(np.log(curve.points.x), np.log(curve.points.mean), 1)[0]
        assert slope == pytest.approx(depth / (depth + 1), abs=0.04)
        assert abs(slope - (1 - 1 / depth)) > 0.1
    assert "L/(L+1) = 0.67" in panel.notes[1]


def test_a_million_steps_end_where_they_must() -> None:
    panel = lm.figures.get("million").make(quick=True, trained_steps=11, dim=8).panels[""]
    ends = {curve.label: curve.y[-1] for curve in panel.curves if curve.test and not curve.guide}
    assert ends["2"] == pytest.approx(0.09, rel=1e-6)
    assert ends["4"] == pytest.approx(0.03, rel=1e-6)


def test_the_spectrum_of_networks_has_the_density_of_the_theory() -> None:
    sizes = {"steps": 20, "times": (0, 12), "spectrum_dim": 96, "spectrum_seeds": 32}
    panel = small("edge", "b", **sizes).panels["b"]
    z = np.concatenate([points.agreement().z for points in panel.trained])
    assert len(z) == 32
    assert np.sqrt(np.mean(z**2)) < 1.5
    assert panel.grey == "an eigenvalue that has left the bulk"


def test_the_sharpness_of_trained_networks_does_not_depend_on_the_width_in_mup() -> None:
    panel = small("edge", "c", steps=101, widths=(4, 1)).panels["c"]
    ends = {curve.label: curve.y for curve in panel.curves}
    assert ends["muP"] == pytest.approx(ends["muP"][0], rel=0.02)
    assert ends["NTK"][0] > 2 * ends["NTK"][1]
    assert ends["at the start"][0] > 1.2 * ends["at the start"][1]


def test_infinite_depth_is_a_distance_of_1_over_l_away() -> None:
    panel = lm.figures.get("depth").make("b", quick=True, line_depths=(16, 32, 64)).panels["b"]
    for curve in panel.curves:
        assert np.polyfit(np.log(curve.x), np.log(curve.y), 1)[0] == pytest.approx(-1, abs=0.1)


def test_runs_beyond_the_edge_of_stability_are_drawn_and_not_scored() -> None:
    result = small("2", "b", dim=64, steps=40, trained_points=6, mup_widths=(1.0,))
    (points,) = result.panels["b"].trained
    assert points.smooth[:2].all()
    assert not points.smooth[-1]
    assert len(points.agreement().z) == points.smooth.sum()
    assert f"{(~points.smooth).sum()} points beyond the edge of stability" in result.table()


def test_a_wrong_theory_is_seen_in_the_table() -> None:
    x, mean, error = np.arange(3.0), np.full(3, 0.5), np.full(3, 0.01)
    points = Points(x, mean, error, mean * [1, 1, 1.2], 8, 64, np.ones(3, bool))
    panel = Panel("", "x", "y", [Curve("", x, mean, points)])
    row = agreement_table({"1a": panel}).splitlines()[1].split()
    assert row == ["1a", "64", "8", "3", "-10.00", "5.77", "0.00%", "-16.7%"]


def test_one_network_has_errors_and_no_scores() -> None:
    row = small("ensembling", "a", seeds=1).table().splitlines()[1].split()
    assert row[:6] == ["ensembling-a", "24", "1", "32", "-", "-"]


def test_panels_by_name() -> None:
    assert lm.figures.parse("3c") == (lm.figures.get("3"), ("c",))
    assert lm.figures.parse("multi-pass-b") == (lm.figures.get("multi-pass"), ("b",))
    assert lm.figures.parse("table1") == (lm.figures.get("table1"), ())
    for name in ("3e", "33", "10a", "multi-passb", ""):
        with pytest.raises(ValueError, match="the figure must be '1', '2'"):
            lm.figures.parse(name)


@pytest.mark.parametrize(
    ("panels", "changes", "message"),
    [
        (("z",), {}, "the panel of figure 2 must be 'a' or 'b', got 'z'"),
        ((), {"wdiths": 1}, "the parameter of figure 2 must be 'ntk_widths', .* got 'wdiths'"),
        ((), {"depth": 1.5}, "depth of figure 2 must be a whole number, got 1.5"),
        ((), {"depth": "3"}, "depth of figure 2 must be a whole number, got '3'"),
        ((), {"mup_widths": ()}, "mup_widths of figure 2 must be at least one number"),
        ((), {"mup_widths": "12"}, "mup_widths of figure 2 must be a number, got '12'"),
        ((), {"rates": 0.1}, "rates of figure 2 must be two numbers, got 0.1"),
        ((), {"mup_widths": (1, 1)}, "mup_widths of figure 2 must be numbers that differ"),
        ((), {"quick": 1}, "quick must be true or false, got 1"),
        (("b",), {"mup_widths": -1.0}, "network.width must be"),
    ],
)
def test_refusals(panels: tuple[str, ...], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.figures.get("2").make(*panels, **{"quick": True, **changes})


def test_the_same_figure_is_the_same_file(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written.append([path.read_bytes() for path in small("ensembling").save(tmp_path / name)])
    assert written[0] == written[1]


@pytest.mark.long
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *((name, {"seeds": 1}) for name in lm.figures.NAMES if name not in UNTRAINED),
        ("1", {"widths": 1, "depths": 2, "steps": 2}),
        ("2", {"trained_points": 1, "points": 1, "mup_widths": 1, "ntk_widths": 1}),
        ("2", {"rates": (0.5, 3.0)}),  # all of them diverge
        ("3", {"times": 1, "trained_alphas": 1, "alpha_points": 1, "noise": 0}),
        ("4", {"steps": 1}),
        ("6", {"easy": 1.0}),  # lazy and rich exponents are the same from there on
        ("8", {"depths": 2, "points": 1, "trained_points": 1}),
        ("9", {"steps": 1}),
        ("depth", {"line_depths": 4, "times": 0}),
        ("edge", {"rates": 5.0, "widths": 1, "times": 0}),  # diverges
        ("edge", {"steps": 2, "spectrum_seeds": 1}),
        ("million", {"alphas": 0.5}),
        ("multi-pass", {"fractions": 0.5, "alphas": 0.25}),
        ("optimizers", {"momenta": 0, "warmup": 1}),
        ("variances", {"noise": 0, "steps": 2}),
        ("ensembling", {"counts": 1, "steps": 1}),
    ],
)
def test_odd_settings_are_drawn_without_a_warning(name: str, changes: dict[str, Any]) -> None:
    result = small(name, **changes)
    result.draw()
    assert "nan" not in result.table() + result.csv()


@pytest.mark.parametrize(("capacity", "source"), [(2.0, 0.5), (2.0, 1.75)])
def test_modes_that_are_not_trained_keep_their_loss_and_are_noise(
    capacity: float, source: float
) -> None:
    spectrum = lm.PowerLaw(capacity, source, tolerance=1e-4)
    network = lm.MLP(depth=2, hidden=64, gamma0=1.0, centered=True)
    whole = lm.Problem(network, lm.OnePass(batch=16, spectrum=spectrum), lm.SGD(0.03))
    cut, tail = leading_modes(128)(whole)
    expected = lm.solve(whole, 60).test_loss
    np.testing.assert_allclose(lm.solve(cut, 60).test_loss + tail, expected, rtol=0.02)
    if source < 1:  # where it matters
        assert np.abs(lm.solve(cut, 60).test_loss / expected - 1).max() > 0.03


def test_guides_of_figure_8_start_on_the_line() -> None:
    panel = small("8", "a", widths=(2, 10), depths=(2,)).panels["a"]
    line, right, paper = panel.curves
    assert right.y[0] == pytest.approx(1.06 * line.y[0])
    assert paper.y[0] == pytest.approx(line.y[0])


def test_edges_outside_of_the_scan_are_left_out_of_figure_8() -> None:
    result = small("8", "a", gamma0=0.3, depths=(2,), dim=16)
    (points,) = [curve.points for curve in result.panels["a"].curves if curve.points]
    assert len(points.x) < 2
    assert "widths left out, with edges outside the scan" in result.table()


def test_networks_that_diverge_are_counted() -> None:
    """At this rate some of the small networks diverge, while the theory does not."""
    seeds = list(range(8))
    problem = lm.Problem(lm.MLP(depth=3, gamma0=4.0), lm.FullBatch(alpha=4.0), lm.SGD(0.1))
    runs = lm.train(problem, 30, dim=12, seeds=seeds)
    assert 0 < sum(at is not None for at in runs.diverged_at) < len(seeds)
    mean = runs.test_loss.mean(axis=0)
    expected = np.ones_like(mean)
    points = points_of(runs.time, mean, standard_error(runs.test_loss), expected, runs)
    assert points.left_out == int(np.isinf(mean).sum()) > 0
    assert np.isfinite(points.error).all()
    panel = Panel("", "t", "loss", [Curve("", points.x, points.expected, points)])
    assert f"1a: {points.left_out} points left out" in agreement_table({"1a": panel})
