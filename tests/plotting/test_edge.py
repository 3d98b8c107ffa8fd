"""Pictures of the edge of stability, and of the spectrum of the Hessian."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from spectra import hessian_spectrum

import lindmft as lm
from lindmft.plotting.densities import smooth_density

mpl.use("Agg")
RICH = lm.Problem(lm.MLP(depth=2, gamma0=2.0), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))


def labels(ax: mpl.axes.Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: mpl.axes.Axes) -> list[str]:
    box = ax.get_legend()
    return [] if box is None else [text.get_text() for text in box.get_texts()]


def edge(**options: object) -> lm.EdgeOfStability:
    return lm.edge_of_stability(RICH, 30, **{"limits": False, **options})  # type: ignore[arg-type]


def test_rates_are_lines_beside_the_threshold() -> None:
    found = edge(lr=[0.05, 0.1], networks=2, dim=16)
    ax = lm.plotting.edge_of_stability(found, Figure().subplots())
    assert labels(ax) == ["lr 0.05", "lr 0.1", "threshold"]
    assert legend(ax) == ["theory", "mean of 2 networks, D = 16"]
    lines = [line for line in ax.get_lines() if len(line.get_xdata()) == len(found.runs[0].time)]
    heights = [np.asarray(line.get_ydata(), float) for line in lines]
    for run in found.runs:
        assert any(np.allclose(run.lr * run.sharpness, y) for y in heights)
        assert any(np.allclose(run.lr * run.network_mean, y) for y in heights)
    assert any((np.asarray(line.get_ydata()) == 2.0).all() for line in ax.get_lines())


def test_what_is_no_prediction_is_dotted() -> None:
    found = edge(lr=0.1)
    (run,) = found.runs
    cut = replace(run, predictable_until=float(run.time[10]))
    ax = lm.plotting.edge_of_stability(replace(found, runs=(cut,)), Figure().subplots())
    solid, dotted = ax.get_lines()[:2]
    assert (solid.get_linestyle(), dotted.get_linestyle()) == ("-", ":")
    assert np.asarray(solid.get_xdata())[-1] == np.asarray(dotted.get_xdata())[0] == run.time[10]
    assert legend(ax) == ["theory", "no prediction any more"]


def test_runs_far_beyond_the_threshold_and_diverged_ones_are_drawn() -> None:
    found = edge(lr=[0.1, 1.0, 50.0])
    ax = lm.plotting.edge_of_stability(found, Figure().subplots())
    assert ax.get_ylim() == (0.0, 4.0)
    assert labels(ax)[-1] == "threshold"


def test_widths_have_colours_and_parameterizations_dashes() -> None:
    found = edge(lr=[0.05, 0.1], widths=[1, 2], parameterizations=["mup", "ntk"])
    ax = lm.plotting.edge_of_stability(found, Figure().subplots(), lr=0.1)
    assert legend(ax) == ["muP", "NTK"]
    assert sorted(labels(ax)) == ["threshold", *["width 1"] * 2, *["width 2"] * 2]
    assert [line.get_linestyle() for line in ax.get_lines()[:4]] == ["-", "-", "--", "--"]
    with pytest.raises(ValueError, match=r"lr must be a learning rate .* \(0.05, 0.1\), got 0.2"):
        lm.plotting.edge_of_stability(found, lr=0.2)


def test_a_threshold_that_changes_is_drawn_as_one() -> None:
    decay = RICH.replace(**{"optimizer.weight_decay": 0.5, "optimizer.lr": [0.02] * 5 + [0.1] * 25})
    found = lm.edge_of_stability(decay, 30, lr=0.1, limits=False)
    ax = lm.plotting.edge_of_stability(found, Figure().subplots())
    assert ax.get_ylabel() == "learning rate times sharpness over threshold"
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), found.runs[0].ratio)


# ---- spectra


def test_smooth_densities_are_those_of_marchenko_and_pastur() -> None:
    """One hidden layer at the start: 1 + W^T W / N, on infinite data (theory section 15)."""
    problem = lm.Problem(lm.MLP(width=2.0), lm.Population(), lm.SGD(lr=0.1))
    spectrum = lm.solve(problem, 2, spectrum_at=0, lanczos=8).spectrum
    low, high = 1 + (1 - 0.5**0.5) ** 2, 1 + (1 + 0.5**0.5) ** 2
    x = np.linspace(0.5, 5.0, 1001)
    inside = (x > low) & (x < high)
    expected = np.zeros(len(x))
    y = x[inside]
    expected[inside] = np.sqrt((high - y) * (y - low)) / (np.pi * (y - 1))
    found = smooth_density(spectrum, 0, x)
    assert found is not None
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max() + 2e-3)


def test_spectra_without_a_smooth_density_are_drawn_in_bins() -> None:
    gap = lm.Population(spectrum=lm.Discrete([1.0, 0.1], target_power=[1, 1], weights=[0.5, 0.5]))
    theory = lm.solve(lm.Problem(lm.MLP(), gap, lm.SGD(lr=0.1)), 3, spectrum_at=[0, 2], lanczos=8)
    assert smooth_density(theory.spectrum, 0, np.linspace(0, 3, 10)) is None
    axes = lm.plotting.spectrum(theory, axes=Figure().subplots(1, 2, squeeze=False))
    assert [len(ax.patches) for ax in axes[0]] == [1, 1]


def test_histograms_have_the_weight_of_all_eigenvalues() -> None:
    theory = lm.solve(RICH, 20, spectrum_at=[0, 19], lanczos=8)
    runs = lm.train(RICH, 20, dim=16, seeds=3, spectrum_at=[0, 19], lanczos=16)
    axes = lm.plotting.spectrum(theory, runs, Figure().subplots(1, 2, squeeze=False))
    for ax in axes[0]:
        heights, edges, _ = ax.patches[0].get_data()
        assert heights @ np.diff(edges) == pytest.approx(1.0)
        assert ax.get_title()[:4] == "t = "
    assert legend(axes[0, 1]) == ["theory", "3 networks"]
    partly = lm.train(RICH, 20, dim=16, seeds=3, spectrum_at=[0, 19], lanczos=4)
    lm.plotting.spectrum(theory.spectrum, partly.spectrum)


def test_outliers_are_marked() -> None:
    theory = hessian_spectrum(outlier=3.0)
    axes = lm.plotting.spectrum(theory, hessian_spectrum(seeds=2))
    assert legend(axes[0, -1]) == ["theory", "2 networks", "left the bulk"]


def test_refusals() -> None:
    theory = lm.solve(RICH, 5)
    with pytest.raises(ValueError, match="theory has no spectrum: compute it with spectrum_at="):
        lm.plotting.spectrum(theory)
    with pytest.raises(ValueError, match="theory must be a Solution or its spectrum"):
        lm.plotting.spectrum(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="runs must be a spectrum of trained networks"):
        lm.plotting.spectrum(hessian_spectrum(), hessian_spectrum())
    with pytest.raises(ValueError, match="runs must be a spectrum at the times of theory"):
        lm.plotting.spectrum(hessian_spectrum(), hessian_spectrum([0.0, 7.0], seeds=2))
