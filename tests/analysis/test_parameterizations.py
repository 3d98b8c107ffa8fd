"""Scalings that depend on the size, against training loops on raw weights that know of none."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from raw_loop import excess_losses

import lindmft as lm
from lindmft.analysis.sizes.parameterizations import (
    common_factor,
    raw_factors,
)
from lindmft.analysis.sizes.scalings import read_scalings

SCALES = {"PyTorch": 3**-0.5, "standard": 1.0, "one raw lr": 0.8}
INPUTS = 16
Z = 4.0


def at(problem: lm.Problem, name: str, path: str, size: Any) -> lm.Problem:
    return read_scalings([name], path)[name].at(problem, {path: size})


def assert_same_losses(problem: lm.Problem, networks: int, **loop: Any) -> None:
    """Within Z standard errors at every step; networks of the package have the same sizes."""
    steps = loop["steps"]
    mine = np.log([excess_losses(10_000 + seed, **loop) for seed in range(networks)])
    runs = lm.train(problem, steps, dim=loop["inputs"], seeds=4 * networks, threads=1)
    theirs = np.log(runs.test_loss)
    error = np.hypot(mine.std(0) / len(mine) ** 0.5, theirs.std(0) / len(theirs) ** 0.5)
    z = (mine.mean(0) - theirs.mean(0)) / error
    assert np.abs(z).max() < Z, z


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize(
    ("depth", "hidden", "lr"), [(1, 8, 0.15), (1, 64, 0.1), (2, 32, 0.1), (3, 16, 0.08)]
)
def test_one_raw_rate_in_all_layers(name: str, depth: int, hidden: int, lr: float) -> None:
    base = lm.Problem(lm.MLP(depth, init_scale=0.8), lm.FullBatch(alpha=2.0), lm.SGD(lr))
    problem = at(base, name, "network.width", hidden / INPUTS)
    assert_same_losses(
        problem, 100, inputs=INPUTS, hidden=[hidden] * depth, samples=2 * INPUTS, lr=lr, steps=12,
        scale=SCALES[name],
    )  # fmt: skip


def test_one_raw_rate_in_unequal_layers() -> None:
    base = lm.Problem(lm.MLP(2, [0.5, 2.0]), lm.FullBatch(alpha=2.0), lm.SGD(0.1))
    problem = at(base, "PyTorch", "data.alpha", 3.0)
    assert problem.optimizer.layer_lr == (1.0, 0.5, 2.0)
    assert_same_losses(
        problem, 100, inputs=INPUTS, hidden=[8, 32], samples=3 * INPUTS, lr=0.1, steps=12,
        scale=SCALES["PyTorch"],
    )  # fmt: skip


@pytest.mark.parametrize("name", SCALES)
def test_one_raw_rate_in_residual_networks(name: str) -> None:
    network = lm.ResNet(3, branch=0.7, branch_scaling="constant", init_scale=0.8)
    base = lm.Problem(network, lm.FullBatch(alpha=2.0), lm.SGD(0.06))
    problem = at(base, name, "network.width", 2.0)
    assert_same_losses(
        problem, 100, inputs=INPUTS, hidden=[32] * 3, samples=2 * INPUTS, lr=0.06, steps=12,
        scale=SCALES[name], branch=0.7,
    )  # fmt: skip


def test_one_raw_rate_with_a_list_of_modes() -> None:
    """Inputs as they are, without factors: modes are counted as inputs."""
    modes = 1.0 / np.arange(1, 33)
    spectrum = lm.Discrete(modes, np.full(32, 1 / 32), trace_class=True)
    base = lm.Problem(lm.MLP(2, hidden=64), lm.FullBatch(samples=80, spectrum=spectrum), lm.SGD(1))
    problem = at(base, "PyTorch", "network.hidden", 48).replace(**{"optimizer.lr": 0.3})
    assert common_factor(problem) == pytest.approx(1.0)
    assert problem.optimizer.layer_lr == (1.0, 1.5, 1.5)
    loop: dict[str, Any] = {"inputs": 32, "hidden": [48, 48], "samples": 80, "lr": 0.3}
    assert_same_losses(problem, 100, **loop, steps=12, scale=3**-0.5, spectrum=modes)


@pytest.mark.long
def test_the_theory_is_near_the_loop() -> None:
    """At every width within what D = 96 leaves; with layer_lr of another width it is far off."""
    base = lm.Problem(lm.MLP(2), lm.FullBatch(alpha=2.0), lm.SGD(0.12))
    for hidden in (48, 288):
        mine = np.mean([
            excess_losses(seed, inputs=96, hidden=[hidden] * 2, samples=192, lr=0.12, steps=12,
                          scale=3**-0.5, uniform=True)
            for seed in range(20)
        ], axis=0)  # fmt: skip
        right = at(base, "PyTorch", "network.width", hidden / 96)
        other = at(base, "PyTorch", "network.width", 144 / hidden).replace(
            **{"network.width": hidden / 96}
        )
        assert np.abs(lm.solve(right, 12).test_loss / mine - 1).max() < 0.08
        assert np.abs(lm.solve(other, 12).test_loss / mine - 1).max() > 0.3


def test_raw_rates_of_all_parameterizations_are_the_table_of_sgd() -> None:
    """lr gamma0^2 N_L / N_l, and lr D / N_L of the readout, with the effective gamma0."""
    mup = lm.Problem(lm.MLP(2, [0.5, 4.0], gamma0=3.0), lm.Population(), lm.SGD(0.1))
    assert np.allclose(raw_factors(mup), [9 * 4, 9 * 4 / 0.5, 1 / 4])
    ntk = mup.replace(**{"network.parameterization": "ntk", "optimizer.layer_lr": [1, 2, 3]})
    assert np.allclose(raw_factors(ntk), [9, 2 * 9 / 0.5, 3 / 4])
    assert common_factor(mup) is None
    deep = lm.Problem(lm.ResNet(math.inf, 2.0), lm.Population(), lm.SGD(0.1))
    assert np.allclose(raw_factors(at(deep, "standard", "data.noise", 0.1)), 1.0)
    assert common_factor(deep.replace(**{"network.width": math.inf})) is None


# ---- transfer

SIZES = [128 / 784, 1024 / 784, 4096 / 784]
TORCH = lm.Problem(
    lm.MLP(2, SIZES[0], 1, "ntk", init_scale=3**-0.5), lm.FullBatch(alpha=4.0),
    lm.SGD(0.2, layer_lr=[1, SIZES[0], SIZES[0]]),
)  # fmt: skip


@pytest.fixture(scope="module")
def table() -> Iterator[lm.Transfer]:
    scalings = {"own": lambda nu: {"optimizer.layer_lr": [1, nu, nu]}, "built in": "PyTorch"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield lm.transfer(TORCH, "network.width", SIZES, 40, scalings=scalings)


def test_the_best_raw_rate_falls_with_the_width(table: lm.Transfer) -> None:
    """Rates of a loop with ``nn.MSELoss`` are half of those for ``0.5 * mse``: 0.26 to 0.15."""
    raw = table.raw_lr["built in"] / 2
    assert np.allclose(raw[[0, 2]], [0.262, 0.148], rtol=0.02)
    assert 0.225 < raw[1] < 0.248  # a valley at 0.229, and a needle at 0.244
    assert np.array_equal(table.lr[0], table.lr[1])
    assert np.allclose(table.raw_lr["own"], table.lr[0])
    assert "raw lr" in table.summary()
    assert "half of it with nn.MSELoss" in table.summary()
    assert table.cautions == ()
    assert table.to_xarray().raw_lr.dims == ("raw_scaling", "width")


def test_a_fixed_layer_lr_is_warned_of() -> None:
    """It once reported a best rate that rises with the width, without a word."""
    with pytest.warns(lm.ScalingWarning, match=r"optimizer.layer_lr stays \[1, 0.1633, 0.1633\]"):
        found = lm.transfer(TORCH, "network.width", SIZES[::2], 20, rtol=0.1)
    assert len(found.cautions) == 1
    assert found.cautions[0] in found.summary()
    assert "(in muP, NTK)" in found.cautions[0]
    assert found.raw_lr == {}
    assert found.to_xarray().attrs["cautions"] == found.cautions[0]


def test_the_coordinate_check_warns_and_takes_functions_of_the_width() -> None:
    with pytest.warns(lm.ScalingWarning, match="layer_lr stays"):
        fixed = lm.coordinate_check(TORCH, SIZES, 5)
    assert fixed.cautions[0] in fixed.summary()
    scalings = {"own": lambda nu: {"optimizer.layer_lr": [1, nu, nu]}, "built in": "PyTorch"}
    base = TORCH.replace(**{"optimizer.layer_lr": None})
    check = lm.coordinate_check(TORCH, SIZES, 5, scalings=scalings)
    assert np.array_equal(check.theory.gradients[0], check.theory.gradients[1])
    assert check.cautions == ()
    names = lm.coordinate_check(base, SIZES, 5, scalings=["muP", "PyTorch", "standard"])
    assert names.scalings == ("muP", "PyTorch", "standard")


def test_other_scans_of_widths_warn_too() -> None:
    for call in (lm.wider_is_better, lm.compute_optimal):
        with pytest.warns(lm.ScalingWarning, match="layer_lr stays"):
            call(TORCH, SIZES, 5)


@pytest.mark.parametrize(
    ("path", "sizes", "changes", "scalings", "message"),
    [
        ("network.width", [1, 2], {"network.init_scale": 0.5}, None, "init_scale stays 0.5"),
        ("network.width", [1, 2], {"network.init_scale": 3**-0.5}, None, None),
        ("network.width", [1, 2], {"optimizer.layer_lr": [2, 2, 2]}, None, None),
        ("network.width", [1, 2], {"optimizer.layer_lr": [1, 2, 2]}, ["PyTorch"], None),
        (
            *("network.width", [1, 2], {"optimizer.layer_lr": [1, 2, 2]}),
            *({"constant": {"optimizer.layer_lr": [1, 2, 2]}}, None),
        ),
        ("data.alpha", [2, 3], {"optimizer.layer_lr": [1, 2, 2]}, None, None),
        ("network.depth", [1, 2], {"network.init_scale": 0.9}, None, "at every depth"),
        ("network.depth", [1, 2], {"network.init_scale": 0.9}, ["standard"], None),
        (
            *("network.depth", [1, 2], {"network": lm.ResNet(2, branch_scaling="constant")}),
            *({"mine": {}}, r"network.branch stays 1 at every depth \(in mine\)"),
        ),
        (
            *("network.depth", [1, 2], {"network": lm.ResNet(2, branch_scaling="constant")}),
            *({"mine": lambda depth: {"network.branch": depth**-0.5}}, None),
        ),
        ("network.depth", [1, 2], {"network": lm.ResNet(2)}, None, None),
    ],
)
def test_cautions(
    path: str, sizes: list[float], changes: dict[str, Any], scalings: Any, message: str | None
) -> None:
    problem = lm.Problem(lm.MLP(2), lm.FullBatch(alpha=2.0), lm.SGD(0.05)).replace(**changes)
    call: Any = lambda: lm.transfer(problem, path, sizes, 4, scalings=scalings, rtol=0.3)  # noqa: E731
    if message is None:
        assert call().cautions == ()
    else:
        with pytest.warns(lm.ScalingWarning, match=message):
            assert len(call().cautions) == 1


def test_depth_is_given_as_a_whole_number() -> None:
    base = lm.Problem(lm.MLP(1), lm.FullBatch(alpha=2.0), lm.SGD(0.05))
    own = {"own": lambda depth: {"optimizer.layer_lr": [1] + [2] * depth}, "PyTorch": "PyTorch"}
    found = lm.transfer(base, "network.depth", [1, 3], 10, scalings=own, rtol=0.1)
    assert found.raw_lr.keys() == {"PyTorch"}


@pytest.mark.parametrize(
    ("scalings", "message"),
    [
        ("mup", r"scalings must be 'muP', .*, got 'mup' \(did you mean 'muP'"),
        (["muP", 3], "scalings must be a dictionary of names"),
        ({"a": "pytorch"}, r"scalings must be 'muP', .* \(did you mean 'PyTorch'"),
        ({"a": lambda nu: 3}, r"scalings\['a'\]\(1\) must be a dictionary of paths"),
        ({"a": lambda nu: {3: 3}}, r"scalings\['a'\]\(1\) must be a dictionary of paths"),
        ({"a": lambda nu: {"network.width": 3}}, r"\['a'\]\(1\) must be without network.width"),
        (
            {"a": lambda nu: {"optimizer.layer_lr": [nu]}},
            r"layer_lr must .*\(scalings\['a'\] at network.width = 1.0\)",
        ),
    ],
)
def test_bad_scalings_are_refused(scalings: Any, message: str) -> None:
    problem = lm.Problem(lm.MLP(2), lm.FullBatch(alpha=2.0), lm.SGD(0.05))
    with pytest.raises(ValueError, match=message):
        lm.transfer(problem, "network.width", [1, 2], 4, scalings=scalings)
    with pytest.raises(ValueError, match=message):
        lm.coordinate_check(problem, [1, 2], 4, scalings=scalings)


def test_no_infinite_width_at_a_fixed_raw_rate() -> None:
    problem = lm.Problem(lm.MLP(2), lm.FullBatch(alpha=2.0), lm.SGD(0.05))
    with pytest.raises(ValueError, match=r"network.width must be finite .*got inf \(at network.wi"):
        lm.transfer(problem, "network.width", [1, math.inf], 4, scalings=["PyTorch"])
    with pytest.raises(ValueError, match=r"scalings\['PyTorch'\] must be without network.gamma0"):
        lm.transfer(problem, "network.gamma0", [1, 2], 4, scalings=["PyTorch"])
