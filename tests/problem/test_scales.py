"""Scales that are easily mistaken: counts for ratios, and targets far from unit power."""

import warnings
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft.problem.scales import scale_notes, target_power

RATE = lm.SGD(lr=0.05)
MODES = lm.Discrete(eigenvalues=[1.0, 0.5], target_power=[50, 50], trace_class=True)


def problem(network: Any = None, data: Any = None) -> lm.Problem:
    return lm.Problem(network or lm.MLP(), data or lm.FullBatch(alpha=2.0), RATE)


def test_counts_become_ratios_where_the_number_of_inputs_is_given() -> None:
    given = problem(lm.MLP(hidden=1024), lm.FullBatch(samples=5000, inputs=784))
    assert given.network.width == 1024 / 784
    assert given.network.hidden is None
    assert given.data.alpha == 5000 / 784
    assert lm.Problem.from_dict(given.to_dict()) == given
    ratios = problem(lm.MLP(width=1024 / 784), lm.FullBatch(alpha=5000 / 784))
    np.testing.assert_array_equal(
        lm.solve(given, 10).test_loss, lm.solve(ratios, 10).test_loss, strict=True
    )


@pytest.mark.parametrize(
    ("network", "data", "widths", "samples"),
    [
        (lm.MLP(depth=2, hidden=[30, 50]), lm.FullBatch(samples=77, inputs=40), (30, 50), 77),
        (
            lm.ResNet(hidden=33),
            lm.MultiPass(samples=20, batch_fraction=0.5, inputs=64),
            (33, 33),
            20,
        ),
        (lm.MLP(hidden=7), lm.OnePass(batch=5, inputs=9), (7,), 5),
        (lm.MLP(hidden=11), lm.Population(inputs=24), (11,), 0),
    ],
)
def test_networks_are_trained_with_the_numbers_given(
    network: Any, data: Any, widths: tuple[int, ...], samples: int
) -> None:
    runs = lm.train(problem(network, data), 3, seeds=1)
    assert (runs.dim, runs.widths, runs.samples) == (data.inputs, widths, samples)


def test_every_size_of_a_thousand_comes_back_exactly() -> None:
    for inputs in (3, 49, 784, 1000):
        ratios = np.arange(1, 1000) / inputs
        assert (np.rint(ratios * inputs) == np.arange(1, 1000)).all()


def test_a_size_given_by_one_name_replaces_the_other() -> None:
    given = problem(lm.MLP(hidden=100), lm.FullBatch(samples=200, inputs=50))
    assert given.replace(**{"network.hidden": 25}).network.width == 0.5
    assert given.replace(**{"data.samples": 25}).data.alpha == 0.5
    assert given.replace(**{"network.width": 3.0, "data.alpha": 2.0}).network.width == 3.0
    with pytest.raises(ValueError, match=r"network\.hidden cannot be combined with network\.width"):
        given.replace(**{"network.width": 1.0, "network.hidden": 5})


def test_counts_without_a_number_of_inputs_are_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match=r"^data\.samples .*Give data\.inputs, which is D"):
        lm.FullBatch(samples=10)
    with pytest.raises(ValueError, match=r"^network\.hidden .*Give data\.inputs, which"):
        problem(lm.MLP(hidden=10))


def test_modes_have_no_number_of_inputs() -> None:
    for call in (
        lambda: lm.FullBatch(samples=10, spectrum=MODES, inputs=5),
        lambda: lm.Population(spectrum=MODES, inputs=5),
    ):
        with pytest.raises(ValueError, match=r"data\.inputs cannot be combined with a trace-class"):
            call()


@pytest.mark.parametrize("inputs", [0, -3, 2.5, "784", float("inf")])
def test_a_number_of_inputs_is_a_whole_one(inputs: Any) -> None:
    with pytest.raises(ValueError, match=r"data\.inputs must be"):
        lm.FullBatch(alpha=1.0, inputs=inputs)


