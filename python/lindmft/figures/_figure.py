"""A figure with its parameters and the functions that compute it, and the computed result.

Parameters are frozen dataclasses. ``make`` takes changes of them by name, so that a reader can try
other values (other widths, for example) without changing the code.
"""

import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from lindmft import _core
from lindmft._internal.files import write_picture, write_text
from lindmft._internal.validation import (
    choice,
    file_path,
    flag,
    integer,
    is_list,
    mapping,
    number,
    refuse,
    text,
    tuple_of_names,
)
from lindmft.figures._panel import Panel
from lindmft.figures._runs import Progress
from lindmft.figures._tables import agreement_table, csv_rows
from lindmft.plotting.style import style

if TYPE_CHECKING:
    import matplotlib.figure as mpl

__all__ = ["Figure", "Result"]

Build = Callable[[Any, Any], Panel]
"""Computes a panel from the parameters, and from the progress or the result of ``prepare``."""


@dataclass(frozen=True, eq=False)
class Result:
    """A computed figure: panels with theory, training, and their agreement.

    Attributes
    ----------
    figure
        The figure that was computed.
    parameters
        The parameters that were used.
    panels
        Panels by name ("a", "b", ...; "" for a single one), with curves and points as arrays.
    seconds
        Time of the computation.

    Notes
    -----
    Theory section 13; Bordelon and Pehlevan (2025).

    Examples
    --------
    >>> import lindmft as lm
    >>> result = lm.figures.get("1").make("a", quick=True, widths=(0.5,), dim=32, seeds=4, steps=20)
    >>> curve = result.panels["a"].curves[0]
    >>> curve.label, curve.y.shape, curve.points.networks
    ('0.5', (20,), 4)
    >>> result.table().splitlines()[0].split()[:4]
    ['figure', 'D', 'networks', 'points']
    """

    figure: "Figure"
    parameters: Any
    panels: Mapping[str, Panel]
    seconds: float

    def draw(self) -> "mpl.Figure":
        """Draw the picture, in the style of ``lindmft.plotting.style``. Needs matplotlib."""
        from lindmft.figures._drawing import draw

        return draw(self.panels)

    def table(self) -> str:
        """Return the agreement of training with theory, a line for each panel, and the notes."""
        return agreement_table(
            {self.figure.label(name): panel for name, panel in self.panels.items()}
        )

    def csv(self) -> str:
        """Return the data, a row for each point, with the parameters in comments (#) above."""
        head = [
            f"# lindmft {_core.__version__}, figure {self.figure.name}: {self.figure.title}",
            *(f"# {name} = {value}" for name, value in asdict(self.parameters).items()),
        ]
        return "\n".join([*head, *csv_rows(self.panels)]) + "\n"

    def save(self, folder: str | Path = ".") -> list[Path]:
        """Write figure_NAME.png, .svg and .csv into an existing folder, and return their paths."""
        paths = self.figure.paths(folder, tuple(self.panels))
        picture = self.draw()
        with style():
            for path in paths[:-1]:
                # Without a date, the same picture is the same file.
                metadata = {"Date": None} if path.suffix == ".svg" else {}
                write_picture(picture, path, metadata=metadata)
        write_text(self.csv(), paths[-1])
        return paths


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure of the paper, or a new one.

    Attributes
    ----------
    name
        Name as in ``lindmft.figures.NAMES``.
    title, about
        One line, and a paragraph that describes the picture.
    chosen
        Values that the paper does not print and that were chosen here; empty for new figures.
    parameters, quick
        Full settings, and settings that take a few seconds.
    panels
        The functions that compute the panels, by name.
    module
        The module that has the parameters in a table.
    prepare
        A function for what several panels share, or None.

    Notes
    -----
    Theory section 13; Bordelon and Pehlevan (2025) for those with numbers.

    Examples
    --------
    >>> import lindmft as lm
    >>> figure = lm.figures.get("2")
    >>> list(figure.panels), figure.parameters.dim > figure.quick.dim
    (['a', 'b'], True)
    """

    name: str
    title: str
    about: str
    chosen: str
    parameters: Any
    quick: Any
    panels: Mapping[str, Build]
    module: str
    prepare: Callable[[Any, Progress], Any] | None = None

    def label(self, panel: str) -> str:
        """Return the name of a panel, "2b" or "variances-a"; that of the figure for a single one.

        Examples
        --------
        >>> import lindmft as lm
        >>> lm.figures.get("2").label("b"), lm.figures.get("variances").label("a")
        ('2b', 'variances-a')
        """
        text(panel, "panel")
        return f"{self.name}{'' if self.name[-1].isdigit() or not panel else '-'}{panel}"

    def make(
        self, *panels: str, quick: bool = False, progress: Progress = None, **changes: Any
    ) -> Result:
        """Compute the figure, or some of its panels.

        Parameters
        ----------
        panels
            Names of the panels; none: all.
        quick
            Take the quick settings: smaller and fewer networks.
        progress
            As in ``lindmft.solve``, for every computation of the figure.
        changes
            Parameters to change, by name.

        Raises
        ------
        ValueError
            If a panel or a parameter does not exist, or the computation refuses a value.
        """
        for panel in panels:
            choice(*self.panels)(panel, f"the panel of figure {self.name}")
        parameters = self.changed(quick, changes)
        start = time.perf_counter()
        shared = self.prepare(parameters, progress) if self.prepare else progress
        made = {
            name: build(parameters, shared)
            for name, build in self.panels.items()
            if not panels or name in panels
        }
        return Result(self, parameters, made, time.perf_counter() - start)

    def paths(self, folder: str | Path, panels: Sequence[str] = ()) -> list[Path]:
        """Return the paths that ``Result.save`` writes for these panels (none: all), data last.

        Raises
        ------
        ValueError
            If a panel does not exist, or the folder is not a path.
        """
        parent, names = file_path(folder, "folder"), tuple_of_names(panels, "panels")
        for name in names:
            choice(*self.panels)(name, "panels")
        some = 0 < len(names) < len(self.panels)
        stem = f"figure_{self.label(''.join(names) if some else '')}"
        return [parent / f"{stem}{suffix}" for suffix in (".png", ".svg", ".csv")]

    def changed(self, quick: bool, changes: Mapping[str, Any]) -> Any:
        """Return the full or quick parameters with these changes, checked by name and kind.

        Raises
        ------
        ValueError
            If a parameter does not exist, or a value is of another kind.
        """
        parameters = self.quick if flag(quick, "quick") else self.parameters
        kinds = {field.name: field.type for field in fields(parameters)}
        settled = {}
        for name, value in mapping(changes, "changes").items():
            choice(*kinds)(name, f"the parameter of figure {self.name}")
            settled[name] = _settled(value, kinds[name], f"{name} of figure {self.name}")
        return replace(parameters, **settled)

    def describe(self) -> str:
        """Describe the picture, the chosen values and the parameters, full and quick, as text."""
        chosen = textwrap.wrap(f"Chosen: {self.chosen}", 96) if self.chosen else []
        lines = [*textwrap.wrap(self.about, 96), *chosen, ""]
        lines.append(f"{'parameter':<20}{'full':<50}quick")
        for field in fields(self.parameters):
            full, quick = (getattr(of, field.name) for of in (self.parameters, self.quick))
            same = "" if quick == full else _text(quick)
            lines.append(f"{field.name:<20}{_text(full):<50}{same}".rstrip())
        return "\n".join(f"    {line}".rstrip() for line in lines)


def _settled(value: Any, kind: Any, field: str) -> Any:
    """Return a value as the kind of its parameter: numbers, a number or a whole number."""
    if kind is int:
        return integer(value, field)
    if kind is float:
        return float(number(value, field))
    entry, rest = get_args(kind)  # a tuple of two entries, or of any number of them
    entries = tuple(value) if is_list(value) else (value,)
    if rest is entry and len(entries) != 2:
        refuse(field, "two numbers", value)
    if not entries:
        refuse(field, "at least one number", value)
    settled = tuple(_settled(each, entry, field) for each in entries)
    if len(set(settled)) < len(settled):
        refuse(field, "numbers that differ", value)
    return settled


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_text(each) for each in value)
    return str(value) if isinstance(value, int) else f"{value:g}"
