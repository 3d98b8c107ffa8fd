"""Progress of long calls: the values of the argument ``progress=`` of ``solve`` and ``train``.

``None`` or ``False``: no output. ``True``: a bar in a terminal or notebook, no output elsewhere. If
later steps cost more, its length and the remaining time are those of the work, and the steps are
shown beside it. A long solve on the exact grid also says how long it will take, and whether the
adaptive grid is faster. A callable: called as ``progress(done, total)`` from the thread that made
the call, at most about twenty times a second; an exception that it raises ends the computation.
"""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from lindmft._internal.cost import Cost, Forecast, Meter
from lindmft._internal.optional import optional
from lindmft._internal.types import Callback
from lindmft._internal.validation import check_progress, text
from lindmft._internal.wording import in_words

__all__ = ["reporting", "watched"]


@contextmanager
def reporting(
    progress: bool | Callback | None, label: str, unit: str = "step"
) -> Iterator[Callback | None]:
    """Provide the callback for the compiled module during a ``with`` block.

    Parameters
    ----------
    progress
        None or False, True, or a callable ``(done, total)``, as above.
    label, unit
        Texts of the bar: what is computed, and the unit of the counts.

    Yields
    ------
    callable or None
        To be called as ``callback(done, total)``; None if no progress is shown.

    Raises
    ------
    ValueError
        If ``progress`` is anything else, or a name is no text.
    ImportError
        If a bar is to be shown, and tqdm is not installed.

    Examples
    --------
    >>> from lindmft.progress import reporting
    >>> with reporting(lambda done, total: print(f"{done} of {total}"), "solve") as callback:
    ...     callback(3, 10)
    3 of 10
    """
    text(label, "label")
    text(unit, "unit")
    with _choice(progress, _bar(label, unit)) as callback:
        yield callback


def reporting_work(
    progress: bool | Callback | None, label: str, cost: Cost
) -> AbstractContextManager[Callback | None]:
    """Do the same for steps of different cost: the bar shows the work, and estimates time by it."""
    return _choice(progress, _work_bar(label, cost))


@contextmanager
def _choice(
    progress: Any, bar: AbstractContextManager[Callback | None]
) -> Iterator[Callback | None]:
    """Provide None, the callable of the user, or the callback of the bar."""
    check_progress(progress)
    if progress is None or progress is False:
        yield None
    elif callable(progress):
        yield progress
    else:
        with bar as callback:
            yield callback


@contextmanager
def _bar(label: str, unit: str) -> Iterator[Callback | None]:
    if not watched():
        yield None
        return
    # The delay keeps quick calls silent.
    with optional("tqdm.auto", "cli").tqdm(desc=label, unit=unit, leave=False, delay=0.3) as bar:

        def update(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield update


@contextmanager
def _work_bar(label: str, cost: Cost) -> Iterator[Callback | None]:
    """Show a bar whose length is the work, with the steps beside it."""
    if not watched():
        yield None
        return
    form = "{desc}: {percentage:3.0f}%|{bar}| {postfix[0]} [{elapsed}<{remaining}]"
    # The mean rate of all work so far predicts the rest, which a smoothed rate would not.
    options = {"total": 1.0, "bar_format": form, "postfix": [""], "smoothing": 0, "miniters": 0}
    with optional("tqdm.auto", "cli").tqdm(desc=label, leave=False, delay=0.3, **options) as bar:
        meter, forecast = Meter(cost), Forecast(cost.advice)

        def update(done: int, total: int) -> None:
            bar.postfix[0] = cost.text(done, total)
            work = meter.work(done, total)
            bar.initial = meter.start
            bar.update(work - bar.n)
            if line := forecast.line(meter.start, work, bar.format_dict["elapsed"]):
                bar.write(in_words(f"{label}: {line}"), file=sys.stderr)

        yield update


def watched() -> bool:
    """Whether standard error is a terminal, or the session a notebook.

    Returns
    -------
    bool
        False for logs, pipes and batch jobs, which get no bar.

    Examples
    --------
    >>> from lindmft.progress import watched
    >>> isinstance(watched(), bool)
    True
    """
    return sys.stderr.isatty() or _in_notebook()


def _in_notebook() -> bool:
    """Whether a notebook kernel runs this session; an imported ipykernel is not enough."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None
