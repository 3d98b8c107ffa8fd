"""The coordinate check: against solutions and training runs, and what it says of muP and NTK."""

import dataclasses
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm
from lindmft.analysis.coordinate_checks.rms import slopes, theoretical
from lindmft.results.layers import Layers

QUANTITIES = ("features", "feature_updates", "gradients", "gradient_updates")
PROBLEM = lm.Problem.from_dict(problem(network={"depth": 3}, optimizer={"lr": 0.05}))
WIDTHS = [4, 1, 2, 8, 16, math.inf]
STEPS = 21
NTK = {"network.parameterization": "ntk"}


@pytest.fixture(scope="module")
def check() -> lm.CoordinateCheck:
    return lm.coordinate_check(PROBLEM, WIDTHS, STEPS, dim=128, seeds=16)


def every(check: lm.CoordinateCheck) -> list[np.ndarray]:
    """All arrays of numbers it holds."""
    parts = [check.theory, check.slopes, check.training, check.errors]
    return [getattr(part, name) for part in parts if part is not None for name in QUANTITIES]


def test_shapes_and_order(check: lm.CoordinateCheck) -> None:
    assert check.scalings == ("muP", "NTK")
    assert check.widths == (1, 2, 4, 8, 16, math.inf)
    assert check.time.tolist() == [0, 1, 2, 5, 10, 20]
    assert (check.size, check.dim, check.networks) == ("network.width", 128, 16)
    for part in (check.theory, check.training, check.errors):
        assert {getattr(part, name).shape for name in QUANTITIES} == {(2, 6, 3, 6)}
    assert {getattr(check.slopes, name).shape for name in QUANTITIES} == {(2, 3, 6)}
    assert not any(np.isnan(array).any() for array in every(check))


def test_theory_is_that_of_the_solutions(check: lm.CoordinateCheck) -> None:
    for width, i in ((2, 1), (math.inf, 5)):
        wide = PROBLEM.replace(**NTK, **{"network.width": width})
        solution = lm.solve(wide, STEPS, save=["C_h", "C_g"])
        theory = check.theory
        norms = np.sqrt(solution.feature_norm[:, check.time])
        np.testing.assert_allclose(theory.features[1, i], norms)
        norms = np.sqrt(solution.gradient_norm[:, check.time])
        np.testing.assert_allclose(theory.gradients[1, i], norms)
        for layer in (1, 2, 3):
            C = solution.C_h[layer]
            moved = C[10, 10] - C[10, 0] - C[0, 10] + C[0, 0]
            np.testing.assert_allclose(theory.feature_updates[1, i, layer - 1, 4] ** 2, moved)


def test_training_is_that_of_the_runs(check: lm.CoordinateCheck) -> None:
    narrow = PROBLEM.replace(**{"network.width": 1})
    runs = lm.train(narrow, STEPS, dim=128, seeds=16, updates=True)
    assert check.training is not None
    assert check.errors is not None
    square = runs.gradient_update[:, :, 20]  # type: ignore[index]
    seen = check.training.gradient_updates[0, 0, :, -1]
    np.testing.assert_allclose(seen, np.sqrt(square.mean(axis=0)))
    # The error of a root, by leaving one network out at a time
    left_out = [np.sqrt(np.delete(square, seed, axis=0).mean(axis=0)) for seed in range(16)]
    jackknife = np.sqrt(15 * np.var(left_out, axis=0))
    np.testing.assert_allclose(check.errors.gradient_updates[0, 0, :, -1], jackknife, rtol=0.02)
    assert (check.errors.gradient_updates[..., :5, :, 0] == 0).all()  # nothing has moved at t = 0


def test_theory_and_training_agree(check: lm.CoordinateCheck) -> None:
    assert check.largest_z is not None
    assert check.largest_z < 4
    assert check.training is not None
    assert np.isinf(check.training.features[:, -1]).all()  # infinite width is not trained
    assert np.isfinite(check.training.features[:, :-1]).all()


def test_another_learning_rate_would_be_noticed(check: lm.CoordinateCheck) -> None:
    other = PROBLEM.replace(**{"optimizer.lr": 0.06})
    theory = lm.coordinate_check(other, WIDTHS, STEPS).theory
    fields = {**vars(check), "theory": theory}
    z = lm.CoordinateCheck(**fields).largest_z
    assert z is not None
    assert z > 1.5 * 4  # one and a half times the bound of agreement


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_the_error_of_four_networks_is_uncertain(seed: int) -> None:
    """The largest is between 7 and 17 if Student's t is not converted."""
    problem = lm.Problem(lm.MLP(depth=3, gamma0=4.0), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.03))
    check = lm.coordinate_check(
        problem, [1, 2, 4, 8], 20, dim=64, seeds=range(4 * seed, 4 * seed + 4)
    )
    assert check.largest_z is not None
    assert check.largest_z < 4


