"""The publications to cite for a computation."""

from collections.abc import Mapping
from typing import Any, TextIO

from lindmft import _core
from lindmft._internal.validation import text_file_or_none
from lindmft.problem.data import Epochs, MultiPass
from lindmft.problem.optimizer import has_momentum
from lindmft.problem.problem import Problem, as_problem

PAPER = """\
@inproceedings{bordelon2025deep,
  title     = {Deep Linear Network Training Dynamics from Random Initialization:
               Data, Width, Depth, and Hyperparameter Transfer},
  author    = {Bordelon, Blake and Pehlevan, Cengiz},
  booktitle = {Proceedings of the 42nd International Conference on Machine Learning},
  year      = {2025},
  eprint    = {2502.02531},
  archivePrefix = {arXiv}
}
"""
SOFTWARE = """\
@software{{lindmft,
  title   = {{lindmft: training dynamics of wide deep linear networks}},
  author  = {{{{The lindmft developers}}}},
  version = {{{version}}}
}}
"""


def citation(
    problem: Problem | Mapping[str, Any] | None = None, *, file: TextIO | None = None
) -> None:
    """Print the BibTeX entries of the publications that a computation rests on.

    Parameters
    ----------
    problem
        If given, a comment lists what it uses beyond the paper.
    file
        Where to print; None: standard output.

    Raises
    ------
    ValueError
        If ``problem`` or ``file`` is something else.

    Notes
    -----
    Theory sections 6 and 7 have what goes beyond Bordelon and Pehlevan (2025).

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.citation()  # doctest: +ELLIPSIS
    @inproceedings{bordelon2025deep,
    ...
    """
    place = text_file_or_none(file, "file")
    beyond = [] if problem is None else _beyond_the_paper(as_problem(problem))
    text = f"{PAPER}\n{SOFTWARE.format(version=_core.__version__)}"
    if beyond:
        text += (
            f"\n% Not in the paper, derived in the documentation of lindmft: {', '.join(beyond)}.\n"
        )
    print(text, end="", file=place)


def _beyond_the_paper(problem: Problem) -> list[str]:
    used = {
        "multi-pass SGD": isinstance(problem.data, MultiPass),
        "shuffled epochs": isinstance(problem.data, Epochs),
        "outputs that share modes": problem.data.spectrum.outputs > 1,
        "learning-rate schedules": isinstance(problem.optimizer.lr, tuple),
        "momentum": has_momentum(problem.optimizer),
        "weight decay": problem.optimizer.weight_decay > 0,
        "multipliers of the learning rate per layer": problem.optimizer.layer_lr is not None,
    }
    return [name for name, present in used.items() if present]
