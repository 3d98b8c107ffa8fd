"""Long times: a million steps, and power laws. Lines are theory, points are trained networks.

Left: a million steps of theory up to the exact limit, and trained networks for the first thousand.
Middle and right: power-law data, where the exponent of the loss depends on the richness.
The script takes about half a minute and writes a picture.

    python examples/long_times.py [long_times.png]
"""

import sys

import matplotlib.pyplot as plt

import lindmft as lm
from lindmft.plotting.losses import End, label_ends
from lindmft.plotting.style import COLOURS
from lindmft.plotting.ticks import plain_ticks

STEPS = 10**6
TRAINED = 1000
DATA = lm.Population(spectrum=lm.PowerLaw(capacity=1.5, source=0.5, modes=10**7))


def problem(alpha: float) -> lm.Problem:
    """Return a problem with two hidden layers and noisy samples."""
    return lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=alpha, noise=0.3), lm.SGD(lr=0.05))


def power_law(gamma0: float) -> lm.Solution:
    """Solve one hidden layer of infinite width with data of ten million modes."""
    network = lm.MLP(depth=1, width=float("inf"), gamma0=gamma0, centered=True)
    return lm.flow(lm.Problem(network, DATA, lm.SGD(lr=0.1)), time=1e4)


def million(ax: plt.Axes) -> None:
    """Draw the test loss over a million steps, and trained networks for the first thousand."""
    ends = []
    for colour, alpha in zip(COLOURS, (1.05, 1.5, 3.0), strict=False):
        theory = lm.solve(problem(alpha), STEPS, grid="adaptive")
        shown = theory.time >= 1
        ax.plot(theory.time[shown], theory.test_loss[shown], color=colour, linewidth=1.6)
        runs = lm.train(problem(alpha), TRAINED, dim=384, seeds=16)
        at = [1, 3, 10, 30, 100, 300, TRAINED - 1]
        mean = runs.test_loss.mean(axis=0)[at]
        error = runs.test_loss.std(axis=0, ddof=1)[at] / len(runs.test_loss) ** 0.5
        ax.errorbar(at, mean, yerr=error, fmt="o", color=colour, markersize=3.4, zorder=3)
        ax.hlines(0.09 / (alpha - 1), 1, STEPS, color="0.7", linewidth=0.8, zorder=0)
        ends.append(End(theory.time[-1], theory.test_loss[-1], f"$\\alpha$ = {alpha:g}", colour))
    ax.set_xscale("log")
    ax.set_yscale("log")
    plain_ticks(ax.yaxis)
    ax.set_xlabel("step")
    ax.set_ylabel("test loss, units of target power")
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title("a million steps; grey: $\\sigma^2/(\\alpha - 1)$", loc="left")
    label_ends(ax, ends)


def main(output: str = "long_times.png") -> None:
    """Draw the three panels."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14.5, 4.0), layout="constrained")
    million(left)
    curves = {"lazy": power_law(0.0), "rich": power_law(30.0)}
    lm.plotting.exponents(curves, axes=(middle, right))
    middle.set_title("power-law data, source exponent 0.5", loc="left")
    right.set_title("its local exponent", loc="left")
    print(lm.compare_exponents(curves))
    figure.savefig(output, dpi=130)
    print(f"wrote {output}")


if __name__ == "__main__":
    main(*sys.argv[1:])
