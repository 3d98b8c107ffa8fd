"""Comparison of theory and training: differences in standard errors, and their chances."""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lindmft._internal.difference import first_difference
from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array, Mask
from lindmft._internal.validation import conflict, instance, refuse
from lindmft.analysis.advice import Advice, advice, cell, percent
from lindmft.analysis.deviations import FEWEST_NETWORKS, deviation_chances, rounding_errors
from lindmft.analysis.pilot import pilot_weights
from lindmft.analysis.rotation import SUSPICIOUS_CHANCE, Chances
from lindmft.results.ensemble import Ensemble
from lindmft.results.own_runs import own_runs
from lindmft.results.replica_ensemble import ReplicaEnsemble
from lindmft.results.solution import Solution

__all__ = ["Advice", "Agreement", "Chances", "Comparison", "compare"]

LINE_WIDTH = 100
"""Characters in a line of the summary."""
RATE_ROW = "their combination that shows a wrong learning rate best"
ALL_ROW = "the smallest of these, as one of several"
SAME_SAMPLES = (
    "all networks were trained on the samples that were given, and tested on the same ones: the "
    "standard error over networks does not contain how much other samples would change the losses."
)
DOUBTFUL_CHANCE = 0.05
"""Chance below which a comparison that agrees should be repeated."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """Agreement of one observable with the theory at every compared time.

    Attributes
    ----------
    z
        (m,), (mean - theory) / standard error. Where all networks are equal, as a centered loss at
        t = 0, the rounding error takes the place of the standard error.
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
        """The step at which ``|z|`` is largest."""
        return int(np.argmax(np.abs(self.z)))

    @property
    def rms_z(self) -> float:
        """Root mean square of the z-scores: about 1 if many networks agree with the theory.

        It is larger for few networks: z is Student's t, whose mean square is (n - 1) / (n - 3).
        """
        return float(np.sqrt(np.mean(self.z**2)))

    @property
    def largest_error(self) -> float:
        """The relative error that is largest in magnitude, with its sign."""
        return float(self.relative_error[np.argmax(np.abs(self.relative_error))])