COUNTS = {
    "width": problem(lm.MLP(width=1024)),
    "one of the widths": problem(lm.MLP(depth=2, width=[1.0, 512])),
    "samples": problem(data=lm.FullBatch(alpha=5000)),
    "both": problem(lm.MLP(width=1024), lm.OnePass(alpha=128)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_sizes_like_counts_are_said(name: str) -> None:
    given = COUNTS[name]
    with pytest.warns(lm.SizeWarning, match=r"ratio of .* give .* data\.inputs") as caught:
        theory = lm.solve(given, 3)
    assert caught[0].filename == __file__
    assert str(caught[0].message) == theory.notes[0]
    assert f"Note: {theory.notes[0]}" in repr(theory)
    with pytest.warns(lm.SizeWarning):
        lm.flow(given.replace(data=lm.Population()) if name == "both" else given, 0.1)
    with pytest.warns(lm.SizeWarning):
        lm.train(given, 1, dim=1, seeds=1)


def test_the_name_of_a_batch_is_used_for_one_pass() -> None:
    assert "hidden=1024 and batch=128" in scale_notes(COUNTS["both"])[0]


@pytest.mark.parametrize(
    "given",
    [
        problem(),
        problem(lm.MLP(width=float("inf"))),
        problem(lm.MLP(width=100.5), lm.FullBatch(alpha=float("inf"))),
        problem(lm.MLP(width=32), lm.FullBatch(alpha=60)),
        problem(lm.MLP(hidden=2048), lm.FullBatch(samples=10**6, spectrum=lm.PowerLaw(1.5, 0.5))),
        problem(lm.MLP(hidden=2048), lm.FullBatch(samples=10**5, inputs=16)),
    ],
)
def test_usual_problems_have_no_notes(given: lm.Problem) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scale_notes(given) == ()
        assert "Note" not in repr(lm.solve(given, 3))


def test_a_natural_target_is_said_to_multiply_the_richness() -> None:
    given = problem(lm.MLP(hidden=100), lm.FullBatch(samples=100, spectrum=MODES))
    assert target_power(given) == 75
    (note,) = lm.solve(given, 3).notes
    assert "power of the target is 75" in note
    assert "gamma0 = 8.66" in note
    assert "divide the labels by 8.66, or set gamma0 = 0.115" in note
    assert lm.train(given, 2, seeds=1).notes == (note,)


def test_the_power_is_that_of_the_largest_output() -> None:
    given = problem(data=lm.FullBatch(alpha=2.0, targets=[1.0, 5.0]))
    assert target_power(given) == pytest.approx(25)
    gram = problem(data=lm.FullBatch(alpha=2.0, targets=[[10.0, 10.0], [10.0, 10.0]]))
    assert target_power(gram) == pytest.approx(20)
    assert len(scale_notes(gram)) == 1


def test_the_lazy_limit_is_linear_in_the_target() -> None:
    network = lm.MLP(hidden=float("inf"), gamma0=0.0)
    assert scale_notes(problem(network, lm.FullBatch(samples=9, spectrum=MODES))) == ()


@pytest.mark.parametrize("scale", [0.1, 8.66])
def test_the_power_of_the_target_acts_as_richness(scale: float) -> None:
    """A target c w* at gamma0 is learned like w* at c gamma0, with losses times c^2."""
    natural = problem(
        lm.MLP(depth=2, gamma0=0.3), lm.FullBatch(alpha=2.0, noise=0.2 * scale, targets=[scale])
    )
    unit = problem(lm.MLP(depth=2, gamma0=0.3 * scale), lm.FullBatch(alpha=2.0, noise=0.2))
    rate = {"optimizer.lr": 0.01}
    one, other = lm.solve(natural.replace(**rate), 30), lm.solve(unit.replace(**rate), 30)
    np.testing.assert_allclose(one.test_loss, scale**2 * other.test_loss, rtol=1e-11)


WIDTHS = pytest.mark.parametrize(
    "call",
    [
        lambda given, widths: lm.compute_optimal(given, widths, 3),
        lambda given, widths: lm.wider_is_better(given, widths, 3),
        lambda given, widths: lm.coordinate_check(given, widths, 3),
        lambda given, widths: lm.transfer(given, "network.width", widths, 3),
    ],
    ids=["compute_optimal", "wider_is_better", "coordinate_check", "transfer"],
)


@WIDTHS
def test_widths_like_numbers_of_units_are_said(call: Any) -> None:
    given = problem(lm.MLP(hidden=400), lm.FullBatch(samples=800, inputs=200))
    with pytest.warns(
        lm.SizeWarning, match=r"^widths from 100 to 400 .* data\.inputs = 200"
    ) as seen:
        call(given, [100, 400])
    assert seen[0].filename == __file__


@WIDTHS
@pytest.mark.parametrize("widths", [[0.5, 64], [1, 64], [64.5, 100], [8, 32]])
def test_ratios_are_not_taken_for_numbers_of_units(call: Any, widths: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", lm.SizeWarning)
        call(problem(), widths)


def test_a_divergence_from_large_labels_is_put_down_to_their_scale() -> None:
    """Labels of standard deviation 80: gamma0 = 1 is as rich as 80 with labels of power 1."""
    large = lm.Discrete(eigenvalues=[1.0], target_power=[6400.0])
    given = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, spectrum=large), lm.SGD(lr=0.1))
    theory, runs = lm.solve(given, 30), lm.train(given, 30, dim=32, seeds=2)
    assert theory.diverged_at is not None
    assert None not in runs.diverged_at
    for result in (theory, runs):
        assert "The power of the target is 6400" in result.status
        assert "gamma0 times the scale of the labels, 1 x 80 = 80" in result.status
        assert "Divide the labels by 80, or set gamma0 = 0.0125" in result.status
        assert any("power of the target is 6400" in note for note in result.notes)
    usual = lm.solve(given.replace(data=lm.FullBatch(alpha=2.0), optimizer=lm.SGD(lr=9.0)), 30)
    assert usual.status.endswith("Lower optimizer.lr (now 9.0) or layer_lr to train stably.")
