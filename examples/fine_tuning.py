"""Pretraining and fine-tuning: the loss on two targets, for several overlaps, rich and lazy.

Lines are theory, points are trained networks. The script takes a few seconds and writes a picture.

    python examples/fine_tuning.py [fine_tuning.png]
"""

import sys

import matplotlib.pyplot as plt

import lindmft as lm

STEPS, SWITCH = 121, 60
OVERLAPS = (0.0, 0.5, 0.9)
NETWORKS = {
    "rich ($\\gamma_0 = 4$)": lm.MLP(depth=2, gamma0=4.0, centered=True),
    "lazy ($\\gamma_0 = 0.2$)": lm.MLP(depth=2, gamma0=0.2, centered=True),
}


def problem(network: lm.MLP, overlap: float) -> lm.Problem:
    """Return the problem with a second target of this overlap with the first."""
    data = lm.FullBatch(alpha=2.0, noise=0.2, switch_at=SWITCH, switch_overlap=overlap)
    return lm.Problem(network, data, lm.SGD(lr=0.02))


def main(output: str = "fine_tuning.png") -> None:
    """Print the losses at the end and draw the picture."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    for ax, (name, network) in zip(axes, NETWORKS.items(), strict=True):
        for color, overlap in zip(("C0", "C1", "C2"), OVERLAPS, strict=True):
            theory = lm.solve(problem(network, overlap), STEPS)
            runs = lm.train(problem(network, overlap), STEPS, dim=128, seeds=32).mean()
            label = f"overlap {overlap:g}"
            ax.semilogy(theory.time, theory.test_loss, color=color, label=label)
            ax.semilogy(theory.time[SWITCH:], theory.first_task_loss[SWITCH:], "--", color=color)
            ax.plot(theory.time[::10], runs.test_loss[::10], ".", color=color)
            ax.plot(theory.time[SWITCH::10], runs.first_task_loss[SWITCH::10], ".", color=color)
            print(f"{name}, {label}: {theory.test_loss[-1]:.3f}, {theory.first_task_loss[-1]:.3f}")
        ax.axvline(SWITCH, color="0.8", linewidth=1, zorder=0)
        ax.set(title=name, xlabel="step")
    axes[0].set_ylabel("test loss")
    axes[0].legend(frameon=False)
    figure.savefig(output, dpi=100)
    print(f"wrote {output}")


if __name__ == "__main__":
    main(*sys.argv[1:])
