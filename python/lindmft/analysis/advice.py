"""Advice on how to repeat a comparison: with more networks, fresh ones, or larger ones."""

from dataclasses import dataclass

from lindmft.results.ensemble import Ensemble

__all__ = ["Advice", "advice", "cell", "percent"]

SMALLEST_SAID = 0.001
"""Smaller chances are said to be below it: they are those of few random rotations."""
WHOLE = 0.1
"""From here on percentages are whole."""
FEWEST_SEEDS = 8


@dataclass(frozen=True)
class Advice:
    """Arguments of ``train`` to repeat a comparison with: more networks, fresh ones, larger ones.

    Attributes
    ----------
    seeds
        Four times as many networks, at which errors are half as large.
    fresh
        Which seed makes other networks.
    size
        What means deviate with: "dim", or what takes its place in trace-class problems.
    larger
        The arguments with that size doubled.

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
    """More networks, fresh ones, larger ones: as arguments of ``train``."""
    more = max(FEWEST_SEEDS, 4 * len(runs.seeds))
    fresh = "seed=1" if runs.seeds[0] == 0 else "a seed that was not used yet"
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
    """A fraction in words: two digits, or a bound where it is smaller than can be told."""
    if fraction > 1:
        return f"a factor of {1 + fraction:.2g}"
    if fraction < SMALLEST_SAID:
        return f"less than {100 * SMALLEST_SAID:g} %"
    return f"{100 * fraction:.0f} %" if fraction >= WHOLE else f"{100 * fraction:.2g} %"


def cell(fraction: float) -> str:
    """The same for a table."""
    return percent(fraction).replace("less than", "<")
