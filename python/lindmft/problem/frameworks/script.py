"""Scripts that train the networks of a loop, with PyTorch or with NumPy alone.

Both draw data and batches in the same way. A part of a script is left out where a loop has no use
for it.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft.problem.frameworks import templates

if TYPE_CHECKING:
    from lindmft.problem.frameworks.loop import PyTorchLoop

__all__ = ["script"]

LINE = 100
"""Longest line of a script."""


def script(loop: PyTorchLoop, framework: str, steps: int, networks: int) -> str:
    """Return the text of a program; its function ``train(seed)`` returns the losses."""
    torch = framework == "torch"
    head = templates.HEAD_TORCH if torch else templates.HEAD_NUMPY
    model = templates.MODEL_TORCH if torch else templates.MODEL_NUMPY
    train = templates.TRAIN_TORCH if torch else templates.TRAIN_NUMPY
    constants = {**_constants(loop), "STEPS": steps, "NETWORKS": networks}
    parts = [
        _choose(head, loop),
        "\n".join(_assignment(name, value) for name, value in constants.items()),
        _data(loop),
        _choose(model, loop),
        _choose(train, loop),
        templates.MAIN,
    ]
    return "\n".join(parts)


def _constants(loop: PyTorchLoop) -> dict[str, Any]:
    used = {
        "INPUTS": loop.inputs,
        "HIDDEN": list(loop.hidden),
        "OUTPUTS": loop.outputs,
        "SAMPLES": loop.samples,
        "BATCH": loop.batch,
        "INIT_STD": loop.init_std,
        "LR": loop.lr,
        "WEIGHT_DECAY": loop.weight_decay,
        "SCHEDULE": loop.schedule,
        "MOMENTUM": loop.momentum or None,
        "BRANCH": loop.branch,
        "NOISE": loop.noise,
        "INPUT_STD": loop.input_std,
        "TARGET": loop.target,
        "MIXING": loop.mixing,
    }
    return {name: value for name, value in used.items() if value is not None}


def _assignment(name: str, value: Any) -> str:
    opening, closing, text = "(", ")", repr(value)
    if isinstance(value, np.ndarray):
        opening, text = "np.array(", repr(value.tolist())
    elif isinstance(value, tuple):
        text = repr(list(value))
    line = f"{name} = {opening}{text}{closing}" if opening != "(" else f"{name} = {text}"
    return line if len(line) <= LINE else f"{name} = {opening}\n{_wrapped(text)}\n{closing}"


def _wrapped(text: str) -> str:
    return fill(text, LINE, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _data(loop: PyTorchLoop) -> str:
    """The functions that draw the target, the samples and the batches."""
    if loop.samples is None:
        batches = templates.FRESH
    elif loop.batch is None:
        batches = templates.ALL
    else:
        batches = {
            "shuffled": templates.SHUFFLED,
            "replacement": templates.REPLACEMENT,
            "subsets": templates.SUBSETS,
        }[loop.order]
    size = "INPUTS**-0.5" if loop.target is None else "TARGET"
    mixed = f"({size} * signs) @ MIXING.T" if loop.mixing is not None else f"{size} * signs"
    columns = "1" if loop.mixing is None else "OUTPUTS"
    scaled = "" if loop.input_std is None else " * INPUT_STD"
    return templates.DATA.format(target=mixed, columns=columns, scaled=scaled, batches=batches)


def _choose(template: str, loop: PyTorchLoop) -> str:
    """Keep the lines of a template whose mark, after ``#?``, applies to the loop."""
    marks = {
        "branch": loop.branch is not None,
        "chain": loop.branch is None,
        "centered": loop.centered,
        "plain": not loop.centered,
        "schedule": loop.schedule is not None,
        "std": loop.input_std is not None,
        "momentum": loop.momentum > 0,
        "steep": loop.momentum == 0,
        "heavy": loop.momentum > 0 and not loop.nesterov,
        "nesterov": loop.momentum > 0 and loop.nesterov,
        "half": loop.half,
        "whole": not loop.half,
        "mean": loop.reduction == "mean",
        "sum": loop.reduction == "sum",
    }
    lines = []
    for line in template.splitlines():
        text, _, wanted = line.partition("  #? ")
        if all(marks[mark] for mark in wanted.split()):
            lines.append(text)
    return "\n".join(lines)
