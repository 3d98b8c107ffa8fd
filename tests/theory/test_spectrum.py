"""The spectrum of the Hessian along the theory: reference numbers, closed forms, invariances."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft.results import HessianSpectrum
from lindmft.results.observables import SPECTRUM

BASE = lm.Problem(
    lm.MLP(depth=2, width=0.8, gamma0=1.5), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.03)
)
MODES = lm.Discrete([2.0, 0.5], target_power=[1.5, 0.5], weights=[0.25, 0.75])

# Numbers of the NumPy reference: problem, step, start, Ritz values, weights.
REFERENCE: dict[str, Any] = {
    "depth 1": (
        lm.Problem(lm.MLP(depth=1, gamma0=2.0), lm.Population(), lm.SGD(lr=0.05)),
        19,
        "target",
        [
            5.613343701570323,
            5.270946735610235,
            4.761612958561234,
            4.144312653626583,
            3.463356407150868,
            2.7791883734997747,
            2.188095311073498,
            1.800138595994467,
        ],
        [
            0.033637230990412825,
            0.12765585989350686,
            0.23630440899386482,
            0.2625215592103525,
            0.18657737866841942,
            0.09693470569623192,
            0.04101216626107029,
            0.015356690286142142,
        ],
    ),
    "depth 2": (
        lm.Problem(
            lm.MLP(depth=2, gamma0=1.5), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05)
        ),
        24,
        "random",
        [
            16.623666663841878,
            14.996521010926323,
            12.53969925075785,
            9.597810926533441,
            6.581786688616342,
            3.905567551644774,
            1.88984413024471,
            0.6465584472127093,
        ],
        [
            0.009048042458949513,
            0.03582506104088992,
            0.07911647748351348,
            0.13619198463380822,
            0.19993099122068722,
            0.2471686322411843,
            0.21345959670903647,
            0.07925921421193116,
        ],
    ),
    "depth 3": (
        lm.Problem(lm.MLP(depth=3, width=2.0, gamma0=2.0), lm.FullBatch(3.0), lm.SGD(lr=0.02)),
        24,
        "target",
        [
            25.251323475382556,
            23.423958643747063,
            20.39283885702703,
            16.40199642945829,
            11.880346036657016,
            7.375377975540286,
            3.679323272944832,
            1.6123373973901327,
        ],
        [
            0.08679650199877424,
            0.20905249576126728,
            0.23702531861076245,
            0.1916040835992197,
            0.1258629931203726,
            0.07509511319946623,
            0.04977061422640841,
            0.02479287948372904,
        ],
    ),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_the_reference_numbers(name: str) -> None:
    problem, step, start, ritz, weight = REFERENCE[name]
    found = lm.solve(problem, step + 6, spectrum_at=step, lanczos=8).spectrum
    np.testing.assert_allclose(getattr(found, f"{start}_ritz")[0], ritz, rtol=1e-9)
    np.testing.assert_allclose(getattr(found, f"{start}_weight")[0], weight, rtol=1e-9)


def test_the_printed_numbers_of_the_theory() -> None:
    """Theory section 15: 25 nodes of training, 8 steps of Lanczos' method."""
    problem = REFERENCE["depth 3"][0]
    found = lm.solve(problem, 25, spectrum_at=24, lanczos=8).spectrum
    target = [25.251, 23.424, 20.393, 16.402, 11.880, 7.375, 3.679, 1.612]
    random = [25.024, 22.674, 19.127, 14.882, 10.523, 6.612, 3.577, 1.665]
    np.testing.assert_allclose(found.target_ritz[0], target, atol=6e-4)
    np.testing.assert_allclose(found.random_ritz[0], random, atol=6e-4)


# ---- closed forms


