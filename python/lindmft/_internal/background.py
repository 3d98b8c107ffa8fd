"""Long calls of other libraries on a worker thread, so that Ctrl-C works while they run."""

from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def aside(call: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Return the result of a call that runs on a worker thread, while the calling thread waits.

    Ctrl-C ends the waiting at once. The call itself then still runs to its end, and its result is
    discarded.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call(*arguments, **options))
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
