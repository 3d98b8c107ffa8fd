"""The threshold of local stability: learning rate times sharpness below which steps are stable."""

from lindmft import _core
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
        The step whose learning rate counts, which matters with weight decay and a schedule only.

    Returns
    -------
    float
        A pure number, to be compared with lr times ``HessianSpectrum.sharpness``.

    Raises
    ------
    ValueError
        If an argument is of another kind, or if the schedule of learning rates has no such step.

    Notes
    -----
    Theory section 15. Threshold and learning rate are those of one step; momentum is taken as
    constant. The batches of one-pass and multi-pass data are unstable earlier, by their noise.

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
    if isinstance(optimizer.lr, tuple) and at >= len(optimizer.lr):
        refuse("step", f"from 0 to {len(optimizer.lr) - 1}, the steps of optimizer.lr", step)
    return _core.stability_threshold(optimizer.as_core(), at)
