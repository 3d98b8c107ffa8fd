"""``from_pytorch`` and ``to_pytorch`` against training loops that know nothing of the package."""

import math
import re
from typing import Any

import numpy as np
import pytest
from pytorch_cases import (
    MODES,
    NAMES,
    PROBLEMS,
    SHARED,
    STEPS,
    Array,
    converted,
    largest_z,
    losses_of_script,
)
from pytorch_loop import combinations, excess_losses

import lindmft as lm
from lindmft.analysis.sizes.parameterizations import raw_factors
from lindmft.analysis.sizes.scalings import read_scalings


def mean_losses(loop: dict[str, Any], networks: int) -> Array:
    losses: Array = np.mean([excess_losses(s, STEPS, **loop) for s in range(networks)], axis=0)
    return losses


def error(loop: dict[str, Any], networks: int) -> float:
    """Return the mean over steps of the relative error of the theory."""
    theory = lm.solve(converted(loop), STEPS).test_loss
    return float(np.abs(mean_losses(loop, networks) / theory - 1).mean())


# ---- from_pytorch

WRONG: dict[str, dict[str, Any]] = {
    NAMES[0]: {"half": True},
    NAMES[1]: {"init": "linear"},
    NAMES[2]: {"lr": [0.01, 0.02]},
    NAMES[3]: {"input_scale": 1.0},
    NAMES[4]: {"base_hidden": None},
    NAMES[5]: {"branch": None},
}
"""A change of each loop that makes its problem a different one."""


@pytest.mark.parametrize("name", NAMES)
def test_the_theory_of_a_loop_has_its_losses(name: str) -> None:
    loop = combinations(32)[name]
    assert error(loop, 60) < 0.12
    wrong = lm.solve(converted(loop, **WRONG[name]), STEPS).test_loss
    assert np.abs(mean_losses(loop, 20) / wrong - 1).max() > 0.3


