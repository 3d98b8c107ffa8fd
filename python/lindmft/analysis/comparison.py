"""Theory held against training: differences in units of the standard error."""

from dataclasses import dataclass

import numpy as np

from lindmft._internal.difference import first_difference
from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array, Mask
from lindmft._internal.validation import instance
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution

__all__ = ["Agreement", "Comparison", "compare"]

FEWEST_NETWORKS = 4
"""With fewer, a standard error is itself so uncertain that z-scores say little."""
SUSPICIOUS_Z = 4.0


@dataclass(frozen=True, eq=False)
class Agreement:
    """How one observable agrees, at every compared time.

    Attributes
    ----------
    z
        (m,), (mean - theory) / standard error. Where networks do not differ from each other (a
        centered loss at t = 0), the rounding error takes the place of the standard error.
    relative_error
        (m,), (mean - theory) / theory.

    Notes
    -----
    Means differ from the theory by order 1 / D: theory section 3 is the limit D -> inf.

    Examples
    --------
    >>> import numpy as np
    >>> import lindmft as lm
    >>> agreement = lm.analysis.Agreement(np.array([0.5, -2.0]), np.array([0.01, -0.02]))
    >>> agreement.largest_z, agreement.worst_step, agreement.largest_error
    (-2.0, 1, -0.02)
    """

    z: Array
    relative_error: Array

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def largest_z(self) -> float:
        """The z-score that is largest in magnitude, with its sign."""
        return float(self.z[self.worst_step])

    @property
    def worst_step(self) -> int:
        """The time of ``largest_z``."""
        return int(np.argmax(np.abs(self.z)))

    @property
    def rms_z(self) -> float:
        """Root mean square of the z-scores: about 1 if theory and training agree."""
        return float(np.sqrt(np.mean(self.z**2)))

    @property
    def largest_error(self) -> float:
        """The relative error that is largest in magnitude, with its sign."""
        return float(self.relative_error[np.argmax(np.abs(self.relative_error))])


@dataclass(frozen=True, eq=False)
class Comparison:
    """Theory against an ensemble: what ``compare`` returns.

    Attributes
    ----------
    time
        (m,), the times compared: those before any divergence.
    test_loss, train_loss
        An ``Agreement`` each.
    dim, networks
        D, and the number of networks averaged.
    notes
        What a reader of the numbers must know: few networks, divergences, steps left out.

    Notes
    -----
    Theory section 3 is the limit D -> inf: means differ from it by order 1 / D.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> comparison = lm.compare(lm.solve(problem, 20), lm.train(problem, 20, dim=200, seeds=8))
    >>> print(comparison.summary().splitlines()[0])
    theory against training: dim = 200, 8 networks, 20 steps
    """

    time: Array
    test_loss: Agreement
    train_loss: Agreement
    dim: int
    networks: int
    notes: tuple[str, ...]

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def verdict(self) -> str:
        """One sentence on what the numbers say."""
        if self.networks < FEWEST_NETWORKS:
            return (
                f"No verdict: {self.networks} networks are too few for z-scores to be meaningful."
            )
        worst = max(abs(self.test_loss.largest_z), abs(self.train_loss.largest_z))
        if worst < SUSPICIOUS_Z:
            return (
                f"Theory and training agree within the statistical error (|z| < {SUSPICIOUS_Z:g})."
            )
        return (
            f"They differ by up to {worst:.1f} standard errors: finite networks deviate from the "
            "theory by order 1/dim, so repeat with a larger dim and see whether the relative error "
            "shrinks."
        )

    def summary(self) -> str:
        """A table of the numbers, then the verdict and the notes."""
        sizes = f"dim = {self.dim}, {self.networks} networks, {len(self.time)} steps"
        columns = (
            f"{'':12}{'largest z':>12}{'at step':>9}{'rms z':>8}{'largest relative error':>25}"
        )
        rows = [_row("test loss", self.test_loss), _row("train loss", self.train_loss)]
        return "\n".join(
            [
                f"theory against training: {sizes}",
                columns,
                *rows,
                self.verdict,
                *(f"Note: {note}" for note in self.notes),
            ]
        )


