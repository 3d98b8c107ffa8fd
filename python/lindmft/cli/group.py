"""The end of commands: an error of the user is one line on standard error and exit code 2.

Ctrl-C is exit code 130, SIGTERM 143.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from lindmft import _core
from lindmft._internal.wording import wording
from lindmft.cli.messages import for_command

MOMENT = 0.01
"""Seconds after which a signal that a library lost is sent again."""


class BadInput(click.ClickException):
    """An error of the user, printed as one line on standard error."""

    exit_code = 2


class Terminated(KeyboardInterrupt):
    """SIGTERM ends a command as Ctrl-C does: finished work is kept."""


ENDS: dict[int, tuple[type[KeyboardInterrupt], str]] = {
    signal.SIGINT: (KeyboardInterrupt, "Interrupted."),
    signal.SIGTERM: (Terminated, "Terminated."),
}
"""The exception that each signal raises while a command runs, and the text that is printed."""


class Signals:
    """The signals that end a command; none of them is lost."""

    def __init__(self) -> None:
        self.arrived: int | None = None
        self.running = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle these signals during a ``with`` block, except those that are ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield  # other threads cannot handle signals
            return
        with ExitStack() as stack:
            for number in ENDS:
                if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
                    stack.callback(signal.signal, number, signal.signal(number, self._end))
            stack.callback(setattr, sys, "unraisablehook", sys.unraisablehook)
            sys.unraisablehook = self._repeating(sys.unraisablehook)
            yield

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Run a command, in which signals raise their exceptions."""
        self.running = True
        try:
            yield
            if self.arrived is not None:  # and a library caught the exception
                raise ENDS[self.arrived][0]
        finally:
            self.running = False

    def _end(self, number: int, _frame: object) -> None:
        self.arrived = number
        kind, text = ENDS[number]
        if self.running:
            raise kind
        click.echo(text, err=True)  # before or after the work
        sys.exit(128 + number)

    def _repeating(self, report: Any) -> Any:
        """Send a signal again if Python dropped its exception, which was raised in a finalizer."""

        def dropped(unraisable: Any) -> None:
            if self.arrived is not None and isinstance(unraisable.exc_value, KeyboardInterrupt):
                timer = threading.Timer(MOMENT, os.kill, (os.getpid(), self.arrived))
                timer.daemon = True
                timer.start()
            else:
                report(unraisable)

        return dropped


@contextmanager
def _plain_words(context: click.Context) -> Iterator[None]:
    """Print a warning as one line, without its place in the code, and in the words of commands."""
    shown: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        text = for_command(str(message), context)
        if text not in shown:  # several calls of a command may warn of the same
            shown.add(text)
            click.echo(f"Warning: {text}", err=True)

    with warnings.catch_warnings(), wording(lambda text: for_command(text, context)):
        warnings.showwarning = show
        yield


class Commands(click.Group):
    """A group that turns the errors a user can cause into one line and an exit code."""

    signals = Signals()

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line, from its arguments to its exit code."""
        self.signals = Signals()
        with self.signals.handled():
            return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            with self.signals.ending(), _plain_words(ctx):
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except OSError as error:
            named = error.filename is not None
            raise BadInput(
                f"{error.filename}: {error.strerror}" if named else str(error)
            ) from error
        except (ValueError, MemoryError, ImportError, _core.NotConverged) as error:
            raise BadInput(for_command(str(error), ctx)) from error
        except KeyboardInterrupt as error:
            number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
            click.echo(ENDS[number][1], err=True)
            raise click.exceptions.Exit(128 + number) from None
