"""Scalings: named changes to a problem, whose behaviour with size is compared."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from lindmft._internal.validation import refuse

Scalings: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By name, what to change in the problem: paths and values as in ``Problem.replace``."""

PARAMETERIZATIONS: Scalings = {
    "muP": {"network.parameterization": "mup"},
    "NTK": {"network.parameterization": "ntk"},
}
BRANCHES: Scalings = {
    "1/sqrt(depth)": {"network.branch_scaling": "depth"},
    "constant": {"network.branch_scaling": "constant"},
}
AS_GIVEN: Scalings = {"as given": {}}
ALLOWED = "a dictionary of names, each with a dictionary of paths in the problem and values"


def read_scalings(given: Any, *varied: str) -> dict[str, dict[str, Any]]:
    """From what a user gave; none may touch what is varied with them."""
    if not isinstance(given, Mapping) or not given:
        refuse("scalings", ALLOWED, given)
    for name, changes in given.items():
        if not isinstance(name, str) or not isinstance(changes, Mapping):
            refuse("scalings", ALLOWED, {name: changes})
        for path in changes:
            if not isinstance(path, str):
                refuse(f"scalings[{name!r}]", "a dictionary of paths and values", changes)
            if any(f"{size}.".startswith(f"{path}.") for size in varied):
                refuse(f"scalings[{name!r}]", f"without {varied[0]}, which varies", path)
    return {name: dict(changes) for name, changes in given.items()}
