"""Scalings: named changes of a problem whose dependence on a size is compared.

The changes may be the same at every size, or a function of the size.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lindmft._internal.types import Number
from lindmft._internal.validation import is_iterable, one_of, refuse, suggestion
from lindmft.analysis.sizes.parameterizations import PYTORCH_SCALE, same_raw_rate
from lindmft.problem.problem import Problem

Changes: TypeAlias = Mapping[str, Any]
"""Paths in the problem and values, as in ``Problem.replace``."""
Scaling: TypeAlias = str | Changes | Callable[[Any], Changes]
"""A built-in name, the same changes at every size, or a function from the size to the changes."""
Scalings: TypeAlias = str | Iterable[str] | Mapping[str, Scaling]
"""Built-in names, or a dictionary from names to scalings."""

BUILT_IN: Mapping[str, Changes | Callable[[Problem], Changes]] = {
    "muP": {"network.parameterization": "mup"},
    "NTK": {"network.parameterization": "ntk"},
    "PyTorch": lambda problem: same_raw_rate(problem, PYTORCH_SCALE),
    "standard": lambda problem: same_raw_rate(problem, 1.0),
    "one raw lr": lambda problem: same_raw_rate(problem, problem.network.init_scale),
    "1/sqrt(depth)": {"network.branch_scaling": "depth"},
    "constant": {"network.branch_scaling": "constant"},
}
"""Changes by name, or functions from the problem at a size to changes."""
PARAMETERIZATIONS = ("muP", "NTK")
BRANCHES = ("1/sqrt(depth)", "constant")
AS_GIVEN: Scalings = {"as given": {}}
CHANGES = "a dictionary of paths in the problem and values"
ALLOWED = (
    f"a dictionary of names, each with {CHANGES}, a function of the size that returns one, or the "
    f"name of a built-in scaling; or a list of these names: {', '.join(map(repr, BUILT_IN))}"
)


@dataclass(frozen=True)
class Rule:
    """A checked scaling with its name, and the changes that it makes at a size."""

    name: str
    scaling: Scaling
    varied: tuple[str, ...]

    def changes(self, problem: Problem, sizes: Changes) -> dict[str, Any]:
        """Return the changes at a size, which is the first of ``sizes`` that is not None."""
        found: Any = self.scaling
        field = f"scalings[{self.name!r}]"
        if isinstance(found, str):
            found = BUILT_IN[found]
            if callable(found):
                found = found(problem.replace(**{"optimizer.layer_lr": None, **sizes}))
        elif callable(found):
            size = _whole(next(value for value in sizes.values() if value is not None))
            found, field = found(size), f"{field}({size!r})"
        self.check(found, field)
        return dict(found)

    def at(self, problem: Problem, sizes: Changes) -> Problem:
        """Return the problem at these sizes; an error names the scaling and the size."""
        try:
            return problem.replace(**{**self.changes(problem, sizes), **sizes})
        except ValueError as error:
            place = ", ".join(f"{path} = {v!r}" for path, v in sizes.items() if v is not None)
            own = "" if isinstance(self.scaling, str) else f"scalings[{self.name!r}] "
            raise ValueError(f"{error} ({own if self.scaling else ''}at {place})") from error

    def check(self, changes: Any, field: str) -> None:
        """Refuse a value that is not a dictionary of changes, or that changes a varied size."""
        if not isinstance(changes, Mapping):
            refuse(field, CHANGES, changes)
        for path in changes:
            if not isinstance(path, str):
                refuse(field, "a dictionary of paths and values", changes)
            if any(f"{size}.".startswith(f"{path}.") for size in self.varied):
                refuse(field, f"without {self.varied[0]}, which varies", path)


def read_scalings(given: Any, *varied: str) -> dict[str, Rule]:
    """Return the scalings that a user gave by name; none may change a size that is ``varied``."""
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, Mapping) and is_iterable(given):
        names = list(given)
        for name in names:
            _refuse_unknown(name)
        given = {name: name for name in names}
    if not isinstance(given, Mapping) or not given:
        refuse("scalings", ALLOWED, given)
    return {name: _rule(name, scaling, varied) for name, scaling in given.items()}


def _rule(name: Any, scaling: Any, varied: tuple[str, ...]) -> Rule:
    rule = Rule(name, scaling, varied)
    if not isinstance(name, str):
        refuse("scalings", ALLOWED, {name: scaling})
    if isinstance(scaling, str):
        _refuse_unknown(scaling)
    elif isinstance(scaling, Mapping):
        rule.check(scaling, f"scalings[{name!r}]")
    elif not callable(scaling):
        refuse("scalings", ALLOWED, {name: scaling})
    return rule


def _refuse_unknown(name: Any) -> None:
    if not isinstance(name, str):
        refuse("scalings", ALLOWED, name)
    if name not in BUILT_IN:
        raise ValueError(
            f"scalings must be {one_of(BUILT_IN)}, or a dictionary of scalings by name, "
            f"got {name!r}{suggestion(name, list(BUILT_IN))}"
        )


def _whole(size: Number) -> Number:
    """Convert a whole size to an int, so that it can be a number of layers."""
    return int(size) if float(size).is_integer() else size