def compare(theory: Solution, runs: Ensemble) -> Comparison:
    """Compare losses at every step, in units of the standard error over networks.

    Steps at which the theory, or the mean over networks, has diverged are left out (and noted).
    A theory on an adaptive grid is taken at the steps of the training.

    Parameters
    ----------
    theory, runs
        Of the same problem and the same number of steps.

    Returns
    -------
    Comparison
        With ``verdict``, and ``summary()`` for all numbers.

    Raises
    ------
    ValueError
        If they are of different problems or lengths (the message names the first difference), or
        no step is left to compare.

    Notes
    -----
    Theory section 3, against section 2 at finite size; differences fall like 1 / D.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> comparison = lm.compare(lm.solve(problem, 20), lm.train(problem, 20, dim=200, seeds=8))
    >>> abs(comparison.test_loss.largest_error) < 0.1
    True
    """
    check_same(theory, runs)
    theory = theory.at(runs.time)
    mean, error = runs.mean(), runs.sem()
    series = (theory.test_loss, theory.train_loss, mean.test_loss, mean.train_loss)
    valid: Mask = np.asarray(np.isfinite(series).all(axis=0))
    if not valid.any():
        raise ValueError("theory and runs must share a step before they diverge, got none")
    return Comparison(
        time=theory.time[valid],
        test_loss=agreement(*(series.test_loss[valid] for series in (theory, mean, error))),
        train_loss=agreement(*(series.train_loss[valid] for series in (theory, mean, error))),
        dim=runs.dim,
        networks=int(runs.used.sum()),
        notes=tuple(_notes(theory, runs, valid)),
    )


def check_same(theory: Solution, runs: Ensemble) -> None:
    """Refuse a pair of different problems or lengths, naming the first difference."""
    instance(theory, "theory", "a Solution", Solution)
    instance(runs, "runs", "an Ensemble (of replicas, compare the overlaps)", Ensemble)
    difference = first_difference(theory.problem.to_dict(), runs.problem.to_dict())
    if difference:
        field, a, b = difference
        raise ValueError(f"{field} must be the same in theory and runs, got {a} and {b}")
    if theory.grid == "flow":
        raise ValueError("theory must be of steps, as runs are, got gradient flow: use solve")
    if theory.sampled:
        raise ValueError(f"theory must have every step of runs, got {len(theory.time)} picked ones")
    steps, trained = int(theory.time[-1]) + 1, len(runs.time)
    if steps != trained:
        raise ValueError(f"steps must be the same in theory and runs, got {steps} and {trained}")


def agreement(theory: Array, mean: Array, error: Array) -> Agreement:
    """Of means with their standard errors, at times or other places: (m,) each, all finite."""
    # Below this, a difference is rounding, in the theory or in the mean.
    rounding = 1e-10 * theory + 1e-13 * theory.max() + np.finfo(float).tiny
    difference = mean - theory
    return Agreement(
        z=difference / np.maximum(error, rounding),
        relative_error=difference / np.maximum(theory, rounding),
    )


def _notes(theory: Solution, runs: Ensemble, valid: Mask) -> list[str]:
    notes = []
    if runs.used.sum() < FEWEST_NETWORKS:
        notes.append(
            f"z-scores of fewer than {FEWEST_NETWORKS} networks are not meaningful; "
            "train more seeds."
        )
    if theory.diverged_at is not None:
        notes.append(f"the theory diverges at step {theory.diverged_at}.")
    if any(step is not None for step in runs.diverged_at):
        notes.append(runs.status)
    if not valid.all():
        notes.append(f"{(~valid).sum()} of {len(valid)} steps are past a divergence and left out.")
    return notes


def _row(name: str, agreement: Agreement) -> str:
    numbers = f"{agreement.largest_z:>12.2f}{agreement.worst_step:>9}{agreement.rms_z:>8.2f}"
    return f"{name:12}{numbers}{agreement.largest_error:>25.1e}"
