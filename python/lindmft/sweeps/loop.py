"""The loop of a sweep: submit blocks that are not finished, store the results, report progress."""

import random
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lindmft._internal.signals import signals_deferred
from lindmft._internal.types import Callback
from lindmft.sweeps.engines import Engine
from lindmft.sweeps.stages import Computed
from lindmft.sweeps.store import Store

ATTEMPTS = 3
"""Number of times a block is submitted before a lost worker ends the sweep."""
PATIENCE = 0.2
"""Seconds after which the engine is asked again how many blocks it takes."""


class Item(NamedTuple):
    """A block of a stage."""

    stage: str
    block: tuple[int, ...]


@dataclass
class Tally:
    """Progress of a sweep in points; a point that is solved and trained counts twice."""

    total: int
    found: int = 0
    computed: int = 0
    reused: int = 0
    report: Callback | None = None
    sizes: dict[Item, int] = field(default_factory=dict)

    def find(self, item: Item) -> None:
        """Count a block that the store already has."""
        self.found += self.sizes[item]
        self._tell()

    def add(self, item: Item, reused: int) -> None:
        """Count a block that was computed now, all or in part."""
        self.reused += reused
        self.computed += self.sizes[item] - reused
        self._tell()

    def _tell(self) -> None:
        if self.report is not None:
            self.report(self.found + self.computed + self.reused, self.total)


def unfinished(store: Store, report: Callback | None, *, retry: bool) -> tuple[list[Item], Tally]:
    """Return the blocks to compute, in random order, and the count of those that are done.

    Several processes may work on one store. In random orders they seldom choose the same block.
    """
    total = len(store.plan.problems) * len(store.plan.stages)
    items, tally = [], Tally(total, report=report)
    for stage in store.plan.stages:
        if retry:
            store.forget_failed(stage.name)
        finished = store.all_finished(stage.name)
        for block in store.plan.blocks(stage.name):
            item = Item(stage.name, block)
            tally.sizes[item] = store.plan.size(*item)
            if finished[block]:
                tally.find(item)
            elif (copied := store.copied(*item)) is not None:
                store.write(*item, copied)
                tally.add(item, copied.reused)
            else:
                items.append(item)
    random.Random().shuffle(items)
    return items, tally


class Loop:
    """The blocks that are being computed, and those that wait."""

    def __init__(self, store: Store, engine: Engine, items: list[Item], tally: Tally) -> None:
        self.store, self.engine, self.tally = store, engine, tally
        self.waiting = deque(items)
        self.running: dict[Future[Computed], Item] = {}
        self.attempts: Counter[Item] = Counter()
        self.claimed: set[Item] = set()

    def run(self) -> None:
        """Compute all blocks; if an error ends the loop, finished blocks are still stored."""
        try:
            while self.waiting or self.running:
                self._hand_out()
                wait(self.running, PATIENCE, FIRST_COMPLETED)
                self._collect()
        except BaseException:
            self._keep_finished()
            raise

    def _hand_out(self) -> None:
        window = self.engine.window
        while self.waiting and len(self.running) < window:
            item = self.waiting.popleft()
            if self.store.finished(*item):  # by another process
                self.tally.find(item)
                continue
            if item not in self.claimed:
                self.claimed.add(item)
                if not self.store.claim(*item):  # another process may compute it now
                    self.waiting.append(item)
                    continue
            future = self._submit(item)
            self.running[future] = item
            if future.done() and not future.cancelled() and future.exception() is not None:
                return

    def _submit(self, item: Item) -> "Future[Computed]":
        """Submit a block; a broken pool refuses it, and the block then counts as lost."""
        problems = self.store.plan.of_block(*item)
        try:
            return self.engine.submit(self.store.work(*item), problems)
        except BrokenExecutor as error:
            lost: Future[Computed] = Future()
            lost.set_exception(error)
            return lost

    @signals_deferred()
    def _collect(self) -> None:
        lost: list[tuple[Item, BaseException]] = []
        for future in [future for future in self.running if future.done()]:
            item = self.running.pop(future)
            try:
                computed = future.result()
            except (Exception, CancelledError) as error:
                lost.append((item, error))
            else:
                self._keep(item, computed)
        if lost:
            self._try_again(lost)

    def _keep(self, item: Item, computed: Computed) -> None:
        self.store.write(*item, computed)
        self.tally.add(item, computed.reused)

    def _try_again(self, lost: list[tuple[Item, BaseException]]) -> None:
        """Submit lost blocks again. A worker that dies loses its block; a pool loses all blocks."""
        for item, error in lost:
            self.attempts[item] += 1
            if self.attempts[item] >= ATTEMPTS:
                raise self._failure(item, error) from error
        if not self.engine.restart():
            raise self._failure(*lost[0]) from lost[0][1]
        self.waiting.extendleft(item for item, _ in lost)

    def _failure(self, item: Item, error: BaseException) -> RuntimeError:
        region = self.store.plan.region(*item)
        first = self.store.plan.label(tuple(part.start for part in region))
        return RuntimeError(
            f"the block of {self.tally.sizes[item]} points from {first} was not computed "
            f"({type(error).__name__}: {error}); with a store, the same call continues with "
            "what is missing"
        )

    @signals_deferred()
    def _keep_finished(self) -> None:
        """Store what finished meanwhile, without reports: their callback may have ended it."""
        self.tally.report = None
        begun = [(future, item) for future, item in self.running.items() if not future.cancel()]
        for future, item in begun:
            if future.done() and future.exception() is None:
                self._keep(item, future.result())


def carry_out(store: Store, engine: Engine, items: list[Item], tally: Tally) -> None:
    """Compute these blocks, and release the engine."""
    loop, abort = Loop(store, engine, items, tally), True
    try:
        loop.run()
        abort = False
    finally:
        engine.close(abort=abort)


def outcome(tally: Tally, seconds: float) -> dict[str, Any]:
    """Return the counts and the time for the attributes of the dataset."""
    return {
        "points_found": tally.found,
        "points_reused": tally.reused,
        "points_computed": tally.computed,
        "seconds": seconds,
    }
