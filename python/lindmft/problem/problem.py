"""A problem: a network, the data that it is trained on, and the optimizer."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np

from lindmft import _core
from lindmft._internal.display import html_table, short, short_repr
from lindmft._internal.files import write_text
from lindmft._internal.refusals import at_index, within
from lindmft._internal.types import Path
from lindmft._internal.validation import describe, file_path, is_iterable, refuse, settle
from lindmft.problem.axes import Axes, changes, points, read_axes
from lindmft.problem.data import Data, read_data
from lindmft.problem.network import Network, check_widths, read_network
from lindmft.problem.optimizer import SGD
from lindmft.problem.paths import check_path, check_paths, merged
from lindmft.problem.schema import from_table, read_numbers, reader, spell_inf, to_table
from lindmft.problem.sizes import other_names
from lindmft.problem.toml import dump
from lindmft.problem.toml_files import TomlFile

BESIDE = ("run", "sweep")
"""Names of the tables of a file that are for the command line."""

read_optimizer = reader(SGD)


@dataclass(frozen=True)
class Problem:
    """A network, its data and its optimizer: the description from which every computation starts.

    Parameters
    ----------
    network
        ``MLP(...)`` or ``ResNet(...)``.
    data
        ``FullBatch(...)``, ``MultiPass(...)``, ``Epochs(...)``, ``OnePass(...)`` or
        ``Population(...)``.
    optimizer
        ``SGD(...)``.

    Raises
    ------
    ValueError
        If a part is something else, or the parts do not fit together (length of ``layer_lr``;
        ``hidden`` belongs to trace-class spectra or ``data.inputs``, ``width`` to the others).

    Notes
    -----
    Theory sections 1, 2 and 6.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> problem.replace({"network.width": 4.0, "optimizer.lr": 0.05}).network.width
    4.0
    >>> lm.Problem.from_dict(problem.to_dict()) == problem
    True
    >>> print(problem.to_toml().splitlines()[0])
    [network]
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = problem.to_toml(f"{folder}/problem.toml")
    ...     lm.Problem.from_toml(f"{folder}/problem.toml") == problem
    ...     text = problem.to_json(f"{folder}/problem.json")
    ...     lm.Problem.from_json(f"{folder}/problem.json") == problem
    True
    True
    """

    network: Network
    data: Data
    optimizer: SGD

    __repr__ = short_repr

    def __post_init__(self) -> None:
        settle(self, "", network=read_network, data=read_data, optimizer=read_optimizer)
        _settle_width(self)
        check_widths(self.network, self.data.spectrum)
        _core.validate(self.as_core())

    def as_core(self) -> _core.Problem:
        """Return the compiled module's value type."""
        return _core.Problem(
            network=self.network.as_core(),
            data=self.data.as_core(),
            optimizer=self.optimizer.as_core(),
        )

    def _repr_html_(self) -> str:
        return html_table("Problem", {path: short(value) for path, value in flat(self.to_dict())})

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any]) -> Self:
        """Return a problem from ``tables``, those of ``network``, ``data`` and ``optimizer``.

        Keys are the fields of the classes and ``kind``. Texts that spell a number are numbers, as
        YAML reads 1e-2 as text; "inf" is infinity. Unknown keys and kinds are a ``ValueError`` that
        suggests the nearest known one.
        """
        if not isinstance(tables, Mapping):
            refuse("problem", "a dictionary of the tables network, data and optimizer", tables)
        problem: Self = from_table(cls, read_numbers(tables), "")
        return problem

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as plain dictionaries, lists, numbers, strings and bools."""
        return to_table(self)

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read the TOML file at ``path`` with the tables of ``from_dict``.

        The file may also have the tables ``run`` and ``sweep``, which are for the command line. A
        ``ValueError`` names the file and the line.
        """
        file = TomlFile.read(file_path(path, "path"))
        with file.located():
            return cls.from_dict(without_run(file.tables))

    def to_toml(self, path: Path | None = None) -> str:
        """Return the problem as TOML text, and write it to ``path`` if one is given."""
        return _text_to_file(dump(self.to_dict()), path)

    @classmethod
    def from_json(cls, path: Path) -> Self:
        """Read the JSON file at ``path`` with the tables of ``from_dict``."""
        file = file_path(path, "path")
        try:
            tables = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} must be a JSON file: {error}") from error
        try:
            return cls.from_dict(tables)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def to_json(self, path: Path | None = None) -> str:
        """Return JSON text (infinity is "inf"), and write it to ``path`` if one is given."""
        return _text_to_file(json.dumps(spell_inf(self.to_dict()), indent=2) + "\n", path)

    def replace(self, changes: Any = None, **more: Any) -> Self:
        """Return a copy with some values changed.

        Parameters
        ----------
        changes
            A dictionary of new values by their path in the dictionary form, such as "optimizer.lr"
            or "data.spectrum.weights"; a whole part has its name as path, as "data". None removes a
            value: ``{"data.noise": None}`` is the default. A size that is given by one name
            replaces the one by the other name: "network.hidden" removes "network.width". Numbers
            that were divided by ``data.inputs`` have become ratios: another "data.inputs" alone
            keeps the ratios.
        more
            The same as keywords, with a double underscore for the dot: ``optimizer__lr=0.1``,
            ``data=lm.OnePass(alpha=0.5)``.

        Returns
        -------
        Problem
            The changed problem. All changes are made before it is checked.

        Raises
        ------
        ValueError
            For a path that does not exist (the message suggests the nearest one: "optimizer.lr"
            for "lr"), a path that is given twice, and values that no problem can have.

        Examples
        --------
        >>> import lindmft as lm
        >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
        >>> problem.replace({"optimizer.lr": 0.2, "network.depth": 3}).network.depth
        3
        >>> problem.replace(optimizer__lr=0.2, data=lm.OnePass(alpha=0.5)).data.alpha
        0.5
        """
        given = merged(changes, more, "changes")
        check_paths(given, "changes")
        tables = self.to_dict()
        for path, value in given.items():
            set_by_path(tables, path, value)
            for other in other_names(path) if value is not None else ():
                if other not in given:
                    drop_by_path(tables, other)
        problem: Self = from_table(type(self), tables, "")
        return problem

    def vary(self, axes: Axes | None = None, **more: Any) -> list[Self]:
        """Return the problems of a grid: all combinations of the axes' values, last axis fastest.

        Parameters
        ----------
        axes
            Paths as in ``replace``, each with its values; without axes, the grid is the problem
            alone. Several paths in a tuple are zipped: their values are tuples and change together.
            Values may have labels, in a dictionary; these are not used here, but name the points of
            a ``sweep``.
        more
            Axes of one path as keywords, with a double underscore for the dot:
            ``optimizer__lr=[0.05, 0.1]``.

        Returns
        -------
        list
            As many problems as the product of the axes' lengths, for ``solve_many``.

        Raises
        ------
        ValueError
            For a path that does not exist (the message suggests the nearest one), an axis without
            values or with a value twice, or values that no problem can have; the message names
            paths and values.

        Examples
        --------
        >>> import lindmft as lm
        >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
        >>> grid = problem.vary({"optimizer.lr": [0.05, 0.1], "network.width": [0.5, 1, 2]})
        >>> [(p.optimizer.lr, p.network.width) for p in grid[:4]]
        [(0.05, 0.5), (0.05, 1.0), (0.05, 2.0), (0.1, 0.5)]
        >>> both = problem.vary({("optimizer.lr", "network.width"): [(0.05, 0.5), (0.1, 2)]})
        >>> [(p.optimizer.lr, p.network.width) for p in both]
        [(0.05, 0.5), (0.1, 2.0)]
        >>> [p.optimizer.lr for p in problem.vary(optimizer__lr=[0.05, 0.1])]
        [0.05, 0.1]
        """
        # ``read_axes`` refuses an argument that is no dictionary by its name, "axes".
        grid = read_axes(merged(axes, more, "axes") if more or axes is None else axes)
        return [self._at(changes(grid, point)) for point in points(grid)]

    def _at(self, point: Mapping[str, Any]) -> Self:
        try:
            return self.replace(point)
        except ValueError as error:
            where = ", ".join(f"{path} = {describe(value)}" for path, value in point.items())
            raise within(error, after=f" (at {where})" if where else "") from error


