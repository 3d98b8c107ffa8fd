"""The spectrum of the Hessian as a value: density, outliers, text, dataset and file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from spectra import hessian_spectrum

import lindmft as lm
from lindmft.results import HessianSpectrum, NotRequested, netcdf
from lindmft.results.observables import SPECTRUM

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
EDGES = np.linspace(0.0, 2.0, 9)
THEORY_ONLY = ("bulk_edge", "bulk_edge_error")


def arrays_of(spectrum: HessianSpectrum) -> dict[str, Any]:
    return {name: values for name, values in vars(spectrum).items() if values is not None}


def assert_same(found: HessianSpectrum, expected: HessianSpectrum) -> None:
    assert arrays_of(found).keys() == arrays_of(expected).keys()
    for name, values in arrays_of(expected).items():
        np.testing.assert_array_equal(getattr(found, name), values, err_msg=name)


# ---- density


@pytest.mark.parametrize("lanczos", [8, 24, 80])
def test_a_constant_density_is_found_again(lanczos: int) -> None:
    density, edges = hessian_spectrum(lanczos=lanczos).density(EDGES)
    np.testing.assert_array_equal(edges, EDGES)
    np.testing.assert_allclose(density, 0.5, rtol=1.0 / lanczos)
    assert density.shape == (2, 8)


def test_the_density_has_the_mass_of_the_weights() -> None:
    for spectrum in (hessian_spectrum(), hessian_spectrum(seeds=3)):
        for start in ("random", "target"):
            density, edges = spectrum.density(7, start=start)
            assert density.shape == (*spectrum.sharpness.shape, 7)
            np.testing.assert_allclose((density * np.diff(edges)).sum(axis=-1), 1.0, rtol=1e-12)
    assert hessian_spectrum().density(4)[1].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    half, _ = hessian_spectrum(lanczos=24).density([0.0, 1.0])
    np.testing.assert_allclose(half, 0.5, rtol=0.01)


def test_an_outlier_is_counted_in_its_bin_and_not_spread() -> None:
    edges = np.array([0.0, 1.0, 2.0, 2.9, 3.1, 4.0])
    density, _ = hessian_spectrum(outlier=3.0, lanczos=24).density(edges, start="target")
    np.testing.assert_allclose(density[0] * np.diff(edges), [0.25, 0.25, 0, 0.5, 0], atol=0.005)
    assert density[0][2] == density[0][4] == 0.0


def test_eigenvalues_of_a_method_that_ended_early_are_not_spread() -> None:
    spectrum = hessian_spectrum(ended=3)
    values, weights = spectrum.target_ritz[0, :3], spectrum.target_weight[0, :3]
    edges = np.linspace(0.0, 2.5, 100)
    density, _ = spectrum.density(edges, start="target")
    expected = np.histogram(values, edges, weights=weights)[0]
    np.testing.assert_allclose(density[0] * np.diff(edges), expected)


def test_a_network_that_had_diverged_has_an_infinite_density() -> None:
    spectrum = hessian_spectrum(seeds=2)
    spectrum.random_ritz[1, 1] = np.inf
    density, edges = spectrum.density(5)
    assert np.isposinf(density[1, 1]).all()
    assert np.isfinite(density[0]).all()
    assert np.isfinite(edges).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bins": 0}, "^bins must be a whole number from 1"),
        ({"bins": 2.5}, "^bins must be a whole number from 1"),
        ({"bins": [1.0]}, "^bins must be a number of bins, .* edges, finite and increasing"),
        ({"bins": [1.0, 1.0]}, "^bins must be"),
        ({"bins": [0.0, np.inf]}, "^bins must be"),
        ({"start": "bulk"}, "^start must be 'target' or 'random', got 'bulk'"),
    ],
)
def test_bad_arguments_of_the_density_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(lm.BadInput, match=message):
        hessian_spectrum().density(**arguments)


# ---- outliers, and text


def test_an_outlier_lies_above_the_bulk_by_more_than_the_errors() -> None:
    """The bulk ends at 2 with an error of 0.02, and the sharpness has one of 0.01."""
    assert hessian_spectrum(outlier=2.04).outlier.tolist() == [True, True]
    assert hessian_spectrum(outlier=2.025).outlier.tolist() == [False, False]
    assert hessian_spectrum().outlier.tolist() == [False, False]
    diverged = hessian_spectrum(outlier=3.0)
    diverged.target_ritz[1] = np.inf
    assert diverged.outlier.tolist() == [True, False]


def test_networks_have_no_edge_from_which_to_tell_an_outlier() -> None:
    runs = hessian_spectrum(seeds=2)
    with pytest.raises(NotRequested, match=r"outlier needs the bulk edge.*solve\(\.\.\., spectrum"):
        _ = runs.outlier
    assert not hasattr(runs, "outlier")


def test_a_spectrum_has_a_short_text() -> None:
    assert repr(hessian_spectrum(outlier=3.0)) == (
        "<HessianSpectrum at 2 times 0 to 5, sharpness 3, bulk edge 2; 8 steps of Lanczos' method>"
    )
    runs = hessian_spectrum(times=[4.0], seeds=3)
    assert repr(runs) == (
        "<HessianSpectrum of 3 networks at 1 time 4, sharpness 1.96; 8 steps of Lanczos' method>"
    )
    assert "bulk edge" in hessian_spectrum()._repr_html_()


# ---- fields of results


@pytest.mark.parametrize(
    ("call", "name"), [(lm.solve, "solve"), (lm.train, "train")], ids=["solve", "train"]
)
def test_results_say_how_to_ask_for_the_spectrum(call: Any, name: str) -> None:
    result = call(PROBLEM, 3)
    assert not result.has("spectrum")
    message = rf"^spectrum was not computed: {name}\(\.\.\., spectrum_at=\[\.\.\.\]\) does it$"
    with pytest.raises(NotRequested, match=message):
        _ = result.spectrum
    assert replace(result, spectrum=hessian_spectrum()).has("spectrum")
    assert not hasattr(result, "spectrum")


def test_the_spectrum_of_several_outputs_is_that_of_the_channels() -> None:
    theory = with_channels()
    assert theory.has("spectrum")
    with pytest.raises(NotRequested, match=r"is that of a channel: channels\[0\]\.spectrum$"):
        _ = theory.spectrum
    plain = lm.solve(PROBLEM.replace({"data.targets": [1.0, 0.5]}), 3)
    with pytest.raises(NotRequested, match=r"\) does it in channels\[j\]\.spectrum$"):
        _ = plain.spectrum


def test_other_times_of_a_solution_leave_the_spectrum_as_it_is() -> None:
    theory = replace(lm.solve(PROBLEM, 6), spectrum=hessian_spectrum())
    assert theory.at([0, 3]).spectrum is theory.spectrum


def with_channels(grid: str = "exact") -> lm.Solution:
    """A solution of two outputs whose channels have spectra."""
    theory = lm.solve(PROBLEM.replace({"data.targets": [1.0, 0.5]}), 6, grid=grid)
    spectra = (hessian_spectrum(outlier=2.5), hessian_spectrum())
    channels = (replace(c, spectrum=s) for c, s in zip(theory.channels, spectra, strict=True))
    return replace(theory, channels=tuple(channels))


# ---- datasets and files


def test_datasets_have_the_spectrum_with_its_dimensions_and_units() -> None:
    spectrum = hessian_spectrum(ended=5)
    dataset = replace(lm.solve(PROBLEM, 6), spectrum=spectrum).to_xarray()
    for name, one in SPECTRUM.items():
        assert dataset[name].dims == one.dims
        assert dataset[name].attrs["long_name"] == one.long_name
        expected = "1" if name.endswith("weight") else "1 / learning rate"
        assert dataset[name].attrs["units"] == expected
        np.testing.assert_array_equal(dataset[name], getattr(spectrum, name))
    assert dataset.spectrum_time.attrs["units"] == dataset.time.attrs["units"] == "steps"
    assert "nan where" in dataset.target_ritz.attrs["comment"]
    assert dataset.sharpness.sel(spectrum_time=5).item() == spectrum.sharpness[1]
    assert dataset.target_ritz.sel(ritz=0, spectrum_time=5) == spectrum.target_ritz[1, 0]
    flow = replace(lm.flow(PROBLEM, 6.0), spectrum=spectrum).to_xarray()
    assert flow.spectrum_time.attrs["units"] == "learning rate times steps"


def test_datasets_of_networks_have_seeds_and_no_edge() -> None:
    runs = lm.train(PROBLEM, 6, dim=16, seeds=[4, 7])
    dataset = replace(runs, spectrum=hessian_spectrum(seeds=2)).to_xarray()
    assert dataset.sharpness.dims == ("seed", "spectrum_time")
    assert dataset.random_ritz.dims == ("seed", "spectrum_time", "ritz")
    assert not set(THEORY_ONLY) & set(dataset)
    assert dataset.random_weight.sel(seed=7).shape == (2, 8)


@pytest.mark.parametrize("ended", [None, 3])
def test_the_spectrum_survives_a_file(tmp_path: Path, ended: int | None) -> None:
    theory = replace(lm.solve(PROBLEM, 6), spectrum=hessian_spectrum(ended=ended))
    runs = replace(lm.train(PROBLEM, 6, seeds=2), spectrum=hessian_spectrum(seeds=2, ended=ended))
    runs.spectrum.sharpness[1, 1] = np.inf
    for result in (theory, runs):
        result.save(tmp_path / "result.nc", force=True)
        loaded = type(result).load(tmp_path / "result.nc")
        assert_same(loaded.spectrum, result.spectrum)


@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_spectra_of_channels_survive_a_file(tmp_path: Path, grid: str) -> None:
    theory = with_channels(grid)
    theory.save(tmp_path / "theory.nc")
    loaded = lm.Solution.load(tmp_path / "theory.nc")
    for found, expected in zip(loaded.channels, theory.channels, strict=True):
        assert_same(found.spectrum, expected.spectrum)
    assert not hasattr(loaded, "spectrum")


def without(name: str) -> Any:
    return lambda dataset: dataset.drop_vars(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *((without(name), f"{name} is missing") for name in SPECTRUM if name != "sharpness"),
        (without("spectrum_time"), "spectrum_time is missing"),
        (lambda d: d.assign_coords(spectrum_time=[5.0, 1.0]), "spectrum_time must be finite"),
        (lambda d: d.assign_coords(spectrum_time=[0.0, np.inf]), "spectrum_time must be finite"),
        (lambda d: d.assign(sharpness=d.sharpness * np.nan), "sharpness must be numbers, none"),
        (lambda d: d.assign(bulk_edge=d.test_loss), "bulk_edge must be an array along"),
        (lambda d: d.isel(ritz=[]), "target_ritz must be at least one"),
    ],
)
def test_damaged_spectra_in_files_are_refused_by_name(
    tmp_path: Path, change: Any, message: str
) -> None:
    theory = replace(lm.solve(PROBLEM, 6), spectrum=hessian_spectrum())
    dataset: xr.Dataset = change(theory.to_xarray())
    netcdf.write(dataset, tmp_path / "damaged.nc")
    with pytest.raises(ValueError, match=message):
        lm.Solution.load(tmp_path / "damaged.nc")


def test_files_without_a_spectrum_read_as_before(tmp_path: Path) -> None:
    lm.solve(PROBLEM, 6).save(tmp_path / "theory.nc")
    assert not lm.Solution.load(tmp_path / "theory.nc").has("spectrum")


# ---- options


CALLS: dict[str, Any] = {
    "solve": lambda **options: lm.check_solve(PROBLEM, 6, **options),
    "solve_many": lambda **options: lm.solve_many([PROBLEM], 6, **options),
    "flow": lambda **options: lm.check_flow(PROBLEM, 6.0, **options),
    "train": lambda **options: lm.check_train(PROBLEM, 6, dim=16, **options),
    "estimate_memory": lambda **options: lm.estimate_memory(PROBLEM, 6, **options),
}
IN_STEPS = sorted(set(CALLS) - {"flow"})


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("value", [-1, [0, -1e-300], np.inf, [np.nan]])
def test_times_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(lm.BadInput, match="^spectrum_at must be a finite time from 0 on") as bad:
        CALLS[name](spectrum_at=value)
    assert bad.value.field == "spectrum_at"


@pytest.mark.parametrize("name", IN_STEPS)
def test_times_between_steps_are_refused(name: str) -> None:
    with pytest.raises(lm.BadInput, match=r"^spectrum_at must be whole steps from 0 on, got 2\.5"):
        CALLS[name](spectrum_at=[1, 2.5])


@pytest.mark.parametrize("name", CALLS)
def test_nothing_is_asked_for_by_none_and_by_an_empty_list(name: str) -> None:
    for nothing in (None, (), [], np.array([])):
        CALLS[name](spectrum_at=nothing)
        with pytest.raises(lm.BadInput, match="^lanczos cannot be combined with spectrum_at=None"):
            CALLS[name](spectrum_at=nothing, lanczos=8)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("value", [1, 5000, 2.5, "8"])
def test_a_bad_number_of_steps_of_the_method_is_refused(name: str, value: Any) -> None:
    with pytest.raises(lm.BadInput, match="^lanczos must be a whole number"):
        CALLS[name](spectrum_at=[0], lanczos=value)


def test_the_core_gets_the_times_in_order_and_each_once() -> None:
    from lindmft.theory.options import checked_options

    for given in ([5, 0, 5.0, 2], np.array([5, 2, 0]), (0, 2, 5), range(6)[::-1]):
        found = checked_options({"spectrum_at": given})["spectrum_at"]
        assert found == tuple(sorted(set(map(float, given))))
    assert checked_options({"spectrum_at": np.int64(3)})["spectrum_at"] == (3.0,)
    assert "spectrum_at" not in checked_options({"spectrum_at": None})


def test_trainings_of_other_kinds_have_no_spectrum() -> None:
    with pytest.raises(lm.BadInput, match="spectrum_at is not an option of train_many"):
        lm.check_train([PROBLEM], 6, dim=16, spectrum_at=[0])
    with pytest.raises(lm.BadInput, match="spectrum_at is not an option of train_replicas"):
        lm.check_train(PROBLEM, 6, dim=16, k_init=2, spectrum_at=[0])