@dataclass(frozen=True, eq=False)
class Comparison:
    """Result of ``compare``: the theory against an ensemble.

    Attributes
    ----------
    time
        (m,), the times compared: those before any divergence.
    test_loss, train_loss
        The ``Agreement`` of each loss; ``train_loss`` is None if the runs have no training losses.
    average_loss
        That of the loss of averaged weights, if both results have it; otherwise None.
    dim, networks
        D, and the number of networks averaged.
    notes
        Sentences that the numbers do not show: few networks, divergences, omitted steps.
    chances
        How often chance makes such deviations; None with fewer than four networks.
    finite_size_chance
        The same for the deviations less those that networks of this size may have; at least
        ``chance``, or None as well.
    advice
        Arguments for repeating the comparison.

    Notes
    -----
    Theory section 3 is the limit D -> inf: means differ from it by order 1 / D. Losses have a
    skewed distribution and their logarithms hardly, so that chances are those of log losses. Means
    of log losses differ by up to half their variance over networks, which is also of order 1 / D.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> comparison = lm.compare(lm.solve(problem, 20), lm.train(problem, 20, dim=200, seeds=8))
    >>> print(comparison.summary().splitlines()[0])
    theory against training: dim = 200, 8 networks, 20 steps
    >>> comparison.agrees
    True
    """

    time: Array
    test_loss: Agreement
    train_loss: Agreement | None
    dim: int
    networks: int
    notes: tuple[str, ...]
    chances: Chances | None
    finite_size_chance: float | None
    advice: Advice
    average_loss: Agreement | None = None

    @property
    def chance(self) -> float | None:
        """The fraction of comparisons with a right theory that deviate as much, by chance alone.

        A value below 1 % is suspicious. None with fewer than four networks.
        """
        return self.chances.overall if self.chances else None

    @property
    def agrees(self) -> bool | None:
        """Whether chance explains the deviations; None with fewer than four networks."""
        return None if self.chance is None else self.chance >= SUSPICIOUS_CHANCE

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def verdict(self) -> str:
        """Sentences on how often chance gives this result, what is suspicious, and advice."""
        if SAME_SAMPLES in self.notes:
            return (
                "No verdict: the scatter of samples is not known (see the note). The test loss "
                f"differs from the theory by {percent(abs(self.test_loss.largest_error))} at most."
            )
        if self.chances is None or self.finite_size_chance is None:
            networks = "1 network is" if self.networks == 1 else f"{self.networks} networks are"
            return (
                f"No verdict: {networks} too few for z-scores to be meaningful. "
                f"Train {self.advice.seeds} or more."
            )
        usual = f"below {percent(SUSPICIOUS_CHANCE)} would be suspicious"
        often = f"chance makes such deviations in {percent(self.chances.overall)} of comparisons"
        if self.chances.overall >= SUSPICIOUS_CHANCE:
            doubt = self.chances.overall < DOUBTFUL_CHANCE
            return (
                f"Theory and training agree: {often} ({usual}). "
                + (
                    f"To be sure, repeat with fresh networks ({self.advice.fresh}). "
                    if doubt
                    else ""
                )
                + f"Losses that are wrong by {percent(self.chances.resolution)} or less can look "
                "the same; more networks show smaller differences."
            )
        losses = (self.test_loss, self.train_loss, self.average_loss)
        worst = max(abs(loss.largest_z) for loss in losses if loss is not None)
        differ = f"differ by up to {worst:.1f} standard errors: {often} ({usual})"
        if self.finite_size_chance >= SUSPICIOUS_CHANCE:
            return (
                f"Theory and training {differ}, but networks of this size may deviate as much: "
                f"means are off by order 1 / {self.advice.size}. Repeat with "
                f"{self.advice.larger} and see whether the relative error falls by half."
            )
        return (
            f"Theory and training {differ}. Repeat with fresh networks ({self.advice.fresh}) and "
            f"more of them (seeds={self.advice.seeds}). If they still differ, repeat with "
            f"{self.advice.larger}: a relative error that falls by half is that of finite size; "
            "one that stays means that theory and training are of different problems."
        )

    def summary(self) -> str:
        """A table of the numbers, then the verdict and the notes.

        The last column says in which fraction of comparisons chance makes such deviations.
        """
        sizes = f"dim = {self.dim}, {self.networks} networks, {len(self.time)} steps"
        columns = (
            f"{'':12}{'largest z':>12}{'at step':>9}{'rms z':>8}{'largest relative error':>25}"
            f"{'chance':>10}"
        )
        test, train, average, together, rate = _cells(self.chances)
        return "\n".join(
            [
                f"theory against training: {sizes}",
                columns,
                f"{_row('test loss', self.test_loss)}{test:>10}",
                *_rows("train loss", self.train_loss, train),
                *_rows("average loss", self.average_loss, average),
                f"{'all steps together':66}{together:>10}"
                if self.train_loss is None
                else f"{'all steps of both losses together':66}{together:>10}",
                *([] if rate is None else [f"{RATE_ROW:66}{rate:>10}"]),
                *([f"{ALL_ROW:66}{cell(self.chances.overall):>10}"] if self.chances else []),
                *wrap(self.verdict, LINE_WIDTH),
                *(f"Note: {note}" for note in self.notes),
            ]
        )


