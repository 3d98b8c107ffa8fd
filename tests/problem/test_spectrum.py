"""Spectra: power laws in few nodes, trace-class lists of modes, and sizes as actual numbers."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import lindmft as lm
from lindmft.problem.binning import gram_rule
from lindmft.problem.schema import brief

Array = NDArray[np.float64]
INF = math.inf
EXPONENTS = [(2.0, 1.75), (1.5, 0.5), (1.2, 0.3)]
MANY = 10**7
MODES = lm.Discrete([1.0, 0.5, 0.2], [1.0, 1.0, 2.0], trace_class=True)
POWER_LAW = lm.PowerLaw(capacity=1.5, source=0.5, modes=1000)


# ---- binning


def in_chunks(function: Any, modes: int) -> Array:
    """Return the sum of function(k) over k = 1 .. modes, small terms first."""
    starts = np.arange(1, modes + 1, 10**6)
    return sum(
        function(np.arange(start, min(start + 10**6, modes + 1), dtype=float)).sum(axis=0)
        for start in starts[::-1]
    )


def needed(k: Array, capacity: float, source: float, s: float) -> Array:
    """Return summands of the theory: decays and transfer functions of each mode (K, 6)."""
    lam, target = k**-capacity, k ** (-capacity * source - 1)
    decay, transfer = np.exp(-lam * s), 1 / (1 + lam * s)
    return np.stack(
        [
            target * decay,
            lam * decay,
            lam**2 * decay,
            target * transfer**2,
            lam * transfer,
            lam**2 * transfer**2,
        ],
        axis=1,
    )


@pytest.mark.long
@pytest.mark.parametrize(("capacity", "source"), EXPONENTS)
def test_few_nodes_stand_for_ten_million_modes(capacity: float, source: float) -> None:
    binned = lm.PowerLaw(capacity, source, modes=MANY).binned()
    p = np.array(binned.weights)
    k = np.array(binned.eigenvalues) ** (-1 / capacity)
    assert len(p) <= 120
    assert p.sum() == pytest.approx(MANY, rel=1e-12)
    for s in (0.0, 30.0, 1e5, MANY**capacity):
        exact = in_chunks(lambda k, s=s: needed(k, capacity, source, s), MANY)
        found = p @ needed(k, capacity, source, s)
        assert np.abs(found / exact - 1).max() < 1e-6


def test_the_tolerance_is_kept_and_buys_nodes() -> None:
    sizes = []
    for tolerance in (1e-2, 1e-4, 1e-6, 1e-9):
        binned = lm.PowerLaw(1.5, 0.5, modes=10**5, tolerance=tolerance).binned()
        p, k = np.array(binned.weights), np.array(binned.eigenvalues) ** (-1 / 1.5)
        errors = [
            p @ needed(k, 1.5, 0.5, s) / in_chunks(lambda k, s=s: needed(k, 1.5, 0.5, s), 10**5) - 1
            for s in np.logspace(-1, 7.5, 18)
        ]
        assert np.abs(errors).max() <= 1.5 * tolerance  # between the times of the choice
        sizes.append(len(p))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 2


@pytest.mark.parametrize(("count", "order"), [(1, 1), (7, 3), (10**5, 8), (5, 5)])
def test_the_rule_of_a_panel_sums_polynomials_exactly(count: int, order: int) -> None:
    nodes, weights = gram_rule(count, order)
    x = np.polynomial.legendre.legvander(2 * nodes / max(1, count - 1) - 1, 2 * order - 1)
    integers = 2 * np.arange(count) / max(1, count - 1) - 1
    exact = np.polynomial.legendre.legvander(integers, 2 * order - 1).sum(axis=0)
    assert np.abs(weights @ x - exact).max() < 1e-12 * count
    assert (weights > 0).all()


def test_few_modes_stand_each_alone() -> None:
    law = lm.PowerLaw(2.0, 0.5, modes=6)
    assert law.binned() == law.leading(6)
    assert law.leading(3).eigenvalues == pytest.approx([1, 1 / 4, 1 / 9])
    assert np.multiply(law.leading(3).target_power, law.leading(3).eigenvalues) == pytest.approx(
        [1, 1 / 4, 1 / 9]
    )
    assert lm.PowerLaw(2.0, 0.5, modes=1).binned().weights == (1.0,)


@pytest.mark.parametrize(("capacity", "source"), EXPONENTS)
def test_the_theory_of_lazy_networks_is_the_full_sum(capacity: float, source: float) -> None:
    """Modes are independent at infinite data and width: (1 - (L + 1) lr lambda)^(2 t)."""
    problem = lm.Problem(
        lm.MLP(depth=1, hidden=INF, gamma0=0.0),
        lm.Population(spectrum=lm.PowerLaw(capacity, source, modes=10**6)),
        lm.SGD(lr=0.2),
    )
    loss = lm.solve(problem, 200).test_loss
    for t in (0, 1, 10, 60, 199):
        exact = in_chunks(
            lambda k, t=t: k ** (-capacity * source - 1) * (1 - 0.4 * k**-capacity) ** (2 * t),
            10**6,
        )
        assert loss[t] == pytest.approx(exact, rel=1e-6)


def test_the_solution_does_not_depend_on_the_binning() -> None:
    def loss(spectrum: Any) -> Array:
        problem = lm.Problem(
            lm.ResNet(depth=INF, hidden=100, centered=True),
            lm.FullBatch(samples=80, noise=0.2, spectrum=spectrum),
            lm.SGD(lr=0.1),
        )
        return lm.solve(problem, 30).test_loss

    law = lm.PowerLaw(1.5, 0.5, modes=300, tolerance=1e-7)
    assert len(law.binned().weights) < 60
    assert loss(law) == pytest.approx(loss(law.leading(300)), rel=1e-7)


# ---- bad input


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("capacity", 1.0, "greater than 1, got 1.0"),
        ("capacity", INF, "finite and greater than 1"),
        ("capacity", "2", "a number, got '2'"),
        ("capacity", 30.0, "at most 21.4286 for 10000000 modes"),
        ("source", 0.0, "finite and positive"),
        ("source", math.nan, "finite and positive"),
        ("source", 50.0, "at most 20.9286 for 10000000 modes"),
        ("modes", 0, "at least 1"),
        ("modes", 2.5, "a whole number"),
        ("tolerance", 0.0, "from 1e-12 to 0.1"),
        ("tolerance", math.nan, "from 1e-12 to 0.1"),
    ],
)
def test_a_bad_power_law_is_refused_by_name(field: str, value: Any, reason: str) -> None:
    good = {"capacity": 2.0, "source": 0.5}
    with pytest.raises(ValueError, match="must be") as error:
        lm.PowerLaw(**{**good, field: value})
    assert str(error.value).startswith(f"data.spectrum.{field} must be")
    assert reason in str(error.value)


@pytest.mark.parametrize("count", [0, 1001, 2.5])
def test_leading_modes_are_a_number_of_those_there_are(count: Any) -> None:
    with pytest.raises(ValueError, match="count must be"):
        POWER_LAW.leading(count)


def test_steep_power_laws_work() -> None:
    assert lm.PowerLaw(20.0, 1.0).binned().eigenvalues[0] == 1.0


def test_weights_of_a_discrete_spectrum_may_be_left_out() -> None:
    assert lm.Discrete([2.0, 1.0], [1, 1]) == lm.Discrete([2.0, 1.0], [1, 1], [0.5, 0.5])
    assert MODES.weights == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="sum to 1"):
        lm.Discrete([2.0, 1.0], [1, 1], [1, 1])
    with pytest.raises(ValueError, match="trace_class must be true or false"):
        lm.Discrete([2.0, 1.0], [1, 1], trace_class=1)
    with pytest.raises(ValueError, match="eigenvalues must be a list with at least one"):
        lm.Discrete([], [], trace_class=True)


# ---- names of sizes


WRONG_NAMES = [
    (lambda: lm.FullBatch(alpha=2.0, spectrum=MODES), "data.alpha", "Give data.samples"),
    (lambda: lm.MultiPass(2.0, batch_fraction=0.5, spectrum=MODES), "data.alpha", "data.samples"),
    (
        lambda: lm.OnePass(alpha=0.5, spectrum=POWER_LAW),
        "data.alpha",
        "Give data.batch, the actual",
    ),
    (
        lambda: lm.FullBatch(samples=20),
        "data.samples",
        "not trace-class, unless data.inputs is given",
    ),
    (lambda: lm.OnePass(batch=20), "data.batch", "or data.alpha, the ratio"),
    (lambda: lm.FullBatch(alpha=2.0, samples=20), "data.samples", "combined with data.alpha"),
    (lambda: lm.FullBatch(), "data.alpha", "is missing: "),
    (lambda: lm.FullBatch(spectrum=MODES), "data.samples", "missing: with a trace-class"),
    (lambda: lm.OnePass(spectrum=MODES), "data.batch", "missing: with a trace-class"),
    (lambda: lm.FullBatch(samples=0, spectrum=MODES), "data.samples", "at least 1, or inf, got 0"),
    (lambda: lm.FullBatch(samples=2.5, spectrum=MODES), "data.samples", "a whole number"),
    (lambda: lm.OnePass(batch="8", spectrum=MODES), "data.batch", "got '8'"),
    (lambda: lm.MLP(width=1.0, hidden=10), "network.hidden", "combined with network.width"),
    (lambda: lm.MLP(hidden=0.5), "network.hidden", "a whole number of at least 1, or inf, got 0.5"),
    (lambda: lm.MLP(depth=2, hidden=[8, -1]), "network.hidden[1]", "got -1"),
    (lambda: lm.MLP(depth=2, hidden=[8, 8, 8]), "network.hidden", "a list of depth (2) numbers"),
    (lambda: lm.MLP(depth=2, hidden=[8, INF]), "network.hidden", "all finite or all inf"),
    (lambda: lm.ResNet(hidden=[8, 8]), "network.hidden", "a whole number"),
    (lambda: lm.MLP(hidden=8, gamma0=0.0), "network.gamma0", "positive at finite width"),
]


@pytest.mark.parametrize(("make", "field", "reason"), WRONG_NAMES)
def test_a_size_by_the_wrong_name_is_refused(make: Any, field: str, reason: str) -> None:
    with pytest.raises(
        ValueError, match=f"^{re.escape(field)} (must be|cannot be|is missing)"
    ) as error:
        make()
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("network", "data", "field"),
    [
        (lm.MLP(depth=1), lm.FullBatch(samples=20, spectrum=MODES), "network.hidden is missing"),
        (lm.ResNet(), lm.OnePass(batch=2, spectrum=POWER_LAW), "network.hidden is missing"),
        (lm.MLP(width=3), lm.Population(spectrum=MODES), "network.width cannot be combined with"),
        (lm.MLP(2, [1, 2]), lm.Population(spectrum=MODES), "network.width cannot be combined with"),
        (lm.MLP(hidden=20), lm.FullBatch(alpha=2.0), "network.hidden cannot be combined with"),
        (lm.ResNet(hidden=20), lm.Population(), "network.hidden cannot be combined with"),
    ],
)
def test_width_and_spectrum_must_fit(network: Any, data: Any, field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}") as error:
        lm.Problem(network, data, lm.SGD(lr=0.1))
    assert "hidden" in str(error.value)


@pytest.mark.parametrize("network", [lm.MLP(width=INF), lm.MLP(hidden=INF), lm.ResNet(hidden=INF)])
@pytest.mark.parametrize("spectrum", [lm.Isotropic(), MODES, POWER_LAW])
@pytest.mark.parametrize("amount", [{"alpha": INF}, {"samples": INF}])
def test_infinity_goes_by_either_name(network: Any, spectrum: Any, amount: Any) -> None:
    data = lm.FullBatch(**amount, spectrum=spectrum)
    problem = lm.Problem(network, data, lm.SGD(lr=0.1))
    same = lm.Problem(network, lm.Population(spectrum=spectrum), lm.SGD(lr=0.1))
    assert lm.solve(problem, 5).test_loss == pytest.approx(lm.solve(same, 5).test_loss)
    assert lm.Problem.from_dict(problem.to_dict()) == problem


def test_the_default_width_is_one() -> None:
    assert lm.MLP() == lm.MLP(width=1.0)
    assert lm.ResNet().width == 1.0
    assert brief(lm.MLP(depth=2)) == "MLP(depth=2)"
    assert lm.MLP(hidden=8).width is None
    assert brief(lm.MLP(hidden=8)) == "MLP(hidden=8)"


@pytest.mark.parametrize("network", [lm.MLP, lm.ResNet])
def test_ntk_divides_by_the_actual_width(network: Any) -> None:
    def loss(**options: Any) -> Array:
        data = lm.FullBatch(samples=50, spectrum=POWER_LAW)
        return lm.solve(
            lm.Problem(network(hidden=64, **options), data, lm.SGD(lr=0.1)), 10
        ).test_loss

    ntk, mup = loss(gamma0=2.0, parameterization="ntk"), loss(gamma0=0.25)
    assert ntk == pytest.approx(mup, rel=1e-12)


# ---- round trips


spectra = st.one_of(
    st.builds(
        lm.PowerLaw,
        capacity=st.floats(1.1, 3.0),
        source=st.floats(0.1, 2.0),
        modes=st.integers(1, 10**7),
        tolerance=st.sampled_from([1e-2, 1e-4]),
    ),
    st.lists(st.floats(0.01, 10.0), min_size=1, max_size=4).map(
        lambda values: lm.Discrete(values, values, trace_class=True)
    ),
)
counts = st.integers(1, 10**6) | st.just(INF)


@st.composite
def problems(draw: st.DrawFn) -> lm.Problem:
    depth = draw(st.integers(1, 3))
    lists = st.lists(st.integers(1, 999), min_size=depth, max_size=depth)
    network = draw(
        st.builds(lm.MLP, depth=st.just(depth), hidden=counts | lists)
        | st.builds(lm.ResNet, depth=st.just(depth), hidden=counts)
    )
    spectrum, size = draw(spectra), draw(counts)
    data = draw(
        st.sampled_from(
            [
                lm.FullBatch(samples=size, spectrum=spectrum),
                lm.OnePass(batch=size, spectrum=spectrum),
                lm.MultiPass(samples=size, batch_fraction=0.5, spectrum=spectrum),
                lm.Population(spectrum=spectrum),
            ]
        )
    )
    return lm.Problem(network, data, lm.SGD(lr=0.1))


@given(problems())
def test_round_trips_are_exact(
    tmp_path_factory: pytest.TempPathFactory, problem: lm.Problem
) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert lm.Problem.from_dict(problem.to_dict()) == problem
    problem.to_json(folder / "trace.json")
    assert lm.Problem.from_json(folder / "trace.json") == problem
    problem.to_toml(folder / "trace.toml")
    assert lm.Problem.from_toml(folder / "trace.toml") == problem


def test_the_table_of_a_power_law() -> None:
    problem = lm.Problem.from_dict(
        {
            "network": {"kind": "mlp", "hidden": 64},
            "data": {
                "kind": "one_pass",
                "batch": 16,
                "spectrum": {"kind": "power_law", "capacity": 2, "source": 0.5, "modes": 1000},
            },
            "optimizer": {"lr": 0.1},
        }
    )
    assert problem.data.spectrum == lm.PowerLaw(2.0, 0.5, modes=1000)
    assert problem.to_dict()["data"]["spectrum"] == {
        "kind": "power_law",
        "capacity": 2.0,
        "source": 0.5,
        "modes": 1000,
        "tolerance": 1e-6,
    }
    wider = problem.replace(**{"network.hidden": 128, "data.batch": 4})
    assert (wider.network.hidden, wider.data.batch) == (128, 4)
    ordinary = {"network.hidden": None, "network.width": 2.0, "data.batch": None, "data.alpha": 0.5}
    moved = problem.replace(**ordinary, **{"data.spectrum": lm.Isotropic()})
    assert moved.data == lm.OnePass(alpha=0.5)


def test_ordinary_tables_are_what_they_were() -> None:
    table = lm.Problem(
        lm.MLP(), lm.FullBatch(alpha=1.0, spectrum=lm.Discrete([1.0], [1.0], [1.0])), lm.SGD(lr=0.1)
    ).to_dict()
    assert "hidden" not in table["network"]
    assert "samples" not in table["data"]
    assert "trace_class" not in table["data"]["spectrum"]


def test_results_on_a_power_law_are_kept_in_files(tmp_path: Path) -> None:
    problem = lm.Problem(
        lm.MLP(hidden=32, centered=True), lm.OnePass(batch=8, spectrum=POWER_LAW), lm.SGD(lr=0.1)
    )
    theory, runs = lm.solve(problem, 5), lm.train(problem, 5, dim=100, seeds=2)
    theory.save(tmp_path / "theory.nc")
    runs.save(tmp_path / "runs.nc")
    assert lm.Solution.load(tmp_path / "theory.nc").problem == problem
    again = lm.Ensemble.load(tmp_path / "runs.nc")
    assert again.problem == problem
    assert (again.dim, again.widths, again.samples) == (100, (32,), 8)
    assert lm.compare(theory, runs).dim == 100
