"""The guard ``if __name__ == "__main__":`` that scripts need before processes are started.

A new process imports the script of its parent. Without the guard it reaches the same call of
``sweep`` during that import, where no further process can be started.
"""

import ast
import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import Any

UNGUARDED = 86
"""Exit status of a worker that reaches a sweep while it imports the script."""
PATIENCE = 2.0
"""Seconds to wait for the exit codes of a broken pool."""
GUARDS = ("__name__", "multiprocessing", "current_process")
"""Names whose use may keep an imported script from calling ``sweep``."""
MESSAGE = (
    'engine="{engine}" starts processes that import the script {script}, and without a guard each '
    "of them would call sweep again. Put the call of sweep into a function, and call the function "
    'under `if __name__ == "__main__":` at the end of the script'
)


def require_guard(engine: str) -> None:
    """Refuse to start processes from a script that certainly has no guard.

    A script that uses one of ``GUARDS`` is not refused here, because it may have a guard. If it has
    none, ``exit_if_importing`` finds it in a worker.
    """
    script = _script()
    line = _line_of(script) if script is not None else None
    if script is not None and line is not None and not _may_be_guarded(script):
        raise missing_guard(engine, script)


def missing_guard(engine: str, script: Path | None = None) -> RuntimeError:
    """Return the error that explains the guard."""
    shown = (script or _script() or Path("of the caller")).name
    return RuntimeError(MESSAGE.format(engine=engine, script=shown))


def exit_if_importing() -> None:
    """End a worker that reaches a sweep while it imports the script; its parent reports why."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.stderr.flush()
        os._exit(UNGUARDED)


def found_unguarded(workers: Iterable[Any]) -> bool:
    """Whether a worker of a broken pool ended because it reached a sweep during its import.

    The pool ends all its workers when it breaks, in another thread: their exit codes may come a
    moment later.
    """
    workers, end = list(workers), monotonic() + PATIENCE
    while any(worker.exitcode is None for worker in workers) and monotonic() < end:
        sleep(PATIENCE / 100)
    return any(worker.exitcode == UNGUARDED for worker in workers)


def _script() -> Path | None:
    """The file that new processes import; None for consoles, notebooks and ``python -c``."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    return Path(file) if isinstance(file, str) and file.endswith(".py") else None


def _line_of(script: Path) -> int | None:
    """The line at the top level of the script that is running; None if it is not running."""
    frames = (frame for frame in _frames(sys._getframe()) if _is_top_level(frame, script))
    return next((frame.f_lineno for frame in frames), None)


def _is_top_level(frame: FrameType, script: Path) -> bool:
    main = frame.f_globals.get("__name__") == "__main__"
    same = frame.f_globals.get("__file__") == getattr(sys.modules["__main__"], "__file__", "")
    return main and same and frame.f_code.co_name == "<module>" and script.is_file()


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _may_be_guarded(script: Path) -> bool:
    """Whether the script uses any of the names that guards consist of."""
    try:
        tree = ast.parse(script.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named |= {alias.name.partition(".")[0] for alias in node.names}
            named |= {(getattr(node, "module", None) or "").partition(".")[0]}
    return bool(named & set(GUARDS))