def _settle_width(problem: Problem) -> None:
    """Replace a number of hidden units by the ratio to the number of inputs, if that is given."""
    network, inputs = problem.network, problem.data.inputs
    if inputs is None or network.hidden is None:
        return
    ratios = tuple(size / inputs for size in np.atleast_1d(network.hidden).tolist())
    width: Any = ratios if isinstance(network.hidden, tuple) else ratios[0]
    object.__setattr__(problem, "network", replace(network, width=width, hidden=None))


Problems: TypeAlias = Iterable[Problem | Mapping[str, Any]]
"""Any iterable of problems or their dictionary forms."""


def set_by_path(tables: dict[str, Any], path: str, value: Any) -> None:
    """Set a value in nested tables, at a path such as "data.spectrum.weights".

    The tables along the path must exist; the last key need not.
    """
    check_path(path)
    *parents, key = path.split(".")
    table = tables
    for name in parents:
        table = table.get(name)  # type: ignore[assignment]  # None: the value is not set
        if not isinstance(table, dict):
            refuse(path, "the path of a value in the problem's dictionary", name)
    table[key] = value


def drop_by_path(tables: dict[str, Any], path: str) -> None:
    """Remove a value from its table, if it is there."""
    table, _, key = path.partition(".")
    if isinstance(tables.get(table), dict):
        tables[table].pop(key, None)


def without_run(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a file without those that are for the command line."""
    return {name: table for name, table in tables.items() if name not in BESIDE}


def flat(table: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested tables with their paths."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{start}{key}.")
        else:
            yield f"{start}{key}", value


def as_problem(value: Problem | Mapping[str, Any]) -> Problem:
    """Return a problem from a ``Problem`` or its dictionary form; refuse anything else."""
    return value if isinstance(value, Problem) else Problem.from_dict(value)


def listed_problems(problems: Any) -> list[Problem]:
    """Return a list of problems from any iterable of problems; errors name the index."""
    if isinstance(problems, Problem | Mapping) or not is_iterable(problems):
        refuse("problems", "a list of problems", problems)
    return [_indexed(i, entry) for i, entry in enumerate(problems)]


def _indexed(i: int, entry: Any) -> Problem:
    try:
        return as_problem(entry)
    except ValueError as error:
        raise at_index(error, i) from error


def _text_to_file(text: str, path: Path | None) -> str:
    if path is not None:
        write_text(text, file_path(path, "path"))
    return text
