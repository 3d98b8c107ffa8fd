"""Pairs of problems that have the same losses, up to a known factor, and random ones of each kind.

Every invariance takes a random problem and returns another one with the factor between their
losses. None of them needs a reference value: a wrong factor anywhere breaks some of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import lindmft as lm

Rng = np.random.Generator
Pair = tuple[lm.Problem, lm.Problem, float]
"""Two problems, and the ratio of the second one's loss to the first one's."""

LIMIT = math.inf


@dataclass(frozen=True)
class Invariance:
    """A way to draw pairs, and the cases in which their losses agree.

    Attributes
    ----------
    pair
        Draws the two problems.
    finite
        Whether it also holds for each finite network, with the same seed.
    train_loss
        Whether it also holds for training losses.
    """

    pair: Callable[[Rng], Pair]
    finite: bool = True
    train_loss: bool = True


def network(rng: Rng, **changes: Any) -> lm.MLP:
    """A random perceptron."""
    depth = int(rng.integers(1, 4))
    usual: dict[str, Any] = {
        "depth": depth,
        "width": float(rng.choice([0.5, 1.0, 1.5, 2.0])),
        "gamma0": float(rng.uniform(0.3, 1.5)),
        "centered": bool(rng.integers(2)),
        "init_scale": float(rng.uniform(0.8, 1.1)),
    }
    return lm.MLP(**(usual | changes))


def data(rng: Rng, kinds: str = "fmop", **changes: Any) -> Any:
    """Random data: full batch, multi-pass, one pass or the population."""
    kind = rng.choice(list(kinds))
    alpha, noise = float(rng.choice([0.5, 1.5, 3.0])), float(rng.uniform(0, 0.6))
    common: dict[str, Any] = {"noise": noise, "spectrum": spectrum(rng)} | changes
    if kind == "f":
        return lm.FullBatch(**({"alpha": alpha} | common))
    if kind == "m":
        return lm.MultiPass(**({"alpha": alpha, "batch_fraction": 0.5} | common))
    if kind == "o":
        return lm.OnePass(**({"alpha": alpha} | common))
    return lm.Population(**{key: value for key, value in common.items() if key != "alpha"})


def spectrum(rng: Rng) -> lm.Isotropic | lm.Discrete:
    """Isotropic inputs, or two directions."""
    if rng.integers(2):
        return lm.Isotropic()
    weights = [0.25, 0.75]
    return lm.Discrete(
        rng.uniform(0.4, 1.5, 2).tolist(), rng.uniform(0.3, 1.5, 2).tolist(), weights
    )


def optimizer(rng: Rng, **changes: Any) -> lm.SGD:
    """A random rate, sometimes with momentum and weight decay."""
    usual: dict[str, Any] = {"lr": float(rng.uniform(0.005, 0.04))}
    if rng.integers(2):
        usual |= {
            "momentum": float(rng.uniform(0, 0.5)),
            "weight_decay": float(rng.uniform(0, 0.2)),
        }
    return lm.SGD(**(usual | changes))


def problem(rng: Rng, kinds: str = "fmop") -> lm.Problem:
    """A random problem."""
    return lm.Problem(network(rng), data(rng, kinds), optimizer(rng))


def target_against_richness(rng: Rng) -> Pair:
    """A target c w* at gamma0 / c is learned like w* at gamma0; losses are c^2 times as large."""
    one, c = problem(rng), float(rng.uniform(0.3, 3))
    other = replace(
        one,
        network=replace(one.network, gamma0=one.network.gamma0 / c),
        data=replace(one.data, noise=c * one.data.noise, targets=[c]),
    )
    return one, other, c**2


def inputs_against_rate(rng: Rng) -> Pair:
    """Inputs sqrt(c) x at lr / c are like x at lr in the lazy limit, for labels of equal power."""
    c = float(rng.uniform(0.3, 3))
    lazy = network(rng, width=LIMIT, gamma0=0.0)
    values, power = rng.uniform(0.4, 1.5, 2), rng.uniform(0.3, 1.5, 2)
    weights = [0.25, 0.75]
    one = lm.Problem(
        lazy,
        data(rng, spectrum=lm.Discrete(values.tolist(), power.tolist(), weights)),
        optimizer(rng, momentum=0.0, weight_decay=0.0),
    )
    scaled = lm.Discrete((c * values).tolist(), (power / c).tolist(), weights)
    rate = replace(one.optimizer, lr=one.optimizer.lr / c)
    return one, replace(one, data=replace(one.data, spectrum=scaled), optimizer=rate), 1.0


def ntk_against_mup(rng: Rng) -> Pair:
    """NTK parameterization at width nu is muP with gamma0 / sqrt(nu): at width 1 the same."""
    one = problem(rng)
    ntk = replace(one.network, parameterization="ntk")
    mup = replace(one.network, gamma0=one.network.gamma0 / math.sqrt(one.network.width))
    return replace(one, network=ntk), replace(one, network=mup), 1.0


def whole_batch(rng: Rng) -> Pair:
    """Several passes with all samples in every batch are full batch."""
    one = problem(rng, "f")
    amount = {"alpha": one.data.alpha, "noise": one.data.noise, "spectrum": one.data.spectrum}
    return one, replace(one, data=lm.MultiPass(**amount, batch_fraction=1.0)), 1.0


def infinite_samples(rng: Rng) -> Pair:
    """Infinitely many samples are the population, in full batch and in one pass."""
    one = problem(rng, "p")
    kind = lm.FullBatch if rng.integers(2) else lm.OnePass
    common = {"noise": one.data.noise, "spectrum": one.data.spectrum}
    return one, replace(one, data=kind(LIMIT, **common)), 1.0


def split_modes(rng: Rng) -> Pair:
    """A mode given as several equal ones, in any order."""
    one = problem(rng)
    given = one.data.spectrum
    modes = given if isinstance(given, lm.Discrete) else lm.Discrete([1.0], [1.0], [1.0])
    table = np.array([modes.eigenvalues, modes.target_power, modes.weights])
    parts = np.repeat(table, 2, axis=1)
    parts[2] *= np.tile([0.25, 0.75], table.shape[1])
    order = rng.permutation(parts.shape[1])
    split = lm.Discrete(*(row.tolist() for row in parts[:, order]))
    return one, replace(one, data=replace(one.data, spectrum=split)), 1.0


def equal_widths(rng: Rng) -> Pair:
    """One width for all layers, or a list of it."""
    one = problem(rng)
    listed = replace(one.network, width=[one.network.width] * one.network.depth)
    return one, replace(one, network=listed), 1.0


def rates_of_layers(rng: Rng) -> Pair:
    """The same multiplier in every layer multiplies the rate."""
    one, c = problem(rng), float(rng.uniform(0.3, 2))
    one = replace(one, optimizer=replace(one.optimizer, weight_decay=0.0))
    layers = one.network.depth + 1
    rate = replace(one.optimizer, lr=one.optimizer.lr / c, layer_lr=[c] * layers)
    return one, replace(one, optimizer=rate), 1.0


def constant_schedule(rng: Rng) -> Pair:
    """A list of equal rates is that rate."""
    one = problem(rng)
    return one, replace(one, optimizer=replace(one.optimizer, lr=[one.optimizer.lr] * 50)), 1.0


def initial_scale(rng: Rng) -> Pair:
    """Weights s times as large are gamma0 / s^(L+1) at the rate s^(2L) lr."""
    one, s = problem(rng), float(rng.uniform(0.7, 1.3))
    depth = one.network.depth
    scaled = replace(one.network, init_scale=s * one.network.init_scale)
    moved = replace(one.network, gamma0=one.network.gamma0 / s ** (depth + 1))
    faster = replace(
        one.optimizer,
        lr=one.optimizer.lr * s ** (2 * depth),
        weight_decay=one.optimizer.weight_decay / s ** (2 * depth),
    )
    return replace(one, network=scaled), replace(one, network=moved, optimizer=faster), 1.0


def outputs_alone(rng: Rng) -> Pair:
    """Equal orthogonal targets decouple for isotropic inputs: C of them have C times the loss."""
    one = lm.Problem(network(rng), data(rng, spectrum=lm.Isotropic()), optimizer(rng))
    count, norm = int(rng.integers(2, 4)), float(rng.uniform(0.5, 1.5))
    single = replace(one, data=replace(one.data, targets=[norm]))
    return single, replace(one, data=replace(one.data, targets=[norm] * count)), float(count)


def rotated_outputs(rng: Rng) -> Pair:
    """Norms of orthogonal targets, or a rotation of them as a Gram matrix."""
    one = lm.Problem(network(rng), data(rng, spectrum=lm.Isotropic()), optimizer(rng))
    norms = rng.uniform(0.5, 1.5, 2)
    turn, _ = np.linalg.qr(rng.standard_normal((2, 2)))
    gram = turn @ np.diag(norms**2) @ turn.T
    plain = replace(one, data=replace(one.data, targets=norms.tolist()))
    return plain, replace(one, data=replace(one.data, targets=((gram + gram.T) / 2).tolist())), 1.0


def no_branches(rng: Rng) -> Pair:
    """A residual network of one hidden layer, or without branches, is a shallow perceptron."""
    one = replace(problem(rng), network=network(rng, depth=1))
    fields = ("width", "gamma0", "centered", "init_scale")
    same = {name: getattr(one.network, name) for name in fields}
    deep = int(rng.integers(1, 4))
    branch = 0.0 if deep > 1 else float(rng.uniform(0.5, 1.5))
    return one, replace(one, network=lm.ResNet(depth=deep, branch=branch, **same)), 1.0


def centered_at_infinite_width(rng: Rng) -> Pair:
    """Infinitely wide networks start from zero: centering changes nothing."""
    one = replace(problem(rng), network=network(rng, width=LIMIT, centered=False))
    return one, replace(one, network=replace(one.network, centered=True)), 1.0


def noise_of_the_population(rng: Rng) -> Pair:
    """Label noise does not reach the weights of population training."""
    one = problem(rng, "p")
    return one, replace(one, data=replace(one.data, noise=1.0 + one.data.noise)), 1.0


def numbers_for_ratios(rng: Rng) -> Pair:
    """Actual numbers of units and samples, and the number of inputs."""
    inputs = int(rng.integers(20, 60))
    units, samples = (int(n) for n in rng.integers(10, 90, 2))
    ratios = lm.Problem(
        network(rng, width=units / inputs), data(rng, "fmo", alpha=samples / inputs), optimizer(rng)
    )
    counted = "batch" if ratios.data.kind == "one_pass" else "samples"
    numbers = lm.Problem(
        replace(ratios.network, width=None, hidden=units),
        replace(ratios.data, alpha=None, inputs=inputs, **{counted: samples}),
        ratios.optimizer,
    )
    return ratios, numbers, 1.0


INVARIANCES = {
    "target against richness": Invariance(target_against_richness),
    "inputs against rate": Invariance(inputs_against_rate, finite=False),
    "ntk against mup": Invariance(ntk_against_mup),
    "whole batch": Invariance(whole_batch),
    "infinite samples": Invariance(infinite_samples, finite=False),
    "split modes": Invariance(split_modes, finite=False),
    "equal widths": Invariance(equal_widths),
    "rates of layers": Invariance(rates_of_layers),
    "constant schedule": Invariance(constant_schedule),
    "initial scale": Invariance(initial_scale),
    "outputs alone": Invariance(outputs_alone, finite=False),
    "rotated outputs": Invariance(rotated_outputs, finite=False),
    "no branches": Invariance(no_branches, finite=False),
    "centered at infinite width": Invariance(centered_at_infinite_width, finite=False),
    "noise of the population": Invariance(noise_of_the_population, finite=True, train_loss=False),
    "numbers for ratios": Invariance(numbers_for_ratios, finite=False),
}
