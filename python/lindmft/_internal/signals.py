"""Ctrl-C and SIGTERM while a file is read or written: they take effect once that is complete.

Handlers of signals raise exceptions. Python drops an exception that is raised inside a callback of
a library (for a weak reference, a finalizer, the bytes of a file), and the signal would be lost.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

DEFERRED = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_deferred(*, reading: bool = False) -> Iterator[None]:
    """Defer signals until the end of the ``with`` block, and then let them act as usual.

    Blocks may be nested. Only the main thread handles signals: in other threads there is nothing to
    defer. With ``reading``, signals that have no handler in Python are not deferred. They end the
    process at once, which loses nothing, and works even if a library never returns from reading a
    damaged file.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = [_Waiting(number, reading) for number in DEFERRED]
    try:
        with ExitStack() as stack:
            for one in waiting:
                one.listen(stack)
            yield
    finally:
        interrupt, termination = waiting
        try:
            interrupt.act()
        finally:  # also if the first handler raised; the exception of the second is the one seen
            termination.act()


class _Waiting:
    """One deferred signal: whether it arrived, and the handler that it had before."""

    def __init__(self, number: int, reading: bool) -> None:
        self.number = number
        self.before = signal.getsignal(number)
        self.left_alone = (None, signal.SIG_IGN, *([signal.SIG_DFL] if reading else []))
        self.deferring = True
        self.arrived = False
        self.frame: Any = None

    def listen(self, stack: ExitStack) -> None:
        """Defer the signal until the stack is closed, unless it is ignored or left alone."""
        if self.before in self.left_alone:
            return
        try:
            signal.signal(self.number, self._handle)
        except ValueError:  # a subinterpreter, whose main thread cannot set handlers
            return
        stack.callback(signal.signal, self.number, self.before)

    def _handle(self, _number: int, frame: Any) -> None:
        self.arrived, self.frame = True, frame
        if not self.deferring:
            self.act()

    def act(self) -> None:
        """Call the handler from before if the signal arrived; that handler must be set again."""
        self.deferring = False
        if not self.arrived:
            return
        self.arrived = False
        if callable(self.before):
            self.before(self.number, self.frame)
        else:  # the default of the system: it ends the process
            signal.signal(self.number, self.before)
            signal.raise_signal(self.number)
