"""Sentences about data from which the theory's description does not follow reliably."""

import math

from lindmft.problem.samples.fit import Fit
from lindmft.problem.samples.tails import HEAVY_KURTOSIS, HEAVY_SPREAD, Tails

DOUBTFUL = 0.06
"""Standard error of the signal, in units of the labels' variance, that is called large."""
LARGE_MEAN = 0.1
"""Fraction of the second moments of inputs in their mean that is called large."""


def cautions(fit: Fit) -> tuple[str, ...]:
    """Return what to know about a fit before its numbers are used."""
    found = (_few(fit), _heavy(fit.tails), "" if fit.samples.center else _mean(fit))
    return tuple(filter(None, found))


def _few(fit: Fit) -> str:
    """Return a sentence if the samples are too few to tell signal from noise."""
    counts = f"{fit.factor.samples} samples in {fit.factor.rank} directions"
    doubt, variance = fit.estimate.doubt, float(fit.factor.label_moments.trace())
    if math.isinf(doubt):
        more = 'Take more samples, or estimator="ridge".'
        return f"{counts} leave no residuals: noise counts as signal. {more}"
    if variance == 0 or doubt <= DOUBTFUL * variance:
        return ""
    known = f"{doubt / variance:.2g} of the labels' variance"
    return f"{counts} determine the signal only up to {known} (one standard error)."


def _heavy(tails: Tails) -> str:
    """Return a sentence if inputs are far from Gaussian ones."""
    if not tails.heavy:
        return ""
    return (
        f"The inputs have heavy tails: kurtosis {tails.kurtosis:.3g} (Gaussian: 3, large: "
        f"{HEAVY_KURTOSIS:g}), spread of |x|^2 {tails.norm_spread:.3g} (Gaussian: 1, large: "
        f"{HEAVY_SPREAD:g}). Losses can be far from the theory's. If columns were divided by their "
        "standard deviations, divide all by the same number instead, or clip rare large values."
    )


def _mean(fit: Fit) -> str:
    """Return a sentence if the inputs have a large mean that was not subtracted."""
    share = float(fit.input_mean @ fit.input_mean / fit.factor.eigenvalues.sum())
    if share <= LARGE_MEAN:
        return ""
    return (
        f"The mean of the inputs has {share:.2g} of their second moments, and Gaussian inputs have "
        "no mean. Subtract it from inputs and labels (center=True), also where networks train."
    )