def compare(
    theory: Solution,
    runs: Ensemble | Mapping[str, ArrayLike] | ArrayLike,
    *,
    dim: int | None = None,
) -> Comparison:
    """Compare losses at every step, and estimate how often chance makes such differences.

    Steps at which the theory or the mean over networks has diverged are omitted, with a note.
    A theory on an adaptive grid is interpolated at the steps of the training.

    Parameters
    ----------
    theory
        A solution.
    runs
        An ensemble of the same problem and the same number of steps; or the losses of your training
        loop before each step, of at most as many steps: the excess test loss as an array
        (networks, n) or (n,), or a dictionary with "test_loss" and, if you have it, "train_loss".
    dim
        D, the number of inputs of networks that are given by arrays; None: ``data.inputs``, or the
        modes of a trace-class spectrum.

    Returns
    -------
    Comparison
        The result, with ``verdict``, and ``summary()`` for all numbers.

    Raises
    ------
    ValueError
        If problems or numbers of steps differ (the message names the first difference), no step is
        left to compare, or arrays have another form.

    Notes
    -----
    Theory section 3 is compared with section 2 at finite size; differences fall like 1 / D.

    In 1 % of comparisons with 4 to 16 networks of 128 or more inputs, a right theory is said to
    differ. The largest of many z-scores is no measure of that: with few networks each is Student's
    t, and those of successive steps depend on each other. ``Chances`` says how it is measured, and
    the guide's page on accuracy how often wrong theories are found. To see a wrong learning rate,
    up to 256 networks of 32 inputs are trained, whose seeds are fixed: about 0.05 s for 60 steps.
    They are the same on any number of threads.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> comparison = lm.compare(lm.solve(problem, 20), lm.train(problem, 20, dim=200, seeds=8))
    >>> abs(comparison.test_loss.largest_error) < 0.1
    True
    >>> comparison.verdict.split(":")[0]
    'Theory and training agree'
    >>> mine = lm.train(problem, 20, dim=200, seeds=8, seed=1).test_loss  # or those of PyTorch
    >>> lm.compare(lm.solve(problem, 20), mine, dim=200).agrees
    True
    """
    theory, runs = same_steps(theory, runs, dim)
    mean, error = runs.mean(), runs.sem()
    trained = not np.isnan(mean.train_loss).all()
    # Losses on held-out samples of the user contain the label noise.
    test_loss = theory.test_loss + (theory.irreducible - runs.irreducible)
    series = [test_loss, theory.train_loss, mean.test_loss]
    series += [mean.train_loss] if trained else []
    averaged = theory.has("average_loss") and runs.has("average_loss")
    average_loss = theory.average_loss + (test_loss - theory.test_loss) if averaged else test_loss
    series += [average_loss, mean.average_loss] if averaged else []
    valid: Mask = np.asarray(np.isfinite(series).all(axis=0))
    if not valid.any():
        raise ValueError(
            "theory and runs cannot be compared: one of them has diverged at every step. Lower "
            "optimizer.lr."
        )
    # Losses that are those of the theory have no deviations.
    train_loss = runs.train_loss if trained else np.tile(theory.train_loss, (len(runs.seeds), 1))
    found, beyond = deviation_chances(
        [
            (losses[runs.used][:, valid], expected[valid])
            for losses, expected in (
                (runs.test_loss, test_loss),
                (train_loss, theory.train_loss),
                *([(runs.average_loss, average_loss)] if averaged else []),
            )
        ],
        runs.dtype,
        pilot_weights(theory, runs, valid) if runs.used.sum() >= FEWEST_NETWORKS else None,
    )
    return Comparison(
        time=theory.time[valid],
        test_loss=agreement(*(x[valid] for x in (test_loss, mean.test_loss, error.test_loss))),
        train_loss=agreement(*(series.train_loss[valid] for series in (theory, mean, error)))
        if trained
        else None,
        dim=runs.dim,
        networks=int(runs.used.sum()),
        notes=tuple(_notes(theory, runs, valid)),
        chances=None if runs.test_samples else found,
        finite_size_chance=None if runs.test_samples else beyond,
        advice=advice(runs),
        average_loss=agreement(
            *(x[valid] for x in (average_loss, mean.average_loss, error.average_loss))
        )
        if averaged
        else None,
    )


