"""The best point of a sweep: found, absent, at an edge, tied, and along some of the axes."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

import lindmft as lm

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))


def table(values: Any, **coords: Any) -> xr.Dataset:
    """A dataset of losses (width, lr, time), as a sweep returns it."""
    given = {"width": [1.0, 2.0], "lr": [0.1, 0.2, 0.4], "time": [0, 9], **coords}
    array = np.array(values, float)
    losses = np.stack([np.ones(array.shape), array], axis=-1)
    status = ("width", "lr"), np.ones(array.shape, np.uint8)
    dims = ("width", "lr", "time")
    return xr.Dataset({"theory_test_loss": (dims, losses), "theory_status": status}, given)


FOUND = table([[0.5, 0.3, np.inf], [0.4, 0.2, 0.6]])
HALF = table([[np.inf, np.inf, np.nan], [0.4, 0.2, 0.6]])
NONE = table([[np.inf, np.inf, np.nan]] * 2)


def test_the_best_of_all_axes_is_finite() -> None:
    best = lm.best_point(FOUND, "theory_test_loss")
    assert best.value == 0.2
    assert (best.coordinates["width"], best.coordinates["lr"]) == (2.0, 0.2)
    assert (best.time, best.along, best.count) == (9.0, ("width", "lr"), 6)
    assert best.finite == 5
    assert "0.2 at width = 2, lr = 0.2 (at the edge of width" in best.summary()
    assert str(best) == best.summary()


def test_it_agrees_with_idxmin_in_a_real_sweep() -> None:
    axes = {"network.width": [0.5, 2], "optimizer.lr": [0.1, 0.4, 1.6]}
    dataset = lm.sweep(PROBLEM, axes, steps=20, run=("solve", "train"), dim=16, seeds=2)
    best = lm.best_point(dataset, "theory_test_loss", along="lr")
    expected = dataset.theory_test_loss.isel(time=-1).idxmin("lr").values
    np.testing.assert_array_equal(best.coordinates["lr"], expected)
    means = dataset.training_test_loss.sel(time=3).mean("seed")
    trained = lm.best_point(dataset, "training_test_loss", time=3)
    assert trained.value == means.min()
    written = best.to_xarray()
    assert written.lr.dims == ("width",)
    assert written.sel(width=2).theory_test_loss == best.value[1]


def test_where_all_rates_diverge_it_says_so() -> None:
    best = lm.best_point(HALF, "theory_test_loss", along="lr")
    assert best.found.tolist() == [False, True]
    assert np.isnan(best.value[0])
    assert np.isnan(best.coordinates["lr"][0])
    assert not best.at_edge["lr"].any()
    assert best.ties.tolist() == [0, 0]
    assert "width = 1: none of 3 values is finite (they diverged or are missing)" in str(best)
    with pytest.raises(ValueError, match="no finite value at t = 9: of 6 points 4 diverged and 2"):
        lm.best_point(NONE, "theory_test_loss")


def test_ties_and_edges_are_said() -> None:
    flat = table([[0.5, 0.5 * (1 + 1e-12), 0.6], [0.7, 0.8, 0.6]])
    best = lm.best_point(flat, "theory_test_loss", along="lr")
    assert best.ties.tolist() == [1, 0]
    assert best.at_edge["lr"].tolist() == [True, True]
    assert "1 other points have the same value" in best.summary()
    assert "at the edge of lr: the minimum may lie beyond" in best.summary()


def test_labels_and_zipped_axes_have_no_edge() -> None:
    axes = {
        ("network.depth", "optimizer.lr"): [(1, 0.1), (2, 0.05)],
        "network.gamma0": {"lazy": 0.1, "rich": 1.0},
    }
    dataset = lm.sweep(PROBLEM, axes, steps=5, times="last")
    best = lm.best_point(dataset, "theory_test_loss")
    assert set(best.coordinates) == {"depth", "lr", "gamma0"}
    assert "edge" not in best.summary()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dataset": 3}, "dataset must be an xarray.Dataset"),
        ({"observable": "theory_tst_loss"}, "did you mean 'theory_test_loss'"),
        ({"observable": 3}, "observable must be"),
        ({"along": "rate"}, "along must be 'width' or 'lr', got 'rate'"),
        ({"along": []}, "along must be 'width' or 'lr'"),
        ({"time": 4}, "time must be one of the times of the dataset, 0 to 9, got 4"),
        ({"time": "last"}, "time must be a number"),
    ],
)
def test_bad_input_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.best_point(**{"dataset": FOUND, "observable": "theory_test_loss", **given})


def test_an_observable_with_layers_is_refused() -> None:
    dataset = lm.sweep(PROBLEM, {"optimizer.lr": [0.1, 0.2]}, steps=4, observables="feature_norm")
    with pytest.raises(ValueError, match="has the dimension layer"):
        lm.best_point(dataset, "theory_feature_norm")
    assert lm.best_point(dataset.isel(layer=0), "theory_feature_norm").found
