"""How commands end: whatever a user can get wrong is one line on standard error and exit code 2.

Ctrl-C is exit code 130, SIGTERM 143.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from lindmft import _core


class BadInput(click.ClickException):
    """One line on standard error."""

    exit_code = 2


class Terminated(KeyboardInterrupt):
    """SIGTERM ends a command as Ctrl-C does: what is finished is kept."""


@contextmanager
def _terminable() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # others cannot handle signals
        return

    def end(_signal: int, _frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Commands(click.Group):
    """A group that turns the errors a user can cause into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            with _terminable():
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except OSError as error:
            named = error.filename is not None
            raise BadInput(
                f"{error.filename}: {error.strerror}" if named else str(error)
            ) from error
        except (ValueError, MemoryError, ImportError, _core.NotConverged) as error:
            raise BadInput(" ".join(str(error).split())) from error
        except Terminated:
            click.echo("Terminated.", err=True)
            raise click.exceptions.Exit(143) from None
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(130) from None