def test_the_readout_moves_by_the_features_in_the_first_step(check: lm.CoordinateCheck) -> None:
    """Theory section 2: g^L(1) - g^L(0) = eta gamma0 h^L(0)."""
    for scaling, power in ((0, 0.0), (1, -0.5)):
        gamma0 = np.array(check.widths) ** power
        expected = 0.05 * gamma0 * check.theory.features[scaling, :, -1, 0]
        moved = check.theory.gradient_updates[scaling, :, -1, 1]
        np.testing.assert_allclose(moved, expected, rtol=1e-5)


def test_gradients_tell_lazy_networks_and_features_do_not() -> None:
    check = lm.coordinate_check(PROBLEM, [2.0**k for k in range(9)], STEPS)
    late = check.slopes.gradient_updates[:, :, -1]
    assert (np.abs(late[0]) < 0.02).all()
    np.testing.assert_allclose(late[1], -0.5, atol=0.01)
    assert (np.abs(check.slopes.feature_updates[..., -1]) < 0.02).all()  # order one in both
    endless = lm.coordinate_check(PROBLEM, [1, 2, math.inf], STEPS, at=[20]).theory
    assert (endless.gradient_updates[0, -1] > 0.1).all()
    assert (endless.gradient_updates[1, -1] == 0).all()
    assert (endless.feature_updates[:, -1] > 0.5).all()


def test_rounding_is_no_update() -> None:
    C = np.array([[1.0, 1.0 + 4e-16], [1.0 + 4e-16, 1.0]])  # would be the root of -9e-16
    layers = {"C_h": Layers("C_h", [C, C]), "C_g": Layers("C_g", [C])}
    found = theoretical(SimpleNamespace(channels=(), **layers), np.array([0, 1]))  # type: ignore[arg-type]
    assert (found["feature_updates"] == 0).all()
    assert (found["gradients"] == 1).all()


def test_slopes_are_those_of_the_wider_half() -> None:
    widths = np.array([1.0, 2.0, 4.0, 8.0, 16.0, math.inf])
    y = np.where(widths < 4, 7.0, widths**-0.3)[None, :, None, None]
    np.testing.assert_allclose(slopes(list(widths), y), [[[-0.3]]])
    for broken in (0.0, math.inf):
        y = np.where(widths == 8, broken, 1.0)[None, :, None, None]
        assert np.isposinf(slopes(list(widths), y)).all()


def test_two_widths_have_a_slope() -> None:
    check = lm.coordinate_check(PROBLEM, [8, 16], 5)
    rise = np.log2(check.theory.gradients[:, 1] / check.theory.gradients[:, 0])
    np.testing.assert_allclose(check.slopes.gradients, rise, atol=1e-12)


def test_it_says_what_it_found(check: lm.CoordinateCheck) -> None:
    first, second = check.verdict.split("NTK: ")
    begin = "muP: gradient updates at step 20 stay of order one with width (slopes "
    assert first.startswith(begin)
    assert second.startswith("gradient updates at step 20 shrink like width^(-0.4")
    lines = check.summary().splitlines()
    assert lines[0].startswith("coordinate check: network.width 1 to inf, trained with dim = 128")
    assert "16 networks a width (largest |z| " in lines[0]
    assert len(lines) == 2 + 2 * 4 * 2 + 1
    assert lines[2].split()[:2] == ["muP,", "features"]
    assert lines[-1] == check.verdict
    assert str(check) == check.summary()
    untrained = lm.coordinate_check(PROBLEM, [1, 2], 5)
    assert untrained.largest_z is None
    assert "trained" not in untrained.summary()


def test_the_verdict_is_that_of_the_last_step_with_slopes() -> None:
    check = lm.coordinate_check(PROBLEM, [1, 2, 4], 4, scalings={"own": {}})
    slope = check.slopes.gradient_updates.copy()
    slope[..., -1] = math.inf
    moved = dataclasses.replace(check.slopes, gradient_updates=slope)
    verdict = dataclasses.replace(check, slopes=moved).verdict
    assert verdict.startswith(f"own: gradient updates at step {check.time[-2]} ")
    slope = np.full_like(slope, math.inf)
    moved = dataclasses.replace(check.slopes, gradient_updates=slope)
    none = dataclasses.replace(check, slopes=moved).verdict
    assert "no verdict, as gradients do not move, or the theory diverges." in none


def test_the_limit_is_the_theory_at_infinite_width(check: lm.CoordinateCheck) -> None:
    assert check.limit is not None
    for name in QUANTITIES:
        limit, theory = getattr(check.limit, name), getattr(check.theory, name)
        assert np.array_equal(limit, theory[:, -1])  # infinity was among the widths
    assert check.initial is not None
    gamma0, width = PROBLEM.network.gamma0, np.array(check.widths)
    np.testing.assert_allclose(check.initial[0], 1 / (gamma0**2 * width))
    np.testing.assert_allclose(check.initial[1], 1 / gamma0**2, rtol=1e-12)
    centered = PROBLEM.replace(**{"network.centered": True})
    assert (lm.coordinate_check(centered, [1, 2], 3).initial == 0).all()


