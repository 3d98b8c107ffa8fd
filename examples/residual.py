"""Residual networks: depth, sources of the loss, and kernels. Lines are theory, points networks.

Left: convergence to infinite depth. Middle: the test loss by its sources. Right: alignment of the
neural tangent kernel with the target. The script takes half a minute and writes a picture.

    python examples/residual.py [residual.png]
"""

import sys

import matplotlib.pyplot as plt

import lindmft as lm
from lindmft.plotting.losses import End, label_ends, thinned, time_axis
from lindmft.plotting.style import COLOURS
from lindmft.plotting.ticks import plain_ticks

STEPS = 150
DATA = lm.FullBatch(alpha=1.5, noise=0.5)
DEPTHS = (2, 4, 16, float("inf"))


def problem(depth: float, gamma0: float = 1.0) -> lm.Problem:
    """Return a residual network with branches of 1/sqrt(depth) on noisy data."""
    return lm.Problem(lm.ResNet(depth=depth, gamma0=gamma0), DATA, lm.SGD(lr=0.03))


def points(ax: plt.Axes, time, values, **look) -> None:  # type: ignore[no-untyped-def]
    """Draw mean and standard error over networks at about two dozen times."""
    mean = values.mean(axis=0)
    error = values.std(axis=0, ddof=1) / len(values) ** 0.5
    at = thinned(len(time))
    ax.errorbar(time[at], mean[at], yerr=error[at], markersize=3.4, linestyle="", zorder=3, **look)


def depths(ax: plt.Axes) -> None:
    """Draw the test loss at several depths, which converges like 1/L."""
    ends = []
    for colour, depth in zip(COLOURS, DEPTHS, strict=False):
        theory = lm.solve(problem(depth), STEPS)
        dashes = "--" if depth == DEPTHS[-1] else "-"
        ax.plot(theory.time, theory.test_loss, dashes, color=colour, linewidth=1.6)
        text = "L = ∞" if depth == DEPTHS[-1] else f"L = {depth}"
        ends.append(End(theory.time[-1], theory.test_loss[-1], text, colour))
        if depth < 10:
            runs = lm.train(problem(depth), STEPS, dim=384, seeds=64)
            points(ax, runs.time, runs.test_loss, fmt="o", color=colour)
    time_axis(ax, theory)
    ax.set_yscale("log")
    plain_ticks(ax.yaxis)
    ax.set_ylabel("test loss, units of target power")
    ax.set_title("depth", loc="left")
    label_ends(ax, ends)


def sources(ax: plt.Axes) -> None:
    """Draw the test loss by source, and trained networks: their bias and their test loss."""
    theory = lm.solve(problem(4), STEPS, replicas=True)
    lm.plotting.variances(theory, ax)
    runs = lm.train_replicas(problem(4), STEPS, dim=256, seeds=32)
    points(ax, runs.time, runs.independent, fmt="o", color="0.15")
    points(ax, runs.time, runs.test_loss, fmt="o", color="0.15")
    ax.set_title("source of the test loss, L = 4", loc="left")


def alignment(ax: plt.Axes) -> None:
    """Draw the kernel in three directions."""
    rich = problem(4, gamma0=2.0)
    theory = lm.solve(rich, STEPS, kernels=True)
    runs = lm.train(rich, STEPS, dim=384, seeds=64, kernels=True)
    lm.plotting.kernels(theory, runs, ax)
    ax.set_title("neural tangent kernel, L = 4, $\\gamma_0$ = 2", loc="left")


def main(output: str = "residual.png") -> None:
    """Draw the three panels."""
    figure, axes = plt.subplots(1, 3, figsize=(14.5, 4.0), layout="constrained")
    for draw, ax in zip((depths, sources, alignment), axes, strict=True):
        draw(ax)
    figure.savefig(output, dpi=130)
    print(f"wrote {output}")


if __name__ == "__main__":
    main(*sys.argv[1:])