@pytest.mark.parametrize("width", [0.3, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("gamma0", [0.2, 1.0])
def test_the_edge_of_one_layer_is_that_of_the_initial_weights(width: float, gamma0: float) -> None:
    """L = 1, population: C_g^1 + (1 + nu^-1/2)^2, whatever has been learned."""
    problem = lm.Problem(lm.MLP(width=width, gamma0=gamma0), lm.Population(), lm.SGD(lr=0.05))
    theory = lm.solve(problem, 40, spectrum_at=[0, 5, 39], lanczos=24, save=["C_g"])
    found = theory.spectrum
    edge = np.diag(theory.C_g[1])[[0, 5, 39]] + (1.0 + width**-0.5) ** 2
    np.testing.assert_allclose(found.bulk_edge, edge, rtol=1e-5)
    assert (np.abs(found.bulk_edge - edge) <= found.bulk_edge_error + 1e-6 * edge).all()


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("depth", [1, 3])
def test_lazy_networks_have_the_spectrum_of_the_samples(alpha: float, depth: int) -> None:
    """Infinite width, gamma0 = 0: L + 1 times Marchenko and Pastur's law, at all times."""
    network = lm.MLP(depth=depth, width=math.inf, gamma0=0.0)
    problem = lm.Problem(network, lm.FullBatch(alpha=alpha, noise=0.2), lm.SGD(lr=0.02))
    found = lm.solve(problem, 20, spectrum_at=[0, 19], lanczos=16).spectrum
    edge = (depth + 1) * (1.0 + alpha**-0.5) ** 2
    np.testing.assert_allclose(found.bulk_edge, edge, rtol=1e-9)
    np.testing.assert_allclose(found.sharpness, edge, rtol=1e-9)
    # A start vector x sees the law weighted with its eigenvalues, whose entries are constant.
    diagonal = (found.random_ritz * found.random_weight).sum(axis=1)
    np.testing.assert_allclose(diagonal, (depth + 1) * (1.0 + 1.0 / alpha), rtol=1e-10)


@pytest.mark.parametrize("branch", [0.5, 1.0])
def test_an_infinitely_wide_population_has_one_eigenvalue(branch: float) -> None:
    """At the start the kernel is a number; Lanczos' method ends after one step."""
    kernels = {
        lm.MLP(depth=2, width=math.inf): 3.0,
        lm.ResNet(depth=3, width=math.inf, branch=branch): (1 + branch**2 / 3) ** 2
        * (2 + 2 * (branch**2 / 3) / (1 + branch**2 / 3)),
        lm.ResNet(depth=math.inf, width=math.inf, branch=branch): math.exp(branch**2)
        * (2 + branch**2),
    }
    for network, kernel in kernels.items():
        problem = lm.Problem(network, lm.Population(), lm.SGD(lr=0.01))
        found = lm.solve(problem, 2, spectrum_at=0, lanczos=6).spectrum
        assert found.sharpness[0] == pytest.approx(kernel, rel=1e-6)
        assert np.isnan(found.target_ritz[0, 1:]).all()
        assert np.isnan(found.random_ritz[0, 1:]).all()


def test_deep_residual_networks_approach_infinite_depth() -> None:
    """The distance is of order 1/L (theory.md section 12, item 12)."""

    def sharpness(depth: float) -> np.ndarray:
        network = lm.ResNet(depth=depth, gamma0=1.0)
        problem = lm.Problem(network, lm.FullBatch(alpha=2.0, noise=0.2), lm.SGD(lr=0.02))
        found = lm.solve(problem, 12, spectrum_at=[0, 11], lanczos=8).spectrum
        return np.concatenate([found.target_ritz[:, 0], found.random_ritz[:, 0]])

    limit = sharpness(math.inf)
    distance = [np.abs(sharpness(depth) - limit) / limit for depth in (8, 16, 32)]
    ratios = np.array([distance[0] / distance[1], distance[1] / distance[2]])
    np.testing.assert_allclose(ratios, 2.0, atol=0.3)
    assert (np.abs(ratios[1] - 2.0) < 0.6 * np.abs(ratios[0] - 2.0)).all()


def test_modes_of_equal_eigenvalues_are_isotropic_data() -> None:
    same = lm.Discrete([1.0, 1.0], target_power=[0.3, 1.7], weights=[0.5, 0.5])
    expected = spectrum(BASE)
    for name, values in vars(spectrum(BASE.replace({"data.spectrum": same}))).items():
        np.testing.assert_allclose(values, getattr(expected, name), rtol=1e-9, err_msg=name)


# ---- grids


GRIDS: dict[str, lm.Problem] = {
    "perceptron": BASE,
    "population": BASE.replace({"data": lm.Population()}),
    "modes": BASE.replace({"data.spectrum": MODES}),
    "momentum": BASE.replace({"optimizer.momentum": 0.6, "optimizer.weight_decay": 0.05}),
    "residual": BASE.replace({"network": lm.ResNet(depth=3), "optimizer.lr": 0.02}),
    "centered": BASE.replace({"network.centered": True}),
    "schedule": BASE.replace({"optimizer.lr": [0.03] * 60 + [0.015] * 90}),
}


@pytest.mark.parametrize("name", GRIDS)
def test_exact_and_adaptive_steps_have_the_same_spectra(name: str) -> None:
    """Times may lie between the nodes of the coarse grid."""
    at = [0, 3, 37, 80, 101, 149]
    exact = lm.solve(GRIDS[name], 150, spectrum_at=at, lanczos=8)
    coarse = lm.solve(GRIDS[name], 150, spectrum_at=at, lanczos=8, grid="adaptive")
    assert len(coarse.time) < 150
    for start in ("target_ritz", "random_ritz", "sharpness"):
        expected, found = getattr(exact.spectrum, start), getattr(coarse.spectrum, start)
        np.testing.assert_allclose(found, expected, rtol=1e-5, err_msg=start)


def test_small_steps_have_the_spectra_of_gradient_flow() -> None:
    """The distance is of the order of the learning rate."""
    flow = lm.flow(BASE, time=1.0, spectrum_at=[0, 0.4, 1.0], lanczos=6).spectrum
    distances = []
    for steps in (50, 100):
        slow = BASE.replace({"optimizer.lr": 1.0 / steps})
        at = [0, int(0.4 * steps), steps]
        found = lm.solve(slow, steps + 1, spectrum_at=at, lanczos=6).spectrum
        np.testing.assert_allclose(found.random_ritz[0], flow.random_ritz[0], rtol=1e-9)
        distances.append(np.abs(found.target_ritz - flow.target_ritz)[1:, 0])
    np.testing.assert_allclose(distances[0] / distances[1], 2.0, atol=0.3)


# ---- invariances


def spectrum(problem: lm.Problem, at: Any = (0, 7, 19), **options: Any) -> HessianSpectrum:
    return lm.solve(problem, 20, spectrum_at=at, lanczos=6, **options).spectrum


def assert_equal(found: HessianSpectrum, expected: HessianSpectrum, rtol: float = 0.0) -> None:
    for name, values in vars(expected).items():
        np.testing.assert_allclose(getattr(found, name), values, rtol=rtol, err_msg=name)


@pytest.mark.parametrize("name", GRIDS)
def test_times_do_not_depend_on_each_other(name: str) -> None:
    problem = GRIDS[name].replace({"optimizer.lr": 0.02})
    together = spectrum(problem, range(20))
    assert_equal(spectrum(problem, range(19, -1, -1)), together)
    for time in (0, 13, 19):
        alone = spectrum(problem, time)
        for one in SPECTRUM.values():
            value = getattr(together, one.name)[time]
            np.testing.assert_allclose(getattr(alone, one.name)[0], value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("grid", ["exact", "adaptive"])
@pytest.mark.parametrize("network", [lm.MLP(depth=2), lm.ResNet(depth=3)])
def test_the_solution_is_the_same_to_the_last_bit(grid: str, network: Any) -> None:
    problem = BASE.replace({"network": network})
    plain = lm.solve(problem, 120, grid=grid, save="all")
    more = lm.solve(problem, 120, grid=grid, save="all", spectrum_at=[3, 119], lanczos=8)
    for name in ("time", "test_loss", "train_loss", "feature_norm", "gradient_norm", "C_v"):
        np.testing.assert_array_equal(getattr(more, name), getattr(plain, name), err_msg=name)
    for layer in plain.C_h:
        np.testing.assert_array_equal(more.C_h[layer], plain.C_h[layer])


@pytest.mark.parametrize("options", [{"replicas": True}, {"kernels": True}, {"keep_state": True}])
def test_other_requests_change_nothing(options: dict[str, Any]) -> None:
    assert_equal(spectrum(BASE, **options), spectrum(BASE), rtol=1e-11)


def test_threads_change_nothing() -> None:
    assert_equal(spectrum(BASE, threads=1), spectrum(BASE, threads=2))


def test_more_steps_of_the_method_keep_the_density_of_fewer() -> None:
    """A Gauss rule with m nodes has the moments up to 2 m - 1."""
    few, many = (lm.solve(BASE, 20, spectrum_at=19, lanczos=m).spectrum for m in (4, 12))
    for power in range(8):
        moments = [(s.random_ritz**power * s.random_weight).sum() for s in (few, many)]
        assert moments[0] == pytest.approx(moments[1], rel=1e-9)
    assert many.sharpness[0] == pytest.approx(few.sharpness[0], abs=2 * few.sharpness_error[0])


def test_channels_have_the_spectra_of_their_own_problems() -> None:
    """Isotropic channels decouple: each is one output with a target of its size."""
    several = lm.solve(
        BASE.replace({"data.targets": [1.0, 0.5]}), 20, spectrum_at=[0, 19], lanczos=6
    )
    for target, channel in zip((1.0, 0.5), several.channels, strict=True):
        one = lm.solve(BASE.replace({"data.targets": [target]}), 20, spectrum_at=[0, 19], lanczos=6)
        assert_equal(channel.spectrum, one.spectrum)


@pytest.mark.parametrize("name", ["momentum", "residual", "modes"])
def test_the_estimate_of_memory_counts_the_rows(name: str) -> None:
    problem = GRIDS[name]
    plain = lm.estimate_memory(problem, 150)
    more = lm.estimate_memory(problem, 150, spectrum_at=[0, 149], lanczos=24)
    assert more > plain
    with pytest.raises(MemoryError):
        lm.solve(problem, 150, spectrum_at=[0, 149], lanczos=24, memory_limit=0.5 * (plain + more))


def test_a_random_start_does_not_see_an_outlier() -> None:
    """Rounding errors give the random vector a part in it, which each step amplifies."""
    rich = lm.Problem(lm.MLP(gamma0=4.0), lm.Population(), lm.SGD(lr=0.05))
    found = lm.solve(rich, 40, spectrum_at=39, lanczos=64, save=["C_g"])
    edge = found.C_g[1][39, 39] + 4.0
    assert found.spectrum.bulk_edge[0] == pytest.approx(edge, rel=1e-5)
    assert found.spectrum.sharpness[0] > 1.05 * edge
    few = lm.solve(rich, 40, spectrum_at=39, lanczos=16).spectrum
    assert few.sharpness[0] == pytest.approx(found.spectrum.sharpness[0], rel=1e-3)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "past the end": ({"spectrum_at": 20}, r"^spectrum_at must be .*, got 20"),
    "negative": ({"spectrum_at": [-1]}, r"^spectrum_at must be .*, got \[-1\]"),
    "between steps": ({"spectrum_at": [0.5]}, r"^spectrum_at must be .*, got 0\.5"),
    "nan": ({"spectrum_at": [math.nan]}, r"^spectrum_at must be .*, got \[nan\]"),
    "no steps of the method": ({"spectrum_at": 0, "lanczos": 0}, r"^lanczos must be .*, got 0"),
    "too many": ({"spectrum_at": 0, "lanczos": 65}, r"^lanczos must be .*, got 65"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_refused(name: str) -> None:
    options, message = BAD[name]
    with pytest.raises(lm.BadInput, match=message):
        lm.solve(BASE, 20, **options)


def test_a_spectrum_is_a_value() -> None:
    found = spectrum(BASE)
    assert replace(found, time=found.time + 1.0).time.tolist() == [1.0, 8.0, 20.0]