def same_steps(theory: Solution, runs: Any, dim: int | None) -> tuple[Solution, Ensemble]:
    """Return the theory at the steps of the runs, and the runs as an ensemble."""
    instance(theory, "theory", "a Solution", Solution)
    if isinstance(runs, Ensemble):
        if dim is not None:
            conflict("dim", "an Ensemble", "it has the number of inputs", "Leave it out")
        check_same(theory, runs)
        return theory.at(runs.time), runs
    if isinstance(runs, ReplicaEnsemble | Solution):
        refuse("runs", "an Ensemble, or arrays of losses (of replicas, compare the overlaps)", runs)
    own = own_runs(theory.problem, runs, dim)
    check_same(theory, own, shorter=True)
    return theory.at(own.time), own


def check_same(theory: Solution, runs: Ensemble, *, shorter: bool = False) -> None:
    """Refuse a pair of different problems or lengths, naming the first difference.

    ``shorter`` allows a theory of more steps.
    """
    instance(theory, "theory", "a Solution", Solution)
    instance(runs, "runs", "an Ensemble (of replicas, compare the overlaps)", Ensemble)
    difference = first_difference(theory.problem.to_dict(), runs.problem.to_dict())
    if difference:
        field, a, b = difference
        raise ValueError(f"{field} must be the same in theory and runs, got {a} and {b}")
    if None not in {theory.average, runs.average} and theory.average != runs.average:
        raise ValueError(
            f"average must be the same in theory and runs, got {theory.average} and {runs.average}"
        )
    if theory.grid == "flow":
        raise ValueError(
            "theory cannot be gradient flow: runs take steps. Solve the problem with solve(...)."
        )
    if theory.sampled:
        raise ValueError(
            f"theory must have every step of runs, got {len(theory.time)} times chosen with at(): "
            "compare the solution itself."
        )
    steps, trained = int(theory.time[-1]) + 1, len(runs.time)
    if shorter and steps > trained:
        return
    if steps != trained:
        raise ValueError(f"steps must be the same in theory and runs, got {steps} and {trained}")


def agreement(theory: Array, mean: Array, error: Array) -> Agreement:
    """Return the agreement of means (m,) with the theory (m,); all numbers are finite."""
    # Smaller differences are rounding errors of the theory or of the mean.
    rounding = rounding_errors(theory)
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
    if (theory.average is None) != (runs.average is None):
        without = "the theory" if theory.average is None else "the training"
        notes.append(f"losses of averaged weights are not compared: {without} has none.")
    if runs.test_samples:
        notes.append(SAME_SAMPLES)
    if theory.diverged_at is not None:
        notes.append(f"the theory diverges at step {theory.diverged_at}.")
    if any(step is not None for step in runs.diverged_at):
        notes.append(runs.status)
    if not valid.all():
        notes.append(f"{(~valid).sum()} of {len(valid)} steps are past a divergence and left out.")
    return [*notes, *theory.notes]


def _cells(found: Chances | None) -> tuple[str, str, str, str, str | None]:
    """Texts of the chances: test, train and average loss, both of the first, and a wrong rate."""
    if found is None:
        return "-", "-", "-", "-", None
    average = "-" if found.average_loss is None else cell(found.average_loss)
    rate = None if found.rate is None else cell(found.rate)
    return cell(found.test_loss), cell(found.train_loss), average, cell(found.together), rate


def _rows(name: str, found: Agreement | None, chance: str) -> list[str]:
    """The row of a loss that not every comparison has."""
    return [] if found is None else [f"{_row(name, found)}{chance:>10}"]


def _row(name: str, agreement: Agreement) -> str:
    numbers = f"{agreement.largest_z:>12.2f}{agreement.worst_step:>9}{agreement.rms_z:>8.2f}"
    return f"{name:12}{numbers}{agreement.largest_error:>25.1e}"