UNCENTERED = lm.Problem(lm.MLP(gamma0=0.34), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("widths", [[0.25, 0.5, 1, 2, 4, 8], [1, 2, 4], [1, 2, 4, 8], [1, 2]])
def test_narrow_networks_do_not_make_mup_lazy(depth: int, widths: list[float]) -> None:
    """They unlearn the initial predictor, of power 1 / (gamma0^2 width)."""
    deep = UNCENTERED.replace(**{"network.depth": depth})
    verdict, ntk = lm.coordinate_check(deep, widths, STEPS).verdict.split("NTK: ")
    assert "lazier" not in verdict
    assert "but level off: no law. Wide networks learn alike" in verdict
    assert "centered=True takes it away" in verdict
    assert "wider networks are lazier" in ntk
    centered = deep.replace(**{"network.centered": True})
    check = lm.coordinate_check(centered, widths, STEPS)
    assert (check.slopes.gradient_updates[0, :, -1] > 0).all()
    assert "centered=True" not in check.verdict
    assert "lazier" not in check.verdict.split("NTK: ")[0]


def test_trained_networks_have_the_same_cause() -> None:
    """Slopes of networks: about -1/3 with the initial predictor, none without it."""
    measured = []
    for centered in (False, True):
        one = UNCENTERED.replace(**{"network.centered": centered})
        check = lm.coordinate_check(one, [2, 4, 8], STEPS, dim=128, seeds=16, scalings={"a": {}})
        assert check.training is not None
        ends = check.training.gradient_updates[0, [0, -1], 0, -1]
        measured.append(float(np.log(ends[1] / ends[0]) / np.log(4)))
    assert measured[0] == pytest.approx(-0.34, abs=0.05)
    assert measured[1] == pytest.approx(0.05, abs=0.05)


def test_datasets_are_labelled(check: lm.CoordinateCheck, tmp_path: Path) -> None:
    data = check.to_xarray()
    assert data["features"].dims == ("scaling", "width", "layer", "time")
    assert data["gradients_slope"].dims == ("scaling", "layer", "time")
    place = {"scaling": "NTK", "width": 8, "layer": 2, "time": 10}
    assert check.training is not None
    assert data["features_trained"].sel(place).item() == check.training.features[1, 3, 1, 4]
    assert all(data[name].attrs["long_name"] for name in data.data_vars)
    assert lm.Problem.from_dict(json.loads(data.attrs["problem"])) == PROBLEM
    data.to_netcdf(tmp_path / "check.nc", engine="h5netcdf")
    assert "features_error" not in lm.coordinate_check(PROBLEM, [1, 2], 5).to_xarray()


@pytest.mark.parametrize(
    "setting",
    [
        problem(network={"kind": "resnet", "depth": 3, "branch": 1.2}, optimizer={"lr": 0.05}),
        problem(data={"targets": [1.0, 1.0, 0.5]}, optimizer={"lr": 0.05}),
        problem(data={"kind": "one_pass", "alpha": 1.0}, optimizer={"lr": 0.05}),
    ],
    ids=["residual", "outputs", "one pass"],
)
def test_other_problems_agree_with_their_training(setting: Any) -> None:
    check = lm.coordinate_check(setting, [0.5, 1, 2], 11, dim=384, seeds=range(1000, 1048))
    assert check.largest_z is not None
    assert check.largest_z < 4


def test_trace_class_spectra_count_hidden_units() -> None:
    power_law = lm.Problem(
        lm.MLP(depth=2, hidden=8),
        lm.FullBatch(samples=64, spectrum=lm.PowerLaw(1.5, 0.5, modes=64)),
        lm.SGD(lr=0.05),
    )
    check = lm.coordinate_check(power_law, [64, 128, 256], 11, dim=64, seeds=32)
    assert check.size == "network.hidden"
    assert check.training is not None
    for name in ("features", "gradients"):  # an approximation, of counts that are not large
        ratio = getattr(check.training, name) / getattr(check.theory, name)
        assert (np.abs(ratio - 1) < 0.25).all()


def test_divergence_is_infinite_and_said() -> None:
    fast = PROBLEM.replace(**{"optimizer.lr": 3.0})
    check = lm.coordinate_check(fast, [0.5, 1, 2], 40, dim=32, seeds=2)
    assert not any(np.isnan(array).any() for array in every(check))
    assert check.training is not None
    for part in (check.theory, check.training):
        for name in QUANTITIES:
            assert np.isfinite(getattr(part, name)[..., 0]).all()
            assert np.isposinf(getattr(part, name)[..., -1]).all()
    assert "gradient updates at step" in check.verdict
    assert int(check.verdict.split("at step ")[1].split()[0]) < 39
    assert "-" in check.summary().splitlines()[2].split()[-1]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"problem": 3}, "problem must be"),
    ({"problem": problem(network={"kind": "resnet", "depth": math.inf})}, "network.depth must be"),
    ({"widths": 4}, "widths must be a list of numbers, got 4"),
    ({"widths": [1]}, "widths must be two or more different finite widths"),
    ({"widths": [1, 1, math.inf]}, "widths must be two or more different finite widths"),
    ({"widths": [1, -2]}, r"widths\[1\] must be positive, got -2"),
    ({"widths": [1, math.nan]}, r"widths\[1\] must be positive, got nan"),
    ({"widths": [1, "2"]}, r"widths\[1\] must be a number, got '2'"),
    ({"widths": [1, 1e-3], "dim": 16}, r"problems\[0\]: network.width must be large enough"),
    ({"steps": 1}, "steps must be at least 2, got 1"),
    ({"steps": 2.5}, "steps must be a whole number, got 2.5"),
    ({"at": []}, "at must be a list of at least one step"),
    ({"at": [0, 10]}, r"at\[1\] must be a whole number from 0 to 9, got 10"),
    ({"at": [0.5]}, r"at\[0\] must be a whole number from 0 to 9, got 0.5"),
    ({"at": 3}, "at must be a list of steps, got 3"),
    ({"dim": 0}, "dim must be at least 1, got 0"),
    ({"dim": 16, "seeds": 0}, "seeds must be"),
    ({"seeds": "3"}, "seeds must be"),
    ({"threads": -1}, "threads must be"),
    ({"memory_limit": -1}, "memory_limit must be"),
    ({"scalings": {}}, "scalings must be a dictionary of names"),
    ({"scalings": ["mup"]}, r"scalings must be 'muP', .* got 'mup' \(did you mean 'muP'"),
    ({"scalings": [1]}, "scalings must be a dictionary of names"),
    ({"scalings": {"a": 3}}, "scalings must be a dictionary of names"),
    ({"scalings": {"a": {"network.width": 2}}}, r"scalings\['a'\] must be without network.width"),
    ({"scalings": {"a": {"network.gama0": 2}}}, r".*gama0.* \(scalings\['a'\] at network.width"),
    ({"scalings": {"a": {"network.gamma0": -2}}}, r"network.gamma0 must be .*scalings\['a'\]"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_named_before_any_work(arguments: dict[str, Any], message: str) -> None:
    worked: list[int] = []
    call = {"problem": PROBLEM, "widths": [1, 2], "steps": 10, **arguments}
    with pytest.raises(ValueError, match=f"^{message}"):
        lm.coordinate_check(**call, progress=lambda done, _: worked.append(done))
    assert worked == []


def test_memory_is_refused_before_it_is_taken() -> None:
    with pytest.raises(MemoryError, match="bytes"):
        lm.coordinate_check(PROBLEM, [1, 2], 10_000, memory_limit=1e6)


NOTHING = lm.Discrete(eigenvalues=[1.0], target_power=[0.0])


@pytest.mark.parametrize(
    ("noise", "said"), [(0.0, "nothing to learn but to forget"), (0.5, "label noise is all")]
)
def test_a_target_without_power_has_no_verdict(noise: float, said: str) -> None:
    data = lm.FullBatch(alpha=2.0, noise=noise, spectrum=NOTHING)
    empty = lm.Problem(lm.MLP(depth=2), data, lm.SGD(lr=0.1))
    found = lm.coordinate_check(empty, [1, 2, 4], 10)
    assert found.verdict.startswith("No verdict on the parameterization: the power of the target")
    assert said in found.verdict
    assert "learn alike" not in found.summary()
    assert "lazier" not in found.summary()
    assert found.to_xarray().attrs["verdict"] == found.verdict


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_few_networks_have_no_z_scores(seeds: int) -> None:
    found = lm.coordinate_check(PROBLEM, [1, 2], 5, dim=32, seeds=seeds)
    assert found.largest_z is None
    assert "|z|" not in found.summary()
    assert "No z-scores: standard errors need 4 or more networks" in found.summary()
    assert found.cautions[-1] in found.summary()
    assert lm.coordinate_check(PROBLEM, [1, 2], 5, dim=32, seeds=4).cautions == ()


def test_networks_that_are_left_by_divergence_may_be_too_few() -> None:
    found = lm.coordinate_check(PROBLEM, [1, 2], 5, dim=32, seeds=4)
    assert found.averaged == 4
    fewer = dataclasses.replace(found, averaged=2)
    assert fewer.largest_z is None
