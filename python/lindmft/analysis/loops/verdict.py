"""Verdicts on a training loop from the fits of hypotheses to its losses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lindmft.analysis.loops.fits import CONFIDENCE, FLOOR, Fit, Losses, excluded_by
from lindmft.analysis.loops.hypotheses import effective_gamma0
from lindmft.problem.network import widths
from lindmft.problem.problem import Problem

__all__ = ["Explanation", "agreement", "explanation", "judge", "judge_curve"]

CLOSE = 0.1
"""Difference of log losses below which a single curve may be that of the theory."""
CLEARLY = 10.0
"""Factor by which an explanation of a single curve must fit better than the problem as given."""
WELL = 0.03
"""Difference of log losses below which an explanation of a single curve is good."""
EQUALLY = 3.0
"""Factor up to which a worse fit than the best counts as equally good."""
NARROW = 1.5
"""Ratio of the ends of an interval above which it does not name a factor."""
MOST = 5
"""Largest number of explanations that a verdict lists."""


@dataclass(frozen=True)
class Explanation:
    """One way in which a training loop may differ from the problem, with its best value.

    Attributes
    ----------
    name
        A short name: "learning rate", "label noise", "depth", ...
    text
        A phrase with the value, its 99 % interval where there is one, and what the problem has.
    value
        The value that fits best, in the unit of ``text``.
    interval
        99 % interval of the value; None for a single curve, or where nothing is fitted.
    difference
        Root mean square difference of the log losses: 0.1 is about 10 %.
    z
        Root mean square of the z-scores over steps; None for a single curve.
    fits
        Whether the losses are compatible with it and it explains them as well as the best does.

    Notes
    -----
    Theory section 2.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=1), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> deeper = problem.replace(**{"network.depth": 2})
    >>> lm.check_scaling(problem, lm.solve(deeper, 30).test_loss).explanations[0].text
    'depth 2 instead of 1'
    """

    name: str
    text: str
    value: float
    interval: tuple[float, float] | None
    difference: float
    z: float | None
    fits: bool


def explanation(fit: Fit, fits: bool, alone: bool) -> Explanation:
    """Return the explanation that users see."""
    shown = fit.hypothesis.shown
    interval = None
    if fit.interval:
        low, high = sorted((shown(fit.interval[0]), shown(fit.interval[1])))
        interval = low, high
    return Explanation(
        name=fit.hypothesis.name,
        text=_text(fit),
        value=shown(fit.value),
        interval=interval,
        difference=fit.difference,
        z=None if alone else fit.misfit,
        fits=fits,
    )


def _text(fit: Fit) -> str:
    shown = fit.hypothesis.shown
    number = f"{shown(fit.value):.3g}"
    if fit.interval:
        low, high = sorted((shown(fit.interval[0]), shown(fit.interval[1])))
        number += f" ({low:.3g} to {high:.3g})"
    return fit.hypothesis.phrase.format(number)


def agreement(seen: Losses, given: Fit, rate: Fit) -> str | None:
    """Return the verdict on several networks if they agree with the problem, or None."""
    low, high = rate.interval or (0.0, math.inf)
    # A weighted mean of squares of normal numbers has the heaviest tail if one of them has all the
    # weight (Szekely and Bakirov 2003, Probability Theory and Related Fields 126, 184). So the mean
    # square of z-scores of correlated steps may be compared with one Student's t.
    if given.misfit > seen.critical or not low < 1 < high:
        return None
    if high > NARROW * low:
        return (
            f"The loop may be in the scaling of the problem: {seen.networks} networks (rms z-score "
            f"{given.misfit:.2f}) exclude only learning rates outside {low:.3g} to {high:.3g} "
            f"times the problem's ({CONFIDENCE:.0%} interval). Add networks, or take larger ones, "
            "to exclude more."
        )
    return (
        f"The loop is in the scaling of the problem: its losses are those of the theory within "
        f"the scatter of {seen.networks} networks (rms z-score {given.misfit:.2f}), and its "
        f"learning rate is {low:.3g} to {high:.3g} times the problem's ({CONFIDENCE:.0%} interval)."
    )


def judge(problem: Problem, seen: Losses, given: Fit, ranked: list[Fit]) -> tuple[list[Fit], str]:
    """Return the explanations that fit equally well and the verdict, if networks disagree.

    ``ranked`` are the fits, the best one first.
    """
    best = ranked[0]
    if best.misfit > seen.critical:
        return [], _none(given, ranked, f"rms z-score {best.misfit:.1f}")
    fitting = [
        fit
        for fit in ranked
        if fit is best or (fit.misfit < seen.critical and not excluded_by(best, fit, seen))
    ]
    return fitting, _explained(problem, fitting)


def judge_curve(problem: Problem, given: Fit, ranked: list[Fit]) -> tuple[bool, list[Fit], str]:
    """Return whether a single curve agrees, the explanations, and the verdict.

    A single curve has no error bar, so that an explanation counts if it fits much better.
    """
    best = ranked[0]
    differ = f"differ from the theory by {given.difference:.1g} (root mean square of the logarithm)"
    if given.difference < FLOOR:
        return True, [], f"The loop is in the scaling of the problem: its losses {differ}."
    fitting = [f for f in ranked if f.difference < max(EQUALLY * best.difference, FLOOR)]
    if best.difference < min(WELL, max(FLOOR, given.difference / CLEARLY)):
        return False, fitting, _explained(problem, fitting)
    advice = "A single curve has no error bar: give the losses of several networks, (networks, n)"
    if given.difference < CLOSE:
        found = f"The losses {differ}, and no explanation fits {CLEARLY:g} times better."
        return True, [], f"{found} {advice}, for an interval of the learning rate."
    if best.difference > CLOSE:
        return False, [], _none(given, ranked, f"off by {best.difference:.2g}")
    found = f"No verdict: the losses {differ}, and fit better with {_listed(fitting)}."
    return False, fitting, f"{found} {advice}, whose scatter shows whether it is chance."


def _none(given: Fit, ranked: Sequence[Fit], how: str) -> str:
    tried = ", ".join(dict.fromkeys(fit.hypothesis.name for fit in ranked))
    return (
        f"The losses are not those of the problem (log losses differ by {given.difference:.2g}), "
        f"and none of these alone explains them: {tried}. The best is {_text(ranked[0])} ({how}). "
        "Compare the initialization (the loss at step 0), the data, their order and the "
        "architecture with the problem; two mistakes at once look like this, too."
    )


def _explained(problem: Problem, fitting: Sequence[Fit]) -> str:
    if len(fitting) > 1:
        return (
            f"The losses are not those of the problem, and {len(fitting)} explanations fit them "
            f"equally well: {_listed(fitting)}. More networks tell them apart."
        )
    (fit,) = fitting
    if fit.hypothesis.name == "learning rate":
        return _rate(problem, fit)
    return (
        f"The losses are not those of the problem. One of the explanations fits them: {_text(fit)}."
    )


def _listed(fitting: Sequence[Fit]) -> str:
    more = len(fitting) - MOST
    rest = [f"{more} more (see summary())"] if more > 0 else []
    return "; ".join([*map(_text, fitting[:MOST]), *rest])


def _rate(problem: Problem, fit: Fit) -> str:
    """Advice for a wrong learning rate, with a reason if the interval contains exactly one."""
    low, high = fit.interval or (fit.value / 1.01, fit.value * 1.01)
    within = [reason for value, reason in _reasons(problem) if low < value < high]
    rate = f"The loop has {_text(fit)}"
    if high > NARROW * low or not within:
        return f"{rate}: multiply its raw learning rate by {1 / fit.value:.3g}."
    if len(within) > 1:
        return f"{rate}: either {', or '.join(within)}."
    return f"{rate}: {within[0]}."


def _reasons(problem: Problem) -> list[tuple[float, str]]:
    network = problem.network
    width, gamma0 = widths(network)[-1], effective_gamma0(network)
    reasons = [
        (2.0, "the loss lacks its factor 1/2"),
        (0.5, "the loss has a factor 1/2 too many"),
        (gamma0**2, "the rate has a factor gamma0^2 too many"),
        (gamma0**-2 if gamma0 else math.inf, "the rate lacks its factor gamma0^2"),
        (width, "the rate grows with the width once too often"),
        (1 / width, "the rate is not multiplied by the number of hidden units, but of inputs"),
    ]
    return [(value, reason) for value, reason in reasons if 0 < value < math.inf and value != 1]
