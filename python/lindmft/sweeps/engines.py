"""Engines: where the blocks of a sweep are computed, several at a time.

A block is one call of the core. The engine decides how many blocks run at once and on how many
threads each, so that together they never use more threads than there are cores.
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
from lindmft._internal.validation import conflict, integer, refuse
from lindmft.problem.problem import Problem
from lindmft.sweeps.main_guard import (
    exit_if_importing,
    found_unguarded,
    missing_guard,
    require_guard,
)
from lindmft.sweeps.stages import Computed, Work

AHEAD = 2
"""Blocks submitted for each block that can run at once, so that no worker waits for the next."""
WORKERS_SETTINGS = "distributed.nanny.pre-spawn-environ"
LARGE = ("MALLOC_MMAP_THRESHOLD_", 2**25)
"""Environment variable of Dask workers, and its value.

Dask makes their allocator return memory at once, and solves of about 200 steps then take a third
longer. With this threshold the memory is kept, as in any other process.
"""
STARTING = ("processes", "dask")
"""Engines that start processes of this machine."""
FORMS = (
    "'threads', 'processes', 'dask', the address of a Dask scheduler (tcp://host:port), "
    "a dask.distributed Client, or a concurrent.futures Executor"
)


class Stopped(Exception):  # noqa: N818 (as in concurrent.futures, it is no error)
    """The exception that ends a computation which was told to stop."""


class Engine(Protocol):
    """The methods that the loop needs of an engine."""

    def submit(self, work: Work, problems: Sequence[Problem]) -> "Future[Computed]":
        """Start the computation of a block."""

    @property
    def window(self) -> int:
        """Number of blocks that should be submitted at any time."""

    def restart(self) -> bool:
        """Replace lost workers; False if this engine cannot replace them."""

    def close(self, *, abort: bool) -> None:
        """Release the workers; with ``abort``, do not wait for blocks that are being computed."""


def compute(work: Work, problems: Sequence[Problem], threads: int) -> Computed:
    """Compute a block in a worker.

    Other processes find this function by its name, so it is defined at the top level of a module.
    """
    return work.compute(problems, threads)


def engine_maker(
    engine: Any, threads: int | None, memory_limit: float | None
) -> Callable[[int], Engine]:
    """Return the function that makes the chosen engine, given the number of blocks to compute."""
    if threads is not None and integer(threads, "threads") < 1:
        refuse("threads", "at least 1", threads)
    here = isinstance(engine, str) and engine == "threads"  # arrays compare entry by entry
    if memory_limit is not None and not here:
        shown = engine if isinstance(engine, str) else type(engine).__name__
        conflict(
            "memory_limit",
            f"engine {shown!r}",
            "the limit holds for this process, and the workers are other processes",
            "Leave memory_limit out, or choose engine 'threads'",
        )
    if isinstance(engine, Executor):
        return lambda _: External(engine, threads or 1)
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
    if engine == "processes":
        exit_if_importing()
    if engine in STARTING:
        require_guard(engine)
    return named[engine]


class Threads:
    """Threads of this process: the core computes outside the interpreter's lock."""

    def __init__(self, threads: int, memory_limit: float | None, blocks: int) -> None:
        at_once = max(1, min(threads, blocks))
        self.window = AHEAD * at_once
        self._each = max(1, threads // at_once)
        self._memory = None if memory_limit is None else memory_limit / at_once
        self._stop = threading.Event()
        self._executor = ThreadPoolExecutor(at_once, "lindmft-sweep")

    def submit(self, work: Work, problems: Sequence[Problem]) -> "Future[Computed]":
        """Start the computation of a block."""
        return self._executor.submit(work.compute, problems, self._each, self._memory, self._beat)

    def restart(self) -> bool:
        """Return False: threads cannot be lost."""
        return False

    def close(self, *, abort: bool) -> None:
        """End the threads; an abort ends running computations at their next step."""
        if abort:
            self._stop.set()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _beat(self, _done: int, _total: int) -> None:
        if self._stop.is_set():
            raise Stopped


class Processes:
    """Processes of this machine, each with one thread."""

    def __init__(self, count: int) -> None:
        self._count = max(1, count)
        self.window = AHEAD * self._count
        self._executor = self._start()

    def submit(self, work: Work, problems: Sequence[Problem]) -> "Future[Computed]":
        """Start the computation of a block."""
        return self._executor.submit(compute, work, problems, 1)

    def restart(self) -> bool:
        """Replace the whole pool if it is broken: it breaks when one of its processes dies."""
        try:
            self._executor.submit(int)
        except BrokenExecutor as error:
            if found_unguarded(self._workers()):
                raise missing_guard("processes") from error
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = self._start()
        return True

    def close(self, *, abort: bool) -> None:
        """End the pool; an abort ends its processes without waiting for their blocks."""
        workers = self._workers()
        self._executor.shutdown(wait=not abort, cancel_futures=True)
        if abort:
            for worker in workers:
                worker.terminate()

    def _workers(self) -> list[Any]:
        return list((getattr(self._executor, "_processes", None) or {}).values())

    def _start(self) -> ProcessPoolExecutor:
        # A fork of a process whose threads compute would hang in the child.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, context, initializer=_prepare_worker)


def _prepare_worker() -> None:
    """Leave Ctrl-C to the parent, and end this worker when the parent ends for any reason."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class External:
    """An executor that the user started and will shut down."""

    window = 64

    def __init__(self, executor: Executor, threads: int) -> None:
        self._executor, self._threads = executor, threads

    def submit(self, work: Work, problems: Sequence[Problem]) -> "Future[Computed]":
        """Start the computation of a block."""
        return self._executor.submit(compute, work, problems, self._threads)

    def restart(self) -> bool:
        """Return False: only the user can restart this executor."""
        return False

    def close(self, *, abort: bool) -> None:
        """Leave the executor running; the loop cancels the blocks that have not begun."""


class Dask:
    """A Dask cluster, whose scheduler gives the blocks of lost workers to other workers."""

    def __init__(self, client: Any, threads: int, own: Sequence[Any]) -> None:
        self._client, self._threads, self._own = client, threads, own
        self._executor = client.get_executor(pure=False)

    @property
    def window(self) -> int:
        """Number of blocks to submit; it changes as clusters grow and shrink."""
        return 2 * AHEAD * max(1, sum(map(int, self._client.nthreads().values())))

    def submit(self, work: Work, problems: Sequence[Problem]) -> "Future[Computed]":
        """Start the computation of a block."""
        future: Future[Computed] = self._executor.submit(compute, work, problems, self._threads)
        return future

    def restart(self) -> bool:
        """Whether the scheduler still runs, so that a lost block can be submitted again."""
        return bool(self._client.status == "running")

    def close(self, *, abort: bool) -> None:
        """Release the executor, and close the client and the cluster if this engine opened them."""
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
    """Whether this is a ``distributed.Client``, found without importing that package."""
    return any(
        f"{cls.__module__}.{cls.__name__}" == "distributed.client.Client"
        for cls in type(engine).__mro__
    )
