"""Messages of the package in the words of the command line."""

import click

ARGUMENTS = {'grid="adaptive"': "--grid adaptive"}
"""Arguments of functions that messages name, and the options that commands have for them."""


def for_command(error: Exception, context: click.Context) -> str:
    """Return the message of an error in one line, with options for arguments of functions."""
    text = " ".join(str(error).split())
    group, name = context.command, context.invoked_subcommand
    command = group.get_command(context, name) if isinstance(group, click.Group) and name else None
    options = {option for one in command.params for option in one.opts} if command else set()
    for argument, option in ARGUMENTS.items():
        if option.split()[0] in options:
            text = text.replace(argument, option)
    return text
