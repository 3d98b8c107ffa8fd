"""The table of a ``PyTorchLoop``."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lindmft.problem.frameworks.loop import PyTorchLoop

__all__ = ["table"]

HEAD = ("layer", "weights", "init std", "lr", "weight decay")
SPACE = (5, 10, 10, 8, 14)


def table(loop: PyTorchLoop) -> str:
    """Return a row for each layer, and a line on the rest."""
    sizes = pairwise((loop.inputs, *loop.hidden, loop.outputs))
    columns = zip(sizes, loop.init_std, loop.lr, loop.weight_decay, strict=True)
    rows = [
        (str(layer), f"{b}, {a}", *(f"{value:.4g}" for value in values))
        for layer, ((a, b), *values) in enumerate(columns)
    ]
    lines = [
        "".join(f"{text:>{n}}" for text, n in zip(row, SPACE, strict=True)) for row in [HEAD, *rows]
    ]
    return "\n".join([*lines, f"loss {_loss(loop)}, {_optimizer(loop)}, {_batches(loop)}"])


def _loss(loop: PyTorchLoop) -> str:
    criterion = "nn.MSELoss()" if loop.reduction == "mean" else "nn.MSELoss(reduction='sum')"
    return f"0.5 * {criterion}" if loop.half else criterion


def _optimizer(loop: PyTorchLoop) -> str:
    options = [f"momentum={loop.momentum:g}"] if loop.momentum > 0 else []
    options += ["nesterov=True"] if options and loop.nesterov else []
    options += ["a schedule"] if loop.schedule else []
    return f"torch.optim.SGD with {', '.join(options)}" if options else "torch.optim.SGD"


def _batches(loop: PyTorchLoop) -> str:
    if loop.samples is None:
        return f"{loop.batch} fresh samples in every step"
    if loop.batch is None:
        return f"all of {loop.samples} samples in every step"
    drawn = {
        "shuffled": "shuffled epochs",
        "replacement": "random batches with replacement",
        "subsets": "random subsets",
    }[loop.order]
    return f"{drawn} of {loop.samples} samples, {loop.batch} in a batch"
