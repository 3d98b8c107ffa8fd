"""Transfer of learning rates across width in muP and NTK parameterization, and across depth.

Upper row: test loss after 40 steps against the learning rate, theory as lines and trained networks
as points, from one sweep, whose store can be resumed after a kill. Lower row: best and largest
learning rates against width and against the depth of residual networks, by search on the theory.
The script takes about ten seconds and writes a picture.

    python examples/transfer.py [transfer.png] [store.zarr]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import lindmft as lm

STEPS = 40
RICH = lm.Problem(lm.MLP(depth=3, gamma0=4.0), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.03))
DEEP = lm.Problem(lm.ResNet(depth=8), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
WIDTHS = [0.5, 1.0, 2.0, 4.0]
RATES = np.geomspace(0.01, 0.2, 19)
NAMES = {"mup": "muP", "ntk": "NTK"}


def curves(axes: "np.ndarray", store: str | None) -> None:
    """Draw the loss against the learning rate at several widths, in both parameterizations."""
    dataset = lm.sweep(
        RICH,
        {
            "network.parameterization": list(NAMES),
            "network.width": WIDTHS,
            "optimizer.lr": RATES,
        },
        STEPS,
        run=("solve", "train"),
        dim=192,
        seeds=8,
        times="last",
        store=store,
        progress=True,
    )
    print(lm.sweep_summary(dataset))
    for ax, name in zip(axes, NAMES, strict=True):
        lm.plotting.sweep(dataset, ax=ax, select={"parameterization": name})
        ax.set_title(f"{NAMES[name]}: one learning rate?", loc="left")


def share_legend(figure: "plt.Figure", axes: "np.ndarray") -> None:
    """Move the legend of the first panel above all, and remove those of the others."""
    legend = axes[0].get_legend()
    labels = [text.get_text() for text in legend.get_texts()]
    options = {"ncols": 4, "loc": "outside upper center", "frameon": False}
    figure.legend(legend.legend_handles, labels, title=legend.get_title().get_text(), **options)
    for ax in axes:
        ax.get_legend().remove()


def rates(ax: plt.Axes, table: lm.Transfer, title: str) -> None:
    """Draw best and largest learning rates."""
    print(table.summary())
    lm.plotting.transfer_rates(table, ax)
    ax.set_title(title, loc="left")


def main(output: str = "transfer.png", store: str | None = None) -> None:
    """Draw the four panels."""
    figure, axes = plt.subplots(2, 2, figsize=(10.0, 8.2), layout="constrained")
    curves(axes[0], store)
    share_legend(figure, axes[0])
    widths = lm.transfer(RICH, "network.width", [0.5, 1, 2, 4, 8, 32], STEPS)
    rates(axes[1, 0], widths, "width: muP transfers")
    depths = lm.transfer(DEEP, "network.depth", [2, 4, 8, 16, 32], STEPS)
    rates(axes[1, 1], depths, "depth: 1/sqrt(depth) has a limit")
    figure.savefig(output, dpi=130)
    print(f"wrote {output}")


if __name__ == "__main__":
    main(*sys.argv[1:])
