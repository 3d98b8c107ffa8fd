"""Paths into a problem, such as "optimizer.lr": all that exist, and suggestions for others."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, get_args

from lindmft._internal.refusals import BadInput
from lindmft._internal.validation import describe, mapping, one_of, refuse
from lindmft.problem.data import Data
from lindmft.problem.network import Network
from lindmft.problem.optimizer import SGD
from lindmft.problem.spectrum import Spectrum

CLASSES: dict[str, tuple[type, ...]] = {
    "network": get_args(Network),
    "data": get_args(Data),
    "data.spectrum": get_args(Spectrum),
    "optimizer": (SGD,),
}
"""The tables of a problem, each with the classes that it may describe."""
SYNONYMS = {
    "learning_rate": "optimizer.lr",
    "eta": "optimizer.lr",
    "batch_size": "data.batch",
    "sigma": "data.noise",
    "richness": "network.gamma0",
    "gamma": "network.gamma0",
    "layers": "network.depth",
    "nu": "network.width",
}
"""Other names of some fields, for suggestions."""
NEAR = 0.7
"""Least similarity of two names, from 0 to 1, for one to be suggested in place of the other."""


def _keys(classes: tuple[type, ...]) -> list[str]:
    kinds = ["kind"] if hasattr(classes[0], "kind") else []
    names = [field.name for cls in classes for field in fields(cls)]
    return list(dict.fromkeys([*kinds, *names]))


KEYS = {table: _keys(classes) for table, classes in CLASSES.items()}
"""The keys of each table: those of all its kinds."""
PARTS = tuple(table for table in KEYS if "." not in table)
PATHS = (*PARTS, *(f"{table}.{key}" for table, keys in KEYS.items() for key in keys))
"""Every path that a problem can have."""


def check_path(path: str) -> None:
    """Refuse a path that no problem has, and say which one was probably meant."""
    if path in PATHS or any(path.startswith(f"{value}.") for value in PATHS if value not in KEYS):
        return  # paths below a value are refused later, with the value
    table, _, key = path.rpartition(".")
    known = KEYS.get(table, PARTS)
    if table in KEYS or not table:
        raise BadInput(
            f"{table or 'problem'} must only have the keys {', '.join(known)}, "
            f"got {describe(key)}{meant(path)}",
            field=path,
        )
    raise BadInput(
        f"a path must lead from {one_of(PARTS)} to a value, as 'optimizer.lr' does, "
        f"got {describe(path)}{meant(path)}",
        field=path,
    )


def meant(path: str) -> str:
    """Return "(did you mean 'optimizer.lr'?)" if a known path is similar, else an empty text."""
    found = _nearest(path)
    return f" (did you mean {one_of(found)}?)" if found else ""


def _nearest(path: str) -> list[str]:
    """Return paths with the same last name; else the most similar one, as a whole or at its end."""
    leaf = path.rpartition(".")[2]
    if leaf in SYNONYMS:
        return [SYNONYMS[leaf]]
    same = [known for known in PATHS if known.rpartition(".")[2] == leaf]
    if same:
        return difflib.get_close_matches(path, same, n=1, cutoff=NEAR) or same
    whole = difflib.get_close_matches(path, PATHS, n=1, cutoff=NEAR)
    if whole:
        return whole
    leaves = [known.rpartition(".")[2] for known in PATHS]
    near = difflib.get_close_matches(leaf, leaves, n=1, cutoff=NEAR)
    return [known for known in PATHS if near and known.rpartition(".")[2] == near[0]]


def merged(
    given: Mapping[Any, Any] | None, keywords: Mapping[str, Any], field: str
) -> dict[Any, Any]:
    """Join a dictionary of paths and keywords, where a double underscore stands for the dot.

    A path that is given twice is a ``ValueError``.
    """
    found = dict(mapping({} if given is None else given, field, "a dictionary of paths"))
    for name, value in keywords.items():
        path = name.replace("__", ".")
        if path in found:
            refuse(field, "paths that are given once", path)
        found[path] = value
    return found


def check_paths(paths: Iterable[Any], field: str) -> None:
    """Refuse keys that are no texts, and paths that no problem has."""
    for path in paths:
        if not isinstance(path, str):
            refuse(field, "a dictionary whose keys are paths such as 'optimizer.lr'", path)
        check_path(path)
