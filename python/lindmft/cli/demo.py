"""The demonstration: two problems at three widths each, theory against training.

With much data the test loss falls with the training loss, faster for wider networks. With few noisy
samples the test loss rises again while the training loss keeps falling: the network overfits, and
wider networks overfit more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lindmft._internal.optional import optional
from lindmft._internal.types import Callback
from lindmft.analysis.advice import cell
from lindmft.analysis.comparison import Comparison, compare
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.losses import BAND, describe, keys, losses
from lindmft.plotting.style import COLOURS
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution
from lindmft.theory.solve import solve
from lindmft.training.train import train

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTHS = (0.5, 1.0, 2.0)
STEPS = 100
DIM = 512
SEEDS = 16
PROBLEMS = {
    "much clean data": FullBatch(alpha=4.0),
    "few noisy samples": FullBatch(alpha=1.2, noise=0.7),
}


@dataclass(frozen=True)
class Case:
    """One problem: its theory, its finite networks, and how they agree.

    Attributes
    ----------
    title
        Name of the data.
    width
        nu = N / D.
    theory, runs, comparison
        The solution at infinite size, the finite networks, and the comparison of the two.

    Notes
    -----
    Bordelon and Pehlevan (2025), figure 1: losses at several widths, theory and training.

    Examples
    --------
    >>> from lindmft.cli import demo
    >>> case = demo.cases(steps=5, dim=32, seeds=2)[0]
    >>> case.title, case.width, case.theory.test_loss.shape
    ('much clean data', 0.5, (5,))
    """

    title: str
    width: float
    theory: Solution
    runs: Ensemble
    comparison: Comparison


def cases(
    *,
    steps: int = STEPS,
    dim: int = DIM,
    seeds: int = SEEDS,
    progress: bool | Callback | None = None,
) -> list[Case]:
    """Solve and train all problems of the demonstration.

    Parameters
    ----------
    steps
        n, the number of times t = 0 .. n - 1.
    dim
        D, the input dimension of the networks.
    seeds
        The number of networks of each problem.
    progress
        Progress of the training, as in ``train``.

    Returns
    -------
    list of Case
        Ordered by data, then by width.

    Raises
    ------
    ValueError
        Bad input; the message names the field.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 1 and 3: the effect of width, and of few noisy samples.

    Examples
    --------
    >>> from lindmft.cli import demo
    >>> [case.width for case in demo.cases(steps=5, dim=32, seeds=2)]
    [0.5, 1.0, 2.0, 0.5, 1.0, 2.0]
    """
    choices = [(title, width) for title in PROBLEMS for width in WIDTHS]
    done = []
    for i, (title, width) in enumerate(choices):
        problem = Problem(MLP(depth=2, width=width), PROBLEMS[title], SGD(lr=0.05))
        theory = solve(problem, steps)
        # Every case has its own stream of networks: deviations from the theory are independent.
        runs = train(problem, steps, dim=dim, seeds=seeds, seed=i, progress=progress)
        done.append(Case(title, width, theory, runs, compare(theory, runs)))
    return done


def table(done: Sequence[Case]) -> str:
    """Return a table with one line for each case, and the times.

    Parameters
    ----------
    done
        The result of ``cases``.

    Returns
    -------
    str
        Differences in units of the standard error (z), the probability of such differences by
        chance, relative errors, and the last losses.

    Examples
    --------
    >>> from lindmft.cli import demo
    >>> print(demo.table(demo.cases(steps=5, dim=32, seeds=2)).splitlines()[0])
    problem            width  largest z  rms z  chance  largest error    train     test
    """
    agreement = f"{'largest z':>11}{'rms z':>7}{'chance':>8}{'largest error':>15}"
    solving = sum(case.theory.stats.seconds for case in done)
    training = sum(case.runs.stats.seconds for case in done)
    runs = done[0].runs
    return "\n".join(
        [
            f"{'problem':<19}{'width':>5}{agreement}{'train':>9}{'test':>9}",
            *(_row(case) for case in done),
            f"train and test at step {int(runs.time[-1])}; z of the worse of the two losses",
            "chance makes such deviations in this fraction of comparisons; below 1 % is suspicious",
            f"theory: {solving:.2f} s",
            f"training, {len(runs.seeds)} networks each with D = {runs.dim}: {training:.1f} s",
        ]
    )


def draw(done: Sequence[Case]) -> "Figure":
    """Draw one panel for each kind of data, with one colour for each width.

    Parameters
    ----------
    done
        The result of ``cases``.

    Returns
    -------
    Figure
        The figure, which ``savefig`` writes.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    After Bordelon and Pehlevan (2025), figures 1 and 3.

    Examples
    --------
    >>> from lindmft.cli import demo
    >>> len(demo.draw(demo.cases(steps=5, dim=32, seeds=2)).axes)
    2
    """
    figure: Figure = optional("matplotlib.figure", "plot").Figure(
        figsize=(10, 4.2), layout="constrained"
    )
    axes = figure.subplots(1, len(PROBLEMS))
    for ax, title in zip(axes, PROBLEMS, strict=True):
        _panel(ax, [case for case in done if case.title == title])
    axes[1].set_ylabel("")
    keys(
        axes[0],
        {
            "test, theory": {"linestyle": "-"},
            f"test, {describe(done[0].runs)}": {"linestyle": "", "marker": "o"},
            "train, theory": {"linestyle": "--"},
            f"train, {describe(done[0].runs)}": {
                "linestyle": "",
                "marker": "s",
                "markerfacecolor": "white",
            },
            BAND: {"linewidth": 8.0, "alpha": 0.18},
        },
    )
    return figure


def _row(case: Case) -> str:
    losses = (case.comparison.test_loss, case.comparison.train_loss)
    both = [loss for loss in losses if loss is not None]
    worst = max((agreement.largest_z for agreement in both), key=abs)
    rms = max(agreement.rms_z for agreement in both)
    error = max((agreement.largest_error for agreement in both), key=abs)
    ends = f"{case.theory.train_loss[-1]:>9.2g}{case.theory.test_loss[-1]:>9.2g}"
    chance = "-" if case.comparison.chance is None else cell(case.comparison.chance)
    return (
        f"{case.title:<19}{case.width:>5g}{worst:>11.2f}{rms:>7.2f}{chance:>8}{error:>14.1%} {ends}"
    )


def _panel(ax: "Axes", done: Sequence[Case]) -> None:
    ends = []
    for case, colour in zip(done, COLOURS, strict=False):
        losses(case.theory, ax, colour=colour, labels=False)
        losses(case.runs, ax, colour=colour, labels=False)
        ends.append(
            End(case.theory.time[-1], case.theory.test_loss[-1], f"width {case.width:g}", colour)
        )
    label_ends(ax, ends)
    data = PROBLEMS[done[0].title]
    noise = f"label noise {data.noise:g}" if data.noise else "no label noise"
    ax.set_title(f"{done[0].title.capitalize()}: P = {data.alpha:g} D, {noise}", loc="left")
