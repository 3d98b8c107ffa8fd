"""Advice on repeating a comparison: with more networks, other networks, or larger ones."""

from dataclasses import dataclass

from lindmft.results.ensemble import Ensemble
from lindmft.results.own_arrays import EXTERNAL

__all__ = ["Advice", "advice", "cell", "percent"]

SMALLEST_SAID = 0.001
"""The smallest chance that is given as a number; smaller ones rest on few random rotations."""
WHOLE = 0.1
"""The fraction from which percentages are rounded to whole numbers."""
FEWEST_SEEDS = 8


@dataclass(frozen=True)
class Advice:
    """Arguments of ``train`` for repeating a comparison: more, other, or larger networks.

    Attributes
    ----------
    seeds
        Four times as many networks, whose standard errors are half as large.
    fresh
        The argument that makes other networks, or for losses of another program a hint.
    size
        The size D in the deviation 1 / D of means: "dim", or its counterpart in trace-class
        problems.
    larger
        The arguments that double this size.

    Notes
    -----
    Theory section 3 is the limit of infinite size, section 6 has trace-class spectra.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> comparison = lm.compare(lm.solve(problem, 20), lm.train(problem, 20, dim=200, seeds=8))
    >>> comparison.advice
    Advice(seeds=32, fresh='seed=1', size='dim', larger='dim=400')
    """

    seeds: int
    fresh: str
    size: str
    larger: str


def advice(runs: Ensemble) -> Advice:
    """Return the arguments of ``train`` for more, other and larger networks."""
    more = max(FEWEST_SEEDS, 4 * len(runs.seeds))
    fresh = "seed=1" if runs.seeds[0] == 0 else "a seed that was not used yet"
    if runs.stats.method == EXTERNAL:
        fresh = "other seeds of your loop"
    data = runs.problem.data
    if not data.spectrum.trace_class:
        return Advice(more, fresh, "dim", f"dim={2 * runs.dim}")
    doubled = f"hidden={_doubled(runs.widths)}"
    if runs.samples:
        doubled += f" and {'batch' if data.kind == 'one_pass' else 'samples'}={2 * runs.samples}"
    return Advice(more, fresh, "the numbers of hidden units and samples", doubled)


def _doubled(widths: tuple[int, ...]) -> str:
    return str(2 * widths[0] if len(set(widths)) == 1 else [2 * n for n in widths])


def percent(fraction: float) -> str:
    """Return a fraction as a percentage of two digits, or a bound where it is not resolved."""
    if fraction > 1:
        return f"a factor of {1 + fraction:.2g}"
    if fraction < SMALLEST_SAID:
        return f"less than {100 * SMALLEST_SAID:g} %"
    return f"{100 * fraction:.0f} %" if fraction >= WHOLE else f"{100 * fraction:.2g} %"


def cell(fraction: float) -> str:
    """Return the same, short enough for a table."""
    return percent(fraction).replace("less than", "<")
