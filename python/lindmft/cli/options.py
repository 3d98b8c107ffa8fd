"""Arguments and options that several commands have."""

import inspect
import math
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import click

from lindmft import _core
from lindmft._internal.types import OptionDict
from lindmft.cli.run_table import RUN_KEYS
from lindmft.problem.averages import KINDS, Average
from lindmft.problem.paths import KEYS, PATHS
from lindmft.results.observables import FUNCTIONS


class WholeNumber(click.types.IntParamType):
    """A whole number, which may be written as 1000000, 1_000_000 or 1e6."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; anything else is a usage error that names the option."""
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError):
            pass
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not number.is_integer():
            self.fail(f"must be a whole number such as 1000 or 1e6, got {value!r}", param, ctx)
        return int(number)


class Times(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """Times with commas between them, as 0,10,1e3."""

    name = "times"
    example = "times such as 0,10,1e3"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[float]:
        """Return the times; anything else is a usage error that names the option."""
        if not isinstance(value, str):
            return [float(time) for time in value]
        try:
            return [float(time) for time in value.split(",")]
        except ValueError:
            self.fail(f"must be {self.example}, got {value!r}", param, ctx)


class AverageOfWeights(click.ParamType):  # type: ignore[type-arg]
    """An average of the weights, as ema:0.99, tail:100 or checkpoints:50,100,150."""

    name = "average"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Average:
        """Return the average; anything else is a usage error that names the option."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        kind, _, text = value.partition(":")
        try:
            numbers = [float(number) for number in text.split(",")]
            if kind not in KINDS or (kind != "checkpoints" and len(numbers) > 1):
                raise ValueError
        except ValueError:
            form = "ema:DECAY, tail:START or checkpoints:STEP,STEP,..."
            self.fail(f"must be {form}, got {value!r}", param, ctx)
        parameter: Any = numbers if kind == "checkpoints" else numbers[0]
        return KINDS[kind](parameter)


WHOLE = WholeNumber()
PROBLEM = click.argument("problem", type=click.Path(path_type=Path))
STEPS = click.option(
    "--steps", type=WHOLE, help="Number of steps, as 1000 or 1e6; overrides the file's run.steps."
)


def complete_key(_context: Any, _option: Any, incomplete: str) -> list[str]:
    """The keys of ``--set`` that begin so, for completion in shells."""
    keys = [*(f"run.{key}" for key in RUN_KEYS), *(path for path in PATHS if path not in KEYS)]
    return [f"{key}=" for key in keys if key.startswith(incomplete)]


SET = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=complete_key,
    help="Change a value of the file, as optimizer.lr=0.1, run.dim=512 or "
    "'network.width=[0.5, 2]'; may be given several times.",
)
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), help="Write the result, as NetCDF4."
)
PICTURE = click.option(
    "--picture", type=click.Path(path_type=Path), help="Draw the losses (png, pdf, svg)."
)
THREADS = click.option(
    "--threads",
    type=WHOLE,
    help="Threads to use.  [default: LINDMFT_NUM_THREADS, else the allowed cores]",
)
CHECKPOINT = click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="Save to this file regularly; resume from it if it exists.",
)
TYPES = {"whole": WHOLE, "number": click.FLOAT, "times": Times()}
"""Types of options by the kinds of the compiled module's table."""
WORDS = {"save": FUNCTIONS}
"""The names that an option may have which takes several of them."""


def options_of(
    call: Callable[..., Any], table: Iterable[OptionDict], *, without: Collection[str] = ()
) -> Callable[[Any], Any]:
    """Decorate a command with the options of the table that the function ``call`` takes.

    The command gets them as ``**options``, in the form in which the function takes them.
    """
    known = inspect.signature(call).parameters
    entries = [entry for entry in table if entry["name"] in {*known} - {*without}]

    def decorate(command: Any) -> Any:
        for entry in reversed(entries):
            command = _option(entry)(command)
        return command

    return decorate


def _option(entry: OptionDict) -> Callable[[Any], Any]:
    name, kind, text = "--" + entry["name"].replace("_", "-"), entry["kind"], entry["meaning"]
    if entry["name"] == "average":
        words = f"{text[:-1]}: ema:0.99, tail:100 or checkpoints:50,100."
        return click.option(name, type=AverageOfWeights(), metavar="KIND:VALUE", help=words)
    if kind == "flag":
        return click.option(name, is_flag=True, help=text)
    if kind == "choice":
        choices, default = click.Choice(entry["choices"]), entry["default"]
        return click.option(name, type=choices, default=default, show_default=True, help=text)
    if kind == "names":
        words = f"{text[:-1]}: all, {', '.join(WORDS[entry['name']])}."
        return click.option(name, multiple=True, metavar="NAME", help=words)
    if kind == "times":
        return click.option(name, type=TYPES[kind], metavar="TIME,...", help=text)
    default = entry["zero"] or f"{entry['default']:g}"
    return click.option(name, type=TYPES[kind], help=f"{text}  [default: {default}]")


GRID = _option(next(entry for entry in _core.SolveOptions.table if entry["name"] == "grid"))
FORCE = click.option("--force", is_flag=True, help="Replace files, whatever they hold.")


def folder(name: str) -> Callable[[Any], Any]:
    """The option for a folder of results, which has this name unless another one is given."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path),
        default=Path(name),
        show_default=True,
        help="A folder, made if it is not there.",
    )
