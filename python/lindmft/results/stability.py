"""Cautions about solutions that pass through unstable steps."""

import warnings
from collections.abc import Iterable
from typing import Any

from lindmft._internal.callers import called_by_the_package, level_of_the_user
from lindmft._internal.validation import describe

__all__ = ["StabilityWarning", "cautions", "warn_of_instability", "warn_of_instability_among"]


class StabilityWarning(UserWarning):
    """Warning that steps become unstable, so that later losses are not what networks do.

    ``solve`` and ``solve_many`` issue it where ``Solution.unstable_at`` or
    ``Solution.predictable_until`` has a time; ``Solution.status`` says the same. ``solve_many``
    issues it once for all problems, and names the first. Sweeps and searches for learning rates,
    which try unstable rates on purpose, do not issue it.
    ``warnings.simplefilter("ignore", lindmft.StabilityWarning)`` turns it off.

    There are two cases. A coarse grid does not see a mode that has decayed below its tolerances. If
    slow learning later raises the sharpness above the threshold, the grid follows the unstable
    branch, on which this mode stays at rest. Exact steps see the mode, but its growth starts from
    rounding errors: after some step, the losses follow these.

    Notes
    -----
    Theory section 15: sharpness, and why it matters for coarse grids.

    Examples
    --------
    >>> import warnings
    >>> import lindmft as lm
    >>> warnings.simplefilter("ignore", lm.StabilityWarning)  # where only the first steps count
    """


def cautions(solution: Any) -> tuple[str, ...]:
    """Return sentences about the times after which a ``Solution`` is no prediction."""
    unit = "time" if solution.grid == "flow" else "step"
    rate = f"lower optimizer.lr (now {describe(solution.problem.optimizer.lr)})"
    found = []
    same = solution.unstable_at is not None and solution.unstable_at == solution.predictable_until
    resolved = solution.grid != "exact" and same
    if (time := solution.unstable_at) is not None:
        exceeds = (
            "Learning rate times sharpness exceeds the threshold of stability from "
            f"{unit} {time:.10g} on"
        )
        if solution.grid == "exact":
            found.append(f"{exceeds}, where small deviations grow.")
        elif resolved:
            found.append(
                f"{exceeds}. There every step is solved, but unstable modes start from the "
                "tolerance of the panels before, so that this is one possible continuation. Use "
                f"the losses before, or {rate}."
            )
        else:
            found.append(
                f"{exceeds}, and the coarse grid follows the unstable branch, which exact steps "
                f'and networks leave. Use the losses before, solve with grid="exact" or '
                f'beyond_edge="steps", or {rate}.'
            )
    if (time := solution.predictable_until) is not None and not resolved:
        found.append(
            f"After {unit} {time:.10g} the losses follow rounding errors, which an instability "
            "amplifies: no single curve is the prediction there, and networks leave it earlier, "
            f"by fluctuations of order 1/sqrt(D). Use the losses up to there, or {rate}."
        )
    return tuple(found)


def warn_of_instability(solution: Any) -> None:
    """Warn, at the line that called the public function, if steps of the solution are unstable."""
    if found := cautions(solution):
        warnings.warn(" ".join(found), StabilityWarning, stacklevel=level_of_the_user())


def warn_of_instability_among(solutions: Iterable[Any]) -> None:
    """Warn once if steps of some of these solutions are unstable, and name the first of them.

    Entries may also be exceptions. The warning is that of the public function which calls the
    caller of this one. It is not issued if the package itself called that function.
    """
    if called_by_the_package(2):
        return
    for i, solution in enumerate(solutions):
        if not isinstance(solution, Exception) and (found := cautions(solution)):
            text = f"{' '.join(found)} (First at problems[{i}].)"
            warnings.warn(text, StabilityWarning, stacklevel=level_of_the_user())
            return