@pytest.mark.long
def test_errors_fall_with_the_size() -> None:
    """The theory is the limit of large sizes, with corrections of order 1 / D."""
    found = {
        name: [error(combinations(dim)[name], 25600 // dim) for dim in (16, 64)] for name in NAMES
    }
    small, large = np.array(list(found.values())).T
    assert small.max() < 0.25
    assert large.max() < 0.07
    assert np.sqrt(np.mean(large**2)) < 0.4 * np.sqrt(np.mean(small**2)), found


@pytest.mark.parametrize(("init", "scaling"), [("linear", "PyTorch"), ("lecun_normal", "standard")])
def test_one_rate_is_the_scaling_of_that_name(init: str, scaling: str) -> None:
    loop: dict[str, Any] = {
        "inputs": 32,
        "hidden": [48, 48],
        "samples": 64,
        "lr": 0.1,
        "half": True,
    }
    problem = lm.from_pytorch(**loop, init=init)
    rule = read_scalings([scaling], "network.width")[scaling]
    other = rule.at(problem, {"network.width": 1.5})
    assert np.allclose(problem.optimizer.layer_lr, other.optimizer.layer_lr, rtol=1e-12)
    assert problem.network.init_scale == pytest.approx(other.network.init_scale, rel=1e-12)
    assert (problem.network.gamma0, problem.optimizer.lr) == (1.0, 0.1)
    twice = lm.from_pytorch(**{**loop, "half": False}, init=init)
    assert twice.optimizer.lr == pytest.approx(0.2)


@pytest.mark.long
def test_batches_with_replacement_have_more_noise_than_subsets() -> None:
    """Their fraction of the samples is B / (B + P), that of subsets B / P; here 0.2 and 0.25."""
    loop: dict[str, Any] = {"inputs": 96, "hidden": [96], "samples": 384, "batch": 96, "lr": 0.06}
    loop["noise"] = 0.5
    curves = {
        order: lm.solve(converted({**loop, "order": order}), STEPS).test_loss
        for order in ("replacement", "subsets")
    }
    for order, other in [("replacement", "subsets"), ("subsets", "replacement")]:
        mine = mean_losses({**loop, "order": order}, 500)
        assert np.abs(mine / curves[order] - 1).max() < 0.03
        assert np.abs(mine / curves[other] - 1).mean() > np.abs(mine / curves[order] - 1).mean()


def test_scales_that_cancel_give_the_same_problem() -> None:
    """V = a U trains like U at a^2 times its rate, where the product of all a is 1."""
    rng = np.random.default_rng(0)
    loop: dict[str, Any] = {"inputs": 20, "hidden": [30, 10, 20], "samples": 40, "momentum": 0.5}
    std, lr = rng.uniform(0.1, 1.0, 4), rng.uniform(0.01, 0.1, 4)
    factor = rng.uniform(0.3, 3.0, 4)
    factor /= np.prod(factor) ** 0.25
    one, two = (
        lm.from_pytorch(
            **loop, init=list(a * std), lr=list(a**2 * lr), weight_decay=list(0.01 / a**2 / lr)
        )
        for a in (np.ones(4), factor)
    )
    assert one.network.init_scale == pytest.approx(two.network.init_scale, rel=1e-12)
    assert one.optimizer.lr == pytest.approx(two.optimizer.lr, rel=1e-12)
    assert one.optimizer.layer_lr == pytest.approx(two.optimizer.layer_lr, rel=1e-12)
    assert one.optimizer.weight_decay == pytest.approx(two.optimizer.weight_decay, rel=1e-12)
    scaled = lm.from_pytorch(**loop, init=list(std), lr=list(lr), input_scale=3.0)
    first = np.array([3.0, 1.0, 1.0, 1.0])
    other = lm.from_pytorch(**loop, init=list(first * std), lr=list(first**2 * lr))
    assert scaled == other


def test_both_parameterizations_are_the_same_training() -> None:
    for loop in combinations(16).values():
        if loop.get("order") is None and "batch" in loop and "samples" in loop:
            continue
        ntk, mup = (
            lm.solve(converted(loop, parameterization=name), STEPS).test_loss
            for name in ("ntk", "mup")
        )
        assert np.allclose(ntk, mup, rtol=1e-9)
        assert converted(loop, parameterization="mup").network.init_scale == 1.0


def test_base_shapes_keep_the_richness_at_every_width() -> None:
    loop: dict[str, Any] = {"inputs": 64, "samples": 128, "lr": 0.05, "depth": 3}
    loop |= {"parameterization": "mup", "weight_decay": 0.1}
    narrow, wide = (lm.from_pytorch(**loop, hidden=n, base_hidden=32) for n in (32, 512))
    assert narrow == lm.from_pytorch(**loop, hidden=32)
    assert narrow.replace(network=wide.network) == wide
    assert wide.network.gamma0 == narrow.network.gamma0
    assert lm.from_pytorch(**loop, hidden=512).network.gamma0 < narrow.network.gamma0


def test_sizes_of_all_kinds_of_data() -> None:
    loop: dict[str, Any] = {"inputs": 50, "hidden": 50, "lr": 0.1}
    make = lm.from_pytorch
    assert make(**loop, samples=100).data == lm.FullBatch(samples=100, inputs=50)
    assert make(**loop, samples=100, batch=100).data == lm.FullBatch(samples=100, inputs=50)
    assert make(**loop, samples=100, batch=20).data == lm.Epochs(2.0, 5, inputs=50)
    assert make(**loop, batch=25).data == lm.OnePass(0.5, inputs=50)
    assert make(**loop, samples=math.inf).data == lm.FullBatch(math.inf, inputs=50)
    some = make(**loop, samples=100, batch=25, order="subsets").data
    assert some == lm.MultiPass(2.0, batch_fraction=0.25, inputs=50)
    again = make(**loop, samples=100, batch=25, order="replacement").data
    assert again == lm.MultiPass(2.0, batch_fraction=0.2, inputs=50)


def test_modes_are_inputs_of_trace_class_spectra() -> None:
    modes = lm.Discrete([1.0, 0.5, 0.25], [1.0, 1.0, 2.0], trace_class=True)
    problem = lm.from_pytorch(hidden=40, samples=30, lr=0.1, spectrum=modes, half=True)
    assert problem == lm.from_pytorch(
        inputs=3, hidden=40, samples=30, lr=0.1, spectrum=modes, half=True
    )
    assert (problem.network.hidden, problem.data.samples) == (40, 30)
    assert problem.network.gamma0 == pytest.approx(3**0.5)
    assert np.allclose(0.1 * raw_factors(problem), 0.1)


LOOP: dict[str, Any] = {"inputs": 20, "hidden": [20, 40], "samples": 40, "lr": 0.1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bias": True}, "bias cannot be combined with .* they have no biases. Give nn.Linear"),
        ({"init": [0.1, 0.0, 0.0]}, r"init must be zero for at most one layer \(with more"),
        (
            {"init": [0.0, 0.1, 0.0], "hidden": [20] * 2, "branch": 1.0},
            "init must be zero for at most one of the first and the last layer",
        ),
        ({"init": [0.1, 0.1]}, r"init must be one entry, or a list of 3 \(one per layer\)"),
        (
            {"init": "orthogonal"},
            "init must be a standard deviation from 0 on, 'linear', .*got 'ort",
        ),
        ({"init": -1.0}, "init must be a standard deviation from 0 on, .*got -1.0"),
        ({"gain": 2.0}, "gain cannot be combined with init = 'linear': it has no gain"),
        ({"gain": 2.0, "init": 0.1}, "gain cannot be combined with a number as init"),
        ({"gain": 0.0, "init": "xavier_normal"}, "gain must be a positive finite number, got 0.0"),
        (
            {"lr": [0.1, 0.2, 0.1], "weight_decay": 0.1},
            "weight_decay cannot be combined with learning rates that differ between .* Give",
        ),
        ({"lr": 0.0}, "lr must be positive in a layer, got 0.0"),
        ({"lr": [0.1, 0.2]}, r"lr must be one number, or a list of 3 \(one per layer\), got"),
        ({"lr": -0.1}, "lr must be finite and not negative, got -0.1"),
        ({"weight_decay": math.nan}, "weight_decay must be finite and not negative, got nan"),
        ({"base_hidden": 0}, "base_hidden must be positive, got 0"),
        ({"reduction": "none"}, "reduction must be 'mean' or 'sum', got 'none'"),
        ({"half": 1}, "half must be true or false, got 1"),
        ({"samples": None}, "samples is missing: give the number of samples, or batch"),
        ({"inputs": None}, "inputs is missing: the number of inputs"),
        ({"inputs": 2.5}, "inputs must be a whole number of at least 1, got 2.5"),
        ({"hidden": []}, "hidden must be the number of hidden units, or a list"),
        ({"hidden": [20, math.inf]}, r"hidden\[1\] must be a whole number of at least 1, got inf"),
        ({"depth": 3}, r"depth must be the number of hidden layers in hidden \(2\), got 3"),
        ({"batch": 50}, r"batch must be at most samples \(40\), got 50"),
        ({"batch": 30}, r"batch must be a divisor of samples \(40\), as with drop_last"),
        ({"batch": math.inf}, "batch cannot be combined with an infinite number of samples"),
        ({"order": "random"}, "order must be 'shuffled', 'replacement' or 'subsets', got"),
        (
            {"samples": math.inf, "reduction": "sum"},
            "reduction='sum' cannot be combined with infinite data",
        ),
        ({"schedule": []}, "schedule must be a list with the factor of each step"),
        ({"input_scale": 0.0}, "input_scale must be a positive finite number, got 0.0"),
        ({"branch": 0.0}, "branch must be a positive finite number, got 0.0"),
        ({"parameterization": "sp"}, "parameterization must be 'ntk' or 'mup', got 'sp'"),
        (
            {"spectrum": lm.PowerLaw(1.5, 0.5, 100)},
            r"inputs must be the number of modes in the spectrum \(100\), got 20",
        ),
    ],
)
def test_loops_without_a_problem_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.from_pytorch(**{**LOOP, **changes})


# ---- to_pytorch


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("loss", [{}, {"reduction": "sum", "half": True}])
def test_scripts_train_like_the_package(name: str, loss: dict[str, Any]) -> None:
    """Small networks of the script and of ``train`` have the same law."""
    problem = PROBLEMS[name]
    loop = lm.to_pytorch(problem, inputs=16, **loss)
    mine = losses_of_script(loop, "numpy", 200)
    assert largest_z(mine, problem) < 4


ORDERS_OF_MULTI_PASS = ("subsets", "replacement")
ORDERS = {
    **dict.fromkeys(ORDERS_OF_MULTI_PASS, lm.MultiPass(3.0, batch_fraction=0.25)),
    "shuffled": lm.Epochs(3.0, 4),
    "modes that outputs share": lm.FullBatch(3.0, spectrum=SHARED),
}


@pytest.mark.parametrize("name", ORDERS)
def test_scripts_have_the_losses_of_the_theory(name: str) -> None:
    problem = lm.Problem(lm.MLP(1), ORDERS[name], lm.SGD(0.1))
    loop = lm.to_pytorch(
        problem, inputs=48, order=name if name in ORDERS_OF_MULTI_PASS else "subsets"
    )
    mine = losses_of_script(loop, "numpy", 60).mean(0)
    assert name not in ORDERS_OF_MULTI_PASS or loop.order == name
    assert np.abs(mine / lm.solve(problem, STEPS).test_loss - 1).max() < 0.12


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("loss", [{}, {"reduction": "sum", "half": True}])
def test_there_and_back(name: str, loss: dict[str, Any]) -> None:
    problem = PROBLEMS[name]
    loop = lm.to_pytorch(problem, inputs=16, **loss)
    gauge = "mup" if problem.network.parameterization == "mup" else "ntk"
    back = lm.from_pytorch(**loop.arguments(), parameterization=gauge)
    network = problem.network
    if (network.parameterization, network.kind, network.init_scale) == ("mup", "mlp", 1.0):
        assert back.optimizer.lr == pytest.approx(problem.optimizer.lr, rel=1e-12)
        assert back.network.gamma0 == pytest.approx(problem.network.gamma0)
    one, two = (lm.solve(p, STEPS).test_loss for p in (problem, back))
    assert np.allclose(one, two, rtol=1e-9)


def test_batches_with_replacement_there_and_back() -> None:
    """A batch of 32 among 128 samples, with replacement, is like a fraction 1/5 of them."""
    loop: dict[str, Any] = {"inputs": 32, "hidden": 32, "samples": 128, "lr": 0.1, "batch": 32}
    problem = lm.from_pytorch(**loop, order="replacement")
    back = lm.to_pytorch(problem, order="replacement")
    assert (back.samples, back.batch, back.order) == (128, 32, "replacement")
    assert lm.to_pytorch(problem).batch == 26
    assert lm.from_pytorch(**back.arguments()).data == problem.data


def test_a_loop_is_short_in_print_and_complete_in_code() -> None:
    loop = lm.to_pytorch(PROBLEMS["momentum and decay"], inputs=64)
    assert len(repr(loop)) < 1500
    text = loop.code(steps=7, networks=3)
    assert max(map(len, text.splitlines())) <= 100
    assert "torch.optim.SGD(groups, momentum=MOMENTUM)" in text
    assert not re.search("#[?]|SCHEDULE|BRANCH|import copy|INPUT_STD|nesterov", text)
    assert not re.search("= None|= False", text)
    assert "STEPS = 7\nNETWORKS = 3\n" in text
    for problem in PROBLEMS.values():
        text = lm.to_pytorch(problem, inputs=16).code()
        compile(text, "script", "exec")
        assert ("copy" in text) == problem.network.centered
        assert ("nesterov=True" in text) == problem.optimizer.nesterov


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("momentum and decay", "loss nn.MSELoss(), torch.optim.SGD with momentum=0.5, all of 64"),
        ("multipliers and Nesterov", "SGD with momentum=0.5, nesterov=True, all of 48 samples in"),
        ("residual, one pass", "torch.optim.SGD, 16 fresh samples in every step"),
        ("centered, schedule, classes of modes", "torch.optim.SGD with a schedule, all of 48"),
    ],
)
def test_summaries(name: str, said: str) -> None:
    problem = PROBLEMS[name]
    lines = lm.to_pytorch(problem, inputs=16).summary().splitlines()
    assert said in lines[-1]
    assert len(lines) == problem.network.depth + 3


