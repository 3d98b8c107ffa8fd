"""Training time, schedules, overfitting and compute, from the theory only.

Upper row: the best learning rate and its loss against the number of steps, under several schedules
and with label noise. Lower row: a wider network can overfit sooner; and the best width for a fixed
budget of compute. The script takes about ten seconds and writes a picture.

    python examples/budgets.py [budgets.png]
"""

import sys

import matplotlib.pyplot as plt

import lindmft as lm

NOISY = lm.Problem(lm.MLP(depth=3, gamma0=2.0), lm.FullBatch(alpha=4.0, noise=0.5), lm.SGD(lr=0.02))
FEW = lm.Problem(lm.MLP(depth=3, gamma0=2.0), lm.FullBatch(alpha=1.5, noise=0.5), lm.SGD(lr=0.02))
STREAM = lm.Problem(lm.MLP(depth=2), lm.OnePass(alpha=0.2, noise=0.3), lm.SGD(lr=0.03))


def main(output: str = "budgets.png") -> None:
    """Draw the four panels."""
    figure, axes = plt.subplots(2, 2, figsize=(12.0, 8.0), layout="constrained")
    found = lm.optimum_over_time(NOISY, [5, 10, 20, 40, 80, 160])
    print(found.summary())
    lm.plotting.optimum_over_time(found, (axes[0, 0], axes[0, 1]))
    axes[0, 0].set_title("longer runs want other rates", loc="left")
    axes[0, 1].set_title("the loss that the best rate reaches", loc="left")
    wider = lm.wider_is_better(FEW, [0.25, 0.5, 1, 2, 4], steps=200)
    print(wider)
    lm.plotting.wider_is_better(wider, axes[1, 0])
    axes[1, 0].set_title("few noisy samples: grey where wider is worse", loc="left")
    compute = lm.compute_optimal(STREAM, [0.0625, 0.125, 0.25, 0.5, 1, 2, 4], steps=300)
    print(compute.summary())
    lm.plotting.compute_optimal(compute, axes[1, 1])
    axes[1, 1].set_title("one pass: the best width at a budget", loc="left")
    figure.savefig(output, dpi=110)
    print(f"wrote {output}")


if __name__ == "__main__":
    main(*sys.argv[1:])
