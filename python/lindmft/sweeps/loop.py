"""The loop of a sweep: hand out blocks that are not finished, keep what comes back, say how far."""

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
"""For a block whose worker is lost."""
PATIENCE = 0.2
"""Seconds until the engine is asked again how many blocks it wants."""


class Item(NamedTuple):
    """A block of a stage."""

    stage: str
    block: tuple[int, ...]


@dataclass
class Tally:
    """How far a sweep is, in points (a point that is solved and trained counts twice)."""

    total: int
    found: int = 0
    computed: int = 0
    report: Callback | None = None
    sizes: dict[Item, int] = field(default_factory=dict)

    def find(self, item: Item) -> None:
        """Somebody computed it before."""
        self.found += self.sizes[item]
        self._tell()

    def add(self, item: Item) -> None:
        """It was computed now."""
        self.computed += self.sizes[item]
        self._tell()

    def _tell(self) -> None:
        if self.report is not None:
            self.report(self.found + self.computed, self.total)


def unfinished(store: Store, report: Callback | None, *, retry: bool) -> tuple[list[Item], Tally]:
    """What is to do, in an order of this process's own, and what was found done.

    Processes that work on one store seldom meet in random orders.
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
            else:
                items.append(item)
    random.Random().shuffle(items)
    return items, tally


class Loop:
    """Blocks under way, and those that wait."""

    def __init__(self, store: Store, engine: Engine, items: list[Item], tally: Tally) -> None:
        self.store, self.engine, self.tally = store, engine, tally
        self.waiting = deque(items)
        self.running: dict[Future[Computed], Item] = {}
        self.attempts: Counter[Item] = Counter()
        self.claimed: set[Item] = set()

    def run(self) -> None:
        """Until nothing is left; what is finished is kept even where an error ends it."""
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
                if not self.store.claim(*item):  # another one may be at it: it comes last
                    self.waiting.append(item)
                    continue
            future = self._submit(item)
            self.running[future] = item
            if future.done() and not future.cancelled() and future.exception() is not None:
                return

    def _submit(self, item: Item) -> "Future[Computed]":
        """A pool that broke since anybody looked takes nothing: then the block is lost at once."""
        problems = self.store.plan.of_block(*item)
        try:
            return self.engine.submit(self.store.plan.stage(item.stage), problems)
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
        self.tally.add(item)

    def _try_again(self, lost: list[tuple[Item, BaseException]]) -> None:
        """A worker that dies takes its block with it, in a pool of processes all of them."""
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
            f"({type(error).__name__}: {error}); with a store, the same call goes on with what is "
            "missing"
        )

    @signals_deferred()
    def _keep_finished(self) -> None:
        """On the way out: what came back meanwhile; nobody is told, who may have ended it."""
        self.tally.report = None
        begun = [(future, item) for future, item in self.running.items() if not future.cancel()]
        for future, item in begun:
            if future.done() and future.exception() is None:
                self._keep(item, future.result())


def carry_out(store: Store, engine: Engine, items: list[Item], tally: Tally) -> None:
    """Compute what is to do."""
    loop, abort = Loop(store, engine, items, tally), True
    try:
        loop.run()
        abort = False
    finally:
        engine.close(abort=abort)


def outcome(tally: Tally, seconds: float) -> dict[str, Any]:
    """For the attributes of the dataset."""
    return {
        "points_found": tally.found,
        "points_computed": tally.computed,
        "seconds": seconds,
    }
