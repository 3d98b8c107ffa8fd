"""The threshold of local stability: learning rate times sharpness below which steps are stable."""

from typing import Any

import numpy as np

from lindmft import _core
from lindmft._internal.types import Array
from lindmft._internal.validation import instance, integer, refuse
from lindmft.problem.optimizer import SGD

__all__ = ["stability_threshold"]


def stability_threshold(optimizer: SGD, step: int = 0) -> float:
    """Return the value of learning rate times sharpness above which steps are unstable.

    It is 2 for plain gradient descent, 2 (1 + beta) with momentum beta, and
    2 (1 + beta) / (1 + 2 beta) with Nesterov's form of it. Weight decay adds to every eigenvalue,
    and so lr times ``weight_decay`` is subtracted.

    Parameters
    ----------
    optimizer
        An ``SGD``: ``problem.optimizer``.
    step
        The step whose momentum and learning rate count, which matters with schedules only.

    Returns
    -------
    float
        A pure number, to be compared with lr times ``HessianSpectrum.sharpness``.

    Raises
    ------
    ValueError
        If an argument is of another kind, or if a schedule has no such step.

    Notes
    -----
    Theory section 15. Threshold, momentum and learning rate are those of one step, and are
    taken as constant. The batches of one-pass and multi-pass data are unstable earlier, by their
    noise.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.stability_threshold(lm.SGD(lr=0.1)), lm.stability_threshold(lm.SGD(lr=0.1, momentum=0.9))
    (2.0, 3.8)
    >>> lm.stability_threshold(lm.SGD(lr=[0.1, 0.2], weight_decay=0.5), step=1)
    1.9
    """
    optimizer = instance(optimizer, "optimizer", "an SGD", SGD)
    at = integer(step, "step")
    if at < 0:
        refuse("step", "0, 1, ...", step)
    for name in ("lr", "momentum"):
        entries = getattr(optimizer, name)
        if isinstance(entries, tuple) and at >= len(entries):
            refuse("step", f"from 0 to {len(entries) - 1}, the steps of optimizer.{name}", step)
    return _core.stability_threshold(optimizer.as_core(), at)


def rates_and_thresholds(optimizer: SGD, time: Any) -> tuple[Array, Array]:
    """Return (k,) learning rates and thresholds of these steps.

    After the last update there is no step any more: the last entries of schedules count.
    """
    rates = np.atleast_1d(np.asarray(optimizer.lr, float))
    lengths = [len(x) for x in (optimizer.lr, optimizer.momentum) if isinstance(x, tuple)]
    steps = np.minimum(np.asarray(time).astype(int), min(lengths, default=1) - 1)
    thresholds = {step: stability_threshold(optimizer, step) for step in set(steps.tolist())}
    found = np.array([thresholds[step] for step in steps.tolist()])
    return rates[np.minimum(steps, len(rates) - 1)], found
