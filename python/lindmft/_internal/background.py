"""Long calls of other libraries, which know nothing of Ctrl-C: on a thread of their own."""

from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def aside(call: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """The result of a call, for which the calling thread waits and stays reachable.

    After Ctrl-C it goes on unattended until it is done; nobody hears of what comes of it.
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