def test_the_summary_says_how_batches_are_drawn() -> None:
    for data, order, said in [
        (lm.Epochs(4.0, 4), "subsets", "shuffled epochs of 64 samples, 16 in a batch"),
        (
            lm.MultiPass(4.0, batch_fraction=0.25),
            "subsets",
            "random subsets of 64 samples, 16 in a",
        ),
        (
            *(lm.MultiPass(4.0, batch_fraction=0.2), "replacement"),
            "random batches with replacement of 64 samples, 16 in a batch",
        ),
    ]:
        loop = lm.to_pytorch(BASE.replace(data=data), inputs=16, order=order, reduction="sum")
        assert said in loop.summary()
        assert "loss nn.MSELoss(reduction='sum'), " in loop.summary()


BASE = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"network.width": math.inf}, {}, "network.width must be finite in a training loop"),
        (
            {"network": lm.ResNet(math.inf)}, {}, "network.depth must be finite in a training loop"
        ),
        (
            {"network.width": math.inf, "network.gamma0": 0.0}, {}, "network.width must be finite",
        ),
        ({"data": lm.Population()}, {}, "data must be a kind of data with finitely many samples"),
        ({"data.alpha": math.inf}, {}, "data must be a kind of data with finitely many samples"),
        ({"optimizer.lr": [0.0, 0.0]}, {}, "optimizer.lr must be positive in some step"),
        (
            {"optimizer": lm.SGD(0.1, weight_decay=0.1, layer_lr=[1, 0])}, {},
            "optimizer.weight_decay cannot be combined with a learning rate of 0 in",
        ),
        ({}, {"inputs": 0}, "inputs must be a whole number of at least 1, got 0"),
        ({}, {"reduction": "none"}, "reduction must be 'mean' or 'sum'"),
        ({}, {"half": "yes"}, "half must be true or false"),
        ({}, {"order": "shuffled"}, "order must be 'subsets' or 'replacement', got 'shuffled'"),
        (
            {"data": lm.MultiPass(2.0, batch_fraction=1.0)}, {"order": "replacement"},
            "data.batch_fraction must be below 1 in batches with replacement, got 1.0",
        ),
        (
            {"data": lm.FullBatch(samples=9, spectrum=MODES), "network": lm.MLP(hidden=4)},
            {"inputs": 9}, r"inputs must be the number of modes \(16\), got 9",
        ),
        (
            {
                "data": lm.FullBatch(samples=9, spectrum=lm.PowerLaw(1.5, 0.5, 8)),
                "network": lm.MLP(hidden=4),
            },
            {"inputs": 9}, r"inputs must be at most the number of modes \(8\), got 9",
        ),
        (
            {
                "data": lm.FullBatch(
                    samples=9, spectrum=lm.Discrete([1.0], [1.0], [2.5], trace_class=True)
                ),
                "network": lm.MLP(hidden=4),
            },
            {}, "data.spectrum.weights must be whole numbers of modes",
        ),
    ],
)  # fmt: skip
def test_problems_without_a_loop_are_refused(
    changes: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        lm.to_pytorch(BASE.replace(**changes), **arguments)


def test_bad_arguments_of_scripts_are_refused() -> None:
    loop = lm.to_pytorch(BASE)
    with pytest.raises(ValueError, match="framework must be 'torch' or 'numpy', got 'jax'"):
        loop.code(framework="jax")
    with pytest.raises(ValueError, match="steps must be a whole number of at least 1, got 0"):
        loop.code(steps=0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"data.alpha": [0.5, 0.6]}, "data.alpha"),
        ({"optimizer.momentum": [0.1, 0.2]}, "optimizer.momentum"),
        ({"data.switch_at": 5}, "data.switch_at"),
    ],
)
def test_lists_that_scripts_do_not_have_are_refused(changes: dict[str, Any], field: str) -> None:
    problem = lm.Problem(lm.MLP(), lm.OnePass(alpha=0.5), lm.SGD(lr=0.1)).replace(changes)
    with pytest.raises(lm.BadInput) as caught:
        lm.to_pytorch(problem, inputs=64)
    assert caught.value.field == field
