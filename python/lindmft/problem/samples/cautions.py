"""Sentences about data from which the theory's description does not follow reliably."""

import math

from lindmft.problem.samples.fit import Fit
from lindmft.problem.samples.tails import HEAVY_KURTOSIS, HEAVY_SPREAD, Tails

DOUBTFUL = 0.1
"""Standard error of the signal, in units of the labels' variance, that is called large."""
LARGE_MEAN = 0.1
"""Fraction of the second moments of inputs in their mean that is called large."""


def cautions(fit: Fit) -> tuple[str, ...]:
    """Return what to know about a fit before its numbers are used."""
    moments = float(fit.factor.label_moments.trace())
    found = _few(fit.factor.rank, fit.factor.samples, fit.estimate.doubt, moments)
    found += _heavy(fit.tails, fit.samples.center)
    if not fit.samples.center:
        found += _mean(fit)
    return tuple(found)


def _few(rank: int, samples: int, doubt: float, label_variance: float) -> list[str]:
    """Return a sentence if the samples are too few to tell signal from noise."""
    if math.isinf(doubt):
        return [
            f"{samples} samples in {rank} directions leave no residuals: noise counts as signal. "
            'Take more samples, or estimator="ridge".'
        ]
    if label_variance > 0 and doubt > DOUBTFUL * label_variance:
        return [
            f"{samples} samples in {rank} directions determine the signal only up to "
            f"{doubt / label_variance:.2g} of the labels' variance. Take more samples."
        ]
    return []


def _heavy(tails: Tails, centered: bool) -> list[str]:
    """Return a sentence if inputs are far from Gaussian ones."""
    if not tails.heavy:
        return []
    means = "" if centered else "subtract means (center=True), "
    return [
        f"the inputs have heavy tails: kurtosis {tails.kurtosis:.3g} (Gaussian: 3, large: "
        f"{HEAVY_KURTOSIS:g}), spread of |x|^2 {tails.norm_spread:.3g} (Gaussian: 1, large: "
        f"{HEAVY_SPREAD:g}). Losses can be far from the theory's. If columns were divided by their "
        f"standard deviations, {means}divide all by the same number, or clip the rare large values."
    ]


def _mean(fit: Fit) -> list[str]:
    """Return a sentence if the inputs have a large mean that was not subtracted."""
    share = float(fit.input_mean @ fit.input_mean / fit.factor.eigenvalues.sum())
    if share <= LARGE_MEAN:
        return []
    return [
        f"the mean of the inputs has {share:.2g} of their second moments, and Gaussian inputs have "
        "no mean. Subtract it from inputs and labels (center=True), also where networks train."
    ]
