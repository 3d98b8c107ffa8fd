"""The verdict of a coordinate check: how the updates of gradients change with the width.

A power of the width that holds on some widths need not hold beyond them: muP networks approach a
limit, and narrow networks are far from it. Where the theory at infinite width is known, it decides.
"""

from dataclasses import dataclass

import numpy as np

from lindmft._internal.types import Array
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem
from lindmft.problem.scales import target_power

FLAT = 0.1
"""Slopes up to this size count as zero: the approach to infinite width has small ones."""
ALIKE = 0.05
"""Slopes of layers that differ by no more than this are the same, whatever their uncertainty."""
JUDGED = 1e-5
"""Updates below this fraction of the gradients are rounding: squares are accurate to 1e-13."""
NEAR = 0.1
"""Updates within this fraction of those at infinite width have reached the limit."""
UNLEARNED = 0.1
"""An initial predictor of less than this power, relative to the target's, does not matter."""
NO_SIGNAL = 1e-6
"""Targets of less than this fraction of the power of noisy labels are no signal."""


@dataclass(frozen=True)
class Trend:
    """Updates of gradients at one step, by width and layer.

    ``widths`` (W,) are finite and increasing, ``updates`` and ``gradients`` (W, L), ``slopes`` (L,)
    those over the widths from index ``first`` on, ``limit`` (L,) the updates at infinite width or
    None where they are not known, and ``initial`` (W,) the power of the initial predictor in units
    of the target's.
    """

    widths: Array
    updates: Array
    gradients: Array
    slopes: Array
    first: int
    limit: Array | None = None
    initial: Array | None = None

    @property
    def range(self) -> str:
        """The widths to which the slopes belong."""
        return f"{short(float(self.widths[self.first]))} to {short(float(self.widths[-1]))}"

    @property
    def uncertainty(self) -> float:
        """Largest difference of slopes between neighbouring widths from the fitted slopes.

        If only two widths are fitted, the slope just below them counts, too, if there is one.
        """
        start = max(0, self.first - 1)
        x, y = np.log(self.widths[start:]), np.log(self.updates[start:])
        local = np.diff(y, axis=0) / np.diff(x)[:, None]
        return float(np.abs(local - self.slopes).max())

    @property
    def kind(self) -> str:
        """The class "flat", "falls" or "grows" that all layers share, or "differs"."""
        low, high = float(self.slopes.min()), float(self.slopes.max())
        kinds = {_kind(low), _kind(high)}
        if len(kinds) > 1 and high - low <= max(ALIKE, 2 * self.uncertainty):
            kinds = {_kind(float(self.slopes.mean()))}
        return kinds.pop() if len(kinds) == 1 else "differs"

    @property
    def unresolved(self) -> bool:
        """Whether updates are too small to be told from rounding."""
        return bool((self.updates < JUDGED * self.gradients).any())

    @property
    def levels_off(self) -> bool:
        """Whether updates are known to stay finite and above rounding at infinite width."""
        if self.limit is None or not np.isfinite(self.limit).all():
            return False
        return bool((self.limit > JUDGED * self.gradients[-1]).all())


def _kind(slope: float) -> str:
    if abs(slope) <= FLAT:
        return "flat"
    return "falls" if slope < 0 else "grows"


def without_signal(problem: Problem) -> str:
    """The reason why the targets of a problem allow no verdict; "" where they do."""
    power, noise = target_power(problem), problem.data.noise
    if power > NO_SIGNAL * (power + noise**2):
        return ""
    learned = (
        "label noise is all that networks learn"
        if noise > 0
        else "networks have nothing to learn but to forget their initial predictor"
    )
    return (
        f"No verdict on the parameterization: the power of the target is {power:.3g}, so that "
        f"{learned}. How such updates depend on the width says nothing about the transfer of "
        "hyperparameters. Give the problem a target (data.spectrum or data.targets)."
    )


def sentence(trend: Trend, what: str) -> str:
    """Verdict on one scaling; ``what`` names the updates: "muP: gradient updates at step 20"."""
    if trend.unresolved:
        return f"{what} are rounding, below {JUDGED:g} of the gradients: no verdict."
    powers = " to ".join(dict.fromkeys([f"{trend.slopes.min():.2f}", f"{trend.slopes.max():.2f}"]))
    if trend.kind == "flat":
        return (
            f"{what} stay of order one with width (slopes {powers}): all widths from {trend.range} "
            "learn alike."
        )
    if trend.levels_off:
        return f"{what} {_towards_limit(trend, powers)}"
    known = " They vanish at infinite width." if _vanishes(trend) else _caution(trend)
    if trend.kind == "falls":
        return (
            f"{what} shrink like width^({powers}): wider networks are lazier (widths "
            f"{trend.range}).{known}"
        )
    if trend.kind == "grows":
        return (
            f"{what} grow like width^({powers}): wider networks move more (widths {trend.range})."
            f"{known}"
        )
    return (
        f"{what} depend on width differently in different layers (slopes {powers} ± "
        f"{trend.uncertainty:.2f}, widths {trend.range})."
    )


def _vanishes(trend: Trend) -> bool:
    return trend.limit is not None and not (trend.limit > JUDGED * trend.gradients[-1]).any()


def _caution(trend: Trend) -> str:
    """The caution that a power may end: one that is not constant, or known at two widths only."""
    if len(trend.widths) == 2 or trend.uncertainty > FLAT:
        return " Wider networks may differ: the slope is not known to be the same there."
    return ""


def _towards_limit(trend: Trend, powers: str) -> str:
    """The verdict where updates approach those at infinite width; why narrow networks differ."""
    ratio = trend.updates / np.asarray(trend.limit)
    far_off = np.flatnonzero(np.abs(ratio - 1).max(axis=1) > NEAR)
    reached = int(far_off[-1]) + 1 if len(far_off) else 0
    verb = {"falls": "fall", "grows": "grow"}.get(trend.kind, "change")
    text = (
        f"{verb} with width here (slopes {powers}, widths {trend.range}), but level off: no law. "
        f"Wide networks learn alike"
    )
    if reached < len(trend.widths):
        start = short(float(trend.widths[reached]))
        text += f", from width {start} on within {100 * NEAR:g} % of infinite width"
    else:
        far = ratio[-1][np.argmax(np.abs(np.log(ratio[-1])))]
        widest = short(float(trend.widths[-1]))
        text += f"; at width {widest} updates are still {far:.3g} times those at infinite width"
    return f"{text}.{_initial_predictor(trend)}"


def _initial_predictor(trend: Trend) -> str:
    """The sentence that narrow networks have to unlearn their initial predictor, or ""."""
    if trend.initial is None:
        return ""
    narrow, wide = float(trend.initial[trend.first]), float(trend.initial[-1])
    if not (narrow > UNLEARNED and narrow > 1.5 * wide):
        return ""
    return (
        f" Narrow networks have to unlearn their initial predictor, whose power is {narrow:.2g} "
        f"times the target's at width {short(float(trend.widths[trend.first]))}: centered=True "
        "takes it away."
    )
