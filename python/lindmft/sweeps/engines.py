"""Engines: where the blocks of a sweep are computed, several at a time.

A block is one call of the core. How many run at once and on how many threads each is the engine's
to say, so that together they never use more threads than there are cores.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from typing import Any, Protocol

from lindmft import _core
from lindmft._internal.optional import optional
from lindmft._internal.validation import integer, refuse
from lindmft.problem.problem import Problem
from lindmft.sweeps.stages import Computed, Stage

AHEAD = 2
"""Blocks handed over for each that can run at once, so that nobody waits for the next."""
WORKERS_SETTINGS = "distributed.nanny.pre-spawn-environ"
LARGE = ("MALLOC_MMAP_THRESHOLD_", 2**25)
"""Dask sets its workers' allocator to return memory at once, which costs a third of the time where
arrays of 200 steps come and go; with this threshold they are kept, as in any other process."""
FORMS = (
    "'threads', 'processes', 'dask', the address of a Dask scheduler (tcp://host:port), "
    "a dask.distributed Client, or a concurrent.futures Executor"
)


class Stopped(Exception):  # noqa: N818 (as in concurrent.futures, it is no error)
    """A computation that was told to end."""


class Engine(Protocol):
    """What the loop asks of an engine."""

    def submit(self, stage: Stage, problems: Sequence[Problem]) -> "Future[Computed]":
        """Have a block computed."""

    @property
    def window(self) -> int:
        """Blocks that should be under way."""

    def restart(self) -> bool:
        """Go on after workers were lost; False if that is for somebody else to do."""

    def close(self, *, abort: bool) -> None:
        """The end; ``abort`` with blocks under way, which nobody waits for."""


def compute(stage: Stage, problems: Sequence[Problem], threads: int) -> Computed:
    """What a worker does; found by name in other processes, and so at the top of a module."""
    return stage.compute(problems, threads)


def engine_maker(
    engine: Any, threads: int | None, memory_limit: float | None
) -> Callable[[int], Engine]:
    """What makes the engine that a user asks for, given the number of blocks it will get."""
    if threads is not None and integer(threads, "threads") < 1:
        refuse("threads", "at least 1", threads)
    here = isinstance(engine, str) and engine == "threads"  # arrays compare entry by entry
    if memory_limit is not None and not here:
        refuse(
            "memory_limit",
            "left out but with engine 'threads': workers are elsewhere",
            memory_limit,
        )
    if isinstance(engine, Executor):
        return lambda _: Lent(engine, threads or 1)
    if _is_client(engine):
        return lambda _: Dask(engine, threads or 1, own=())
    local = threads or _core.config()["threads"]
    named: dict[str, Callable[[int], Engine]] = {
        "threads": lambda blocks: Threads(local, memory_limit, blocks),
        "processes": lambda blocks: Processes(min(local, blocks)),
        "dask": lambda _: _local_cluster(local),
    }
    if isinstance(engine, str) and "://" in engine:
        return lambda _: _at_address(engine, threads or 1)
    if not isinstance(engine, str) or engine not in named:
        refuse("engine", FORMS, engine)
    if engine == "dask":
        optional("distributed", "dask")
    return named[engine]


class Threads:
    """Threads of this process: the core computes without holding the interpreter."""

    def __init__(self, threads: int, memory_limit: float | None, blocks: int) -> None:
        at_once = max(1, min(threads, blocks))
        self.window = AHEAD * at_once
        self._each = max(1, threads // at_once)
        self._memory = None if memory_limit is None else memory_limit / at_once
        self._stop = threading.Event()
        self._executor = ThreadPoolExecutor(at_once, "lindmft-sweep")

    def submit(self, stage: Stage, problems: Sequence[Problem]) -> "Future[Computed]":
        """Have a block computed."""
        return self._executor.submit(stage.compute, problems, self._each, self._memory, self._beat)

    def restart(self) -> bool:
        """Threads are not lost."""
        return False

    def close(self, *, abort: bool) -> None:
        """An abort ends what is under way at its next step."""
        if abort:
            self._stop.set()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _beat(self, _done: int, _total: int) -> None:
        if self._stop.is_set():
            raise Stopped


class Processes:
    """Processes of this machine, of one thread each."""

    def __init__(self, count: int) -> None:
        self._count = max(1, count)
        self.window = AHEAD * self._count
        self._executor = self._start()

    def submit(self, stage: Stage, problems: Sequence[Problem]) -> "Future[Computed]":
        """Have a block computed."""
        return self._executor.submit(compute, stage, problems, 1)

    def restart(self) -> bool:
        """The whole pool, if it is broken: it breaks when one of its processes dies."""
        try:
            self._executor.submit(int)
        except BrokenExecutor:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = self._start()
        return True

    def close(self, *, abort: bool) -> None:
        """An abort ends the processes."""
        workers = list((getattr(self._executor, "_processes", None) or {}).values())
        self._executor.shutdown(wait=not abort, cancel_futures=True)
        if abort:
            for worker in workers:
                worker.terminate()

    def _start(self) -> ProcessPoolExecutor:
        # A fork of a process whose threads compute would hang in the child.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, context, initializer=_prepare_worker)


def _prepare_worker() -> None:
    """Ctrl-C is the parent's to handle; a worker ends when the parent does, however that died."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Lent:
    """An executor of the user's, who knows how many tasks it runs at once."""

    window = 64

    def __init__(self, executor: Executor, threads: int) -> None:
        self._executor, self._threads = executor, threads

    def submit(self, stage: Stage, problems: Sequence[Problem]) -> "Future[Computed]":
        """Have a block computed."""
        return self._executor.submit(compute, stage, problems, self._threads)

    def restart(self) -> bool:
        """It is not ours to start."""
        return False

    def close(self, *, abort: bool) -> None:
        """Nor to end; the loop cancels what has not begun."""


class Dask:
    """A Dask cluster, whose scheduler gives the blocks of lost workers to others."""

    def __init__(self, client: Any, threads: int, own: Sequence[Any]) -> None:
        self._client, self._threads, self._own = client, threads, own
        self._executor = client.get_executor(pure=False)

    @property
    def window(self) -> int:
        """Clusters grow and shrink."""
        return 2 * AHEAD * max(1, sum(map(int, self._client.nthreads().values())))

    def submit(self, stage: Stage, problems: Sequence[Problem]) -> "Future[Computed]":
        """Have a block computed."""
        future: Future[Computed] = self._executor.submit(compute, stage, problems, self._threads)
        return future

    def restart(self) -> bool:
        """The scheduler did what could be done: a block of its own may still be tried again."""
        return bool(self._client.status == "running")

    def close(self, *, abort: bool) -> None:
        """Leave the user's client open."""
        self._executor.shutdown(wait=not abort)
        for opened in self._own:
            opened.close()


def _at_address(address: str, threads: int) -> Dask:
    client = optional("distributed", "dask").Client(address)
    return Dask(client, threads, own=(client,))


def _local_cluster(workers: int) -> Dask:
    distributed = optional("distributed", "dask")
    with optional("dask", "dask").config.set({f"{WORKERS_SETTINGS}.{LARGE[0]}": LARGE[1]}):
        cluster = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0"
        )
    client = distributed.Client(cluster)
    return Dask(client, 1, own=(client, cluster))


def _is_client(engine: Any) -> bool:
    """Whether it is a distributed Client, without importing the package to ask."""
    return any(
        f"{cls.__module__}.{cls.__name__}" == "distributed.client.Client"
        for cls in type(engine).__mro__
    )
