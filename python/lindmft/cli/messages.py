"""Messages of the package in the words of the command line."""

import re
from collections.abc import Container
from typing import NamedTuple

import click


class Wording(NamedTuple):
    """The option of a command for an argument of a Python function."""

    argument: str
    """Regular expression of the argument."""
    option: str
    """Name of the option; messages change only for commands that have it."""
    text: str
    """The replacement."""


WORDINGS = (
    Wording(r'grid="(\w+)"', "--grid", r"--grid \1"),
    Wording(r'beyond_edge="(\w+)"', "--beyond-edge", r"--beyond-edge \1"),
    Wording(r'engine="(\w+)"', "--engine", r"--engine \1"),
    Wording(r'reuse="([^"]*)"', "--reuse", r"--reuse \1"),
    Wording(r"\b(seeds?|dim)=(\d+)", "--seeds", r"--\1 \2"),
    Wording(r"\bhidden=(\d+|\[[^]]*\])", "--set", r"--set network.hidden=\1"),
    Wording(r"\b(samples|batch)=(\d+)", "--set", r"--set data.\1=\2"),
)


def for_command(text: str, context: click.Context) -> str:
    """Return a message in one line, with options of the command for arguments of functions."""
    group, name = context.command, context.invoked_subcommand
    command = group.get_command(context, name) if isinstance(group, click.Group) and name else None
    options = {option for one in command.params for option in one.opts} if command else set()
    return _reworded(" ".join(text.split()), options)


def for_other_commands(text: str) -> str:
    """Return a text with options of any command for arguments, for advice to run one of them."""
    return _reworded(text, {wording.option for wording in WORDINGS})


def _reworded(text: str, options: Container[str]) -> str:
    for wording in WORDINGS:
        if wording.option in options:
            text = re.sub(wording.argument, wording.text, text)
    return text
