"""Signals that arrive in the middle of a write: the file is complete, no signal is lost."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import lindmft as lm
from lindmft._internal.files import replacing, write_picture
from lindmft._internal.signals import DEFERRED, signals_deferred
from lindmft.cli.group import Commands, Terminated
from lindmft.results import netcdf
from lindmft.sweeps import store

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Let SIGTERM raise as in commands, and restore both handlers afterwards."""

    def end(_number: int, _frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    installed = [signal.getsignal(number) for number in DEFERRED]
    yield
    assert [signal.getsignal(number) for number in DEFERRED] == installed
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_signal_in_the_middle_of_a_write_acts_after_it(
    tmp_path: Path, number: int, kind: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("earlier")

    def write() -> None:
        with replacing(path) as place:
            place.write_text("half")
            signal.raise_signal(number)
            signal.raise_signal(number)  # a second Ctrl-C is deferred, too
            place.write_text("whole")

    with pytest.raises(kind):
        write()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_signal_in_the_middle_of_a_picture(tmp_path: Path) -> None:
    class Figure:
        def savefig(self, place: Path, **_: object) -> None:
            place.write_text("half")
            signal.raise_signal(signal.SIGINT)
            place.write_text("whole")

    figure: Any = Figure()
    with pytest.raises(KeyboardInterrupt):
        write_picture(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_text() == "whole"


def once(number: int) -> Callable[[], None]:
    """Return a function that raises the signal at its first call."""
    left = [number]
    return lambda: signal.raise_signal(left.pop()) if left else None


@pytest.fixture
def interrupting(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let files of results be written through a buffer that gets a signal in its callback."""
    act = once(signal.SIGINT)

    class Buffer(io.BytesIO):
        def write(self, data: Any) -> int:
            act()
            return super().write(data)

    monkeypatch.setattr(netcdf.io, "BytesIO", Buffer)
    return act


def test_a_signal_in_a_callback_of_the_file_library(
    tmp_path: Path, interrupting: Callable[[], None]
) -> None:
    solution = lm.solve(PROBLEM, 20)
    with pytest.raises(KeyboardInterrupt):
        solution.save(tmp_path / "a.nc")
    assert lm.Solution.load(tmp_path / "a.nc").test_loss.tolist() == solution.test_loss.tolist()


def test_a_checkpoint_is_complete_before_the_solve_ends(
    tmp_path: Path, interrupting: Callable[[], None]
) -> None:
    path = tmp_path / "c.nc"
    with pytest.raises(KeyboardInterrupt):
        lm.solve(PROBLEM, 30, checkpoint=path, checkpoint_every=10)
    assert len(lm.Solution.load(path).time) == 10
    resumed = lm.solve(PROBLEM, 30, checkpoint=path, checkpoint_every=10)
    assert resumed.test_loss.tolist() == pytest.approx(
        lm.solve(PROBLEM, 30).test_loss.tolist(), rel=1e-12
    )


def test_a_checkpoint_is_complete_before_the_training_ends(
    tmp_path: Path, interrupting: Callable[[], None]
) -> None:
    path = tmp_path / "c.nc"
    options: dict[str, Any] = {"dim": 16, "seeds": 1, "threads": 1}
    with pytest.raises(KeyboardInterrupt):
        lm.train(PROBLEM, 30, checkpoint=path, checkpoint_every=10, **options)
    with netcdf.reading(path, netcdf.TRAINING) as dataset:
        assert dataset.done.values.tolist() == [10]
    resumed = lm.train(PROBLEM, 30, checkpoint=path, checkpoint_every=10, **options)
    assert (resumed.test_loss == lm.train(PROBLEM, 30, **options).test_loss).all()


def test_a_block_of_a_sweep_is_kept_before_the_sweep_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, write = once(signal.SIGTERM), store.Store._write

    def in_between(self: Any, *arguments: Any) -> None:
        act()
        write(self, *arguments)

    monkeypatch.setattr(store.Store, "_write", in_between)
    with pytest.raises(Terminated):
        lm.sweep(
            *(PROBLEM, {"optimizer.lr": [0.01, 0.02, 0.03]}, 10),
            run="solve",
            store=tmp_path / "a.zarr",
            threads=1,
        )
    states = lm.open_sweep(tmp_path / "a.zarr").theory_status.values
    assert (states > 0).any()


def test_nested_blocks_wait_for_the_outermost() -> None:
    done = []

    def work() -> None:
        with signals_deferred():
            with signals_deferred():
                signal.raise_signal(signal.SIGINT)
                done.append("inner")
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["inner", "outer"]


def test_both_signals_act_and_an_error_of_the_block_is_the_context() -> None:
    def work() -> None:
        with signals_deferred():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            raise OSError("disk full")

    with pytest.raises(Terminated) as caught:
        work()
    chain: list[type[BaseException]] = []
    error: BaseException | None = caught.value
    while error is not None:
        chain.append(type(error))
        error = error.__context__
    assert chain == [Terminated, KeyboardInterrupt, OSError]


def test_other_threads_defer_nothing() -> None:
    seen = []

    def work() -> None:
        with signals_deferred():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with signals_deferred():
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_the_system_does_with_a_signal_comes_after_the_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sent: list[tuple[int, Any]] = []
    try:
        with signals_deferred():
            signal.raise_signal(signal.SIGTERM)
            monkeypatch.setattr(
                signal, "raise_signal", lambda number: sent.append(signal.getsignal(number))
            )
        assert sent == [signal.SIG_DFL]
    finally:
        monkeypatch.undo()
        signal.signal(signal.SIGTERM, before)


def test_a_reader_is_ended_at_once_by_a_signal_that_the_system_handles() -> None:
    """The library never returned from reading some damaged files."""
    code = """
import os, signal, time
from lindmft._internal.signals import signals_deferred
with signals_deferred(reading=True):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(20)
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == -signal.SIGTERM


def ended(work: Callable[[], None]) -> int:
    """Return the exit code of a command that does this work."""

    @click.group(cls=Commands)
    def group() -> None:
        """A group of one command."""

    @group.command("work")
    def command() -> None:
        work()

    with pytest.raises(SystemExit) as caught:
        group(["work"], prog_name="test")
    code = caught.value.code
    assert isinstance(code, int)
    return code


@pytest.fixture
def default_handlers() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


class Finalized:
    """An object that raises a signal when it is deleted, where Python drops exceptions."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


@pytest.mark.usefixtures("default_handlers")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_arrives_in_a_finalizer_ends_a_command(number: int, code: int) -> None:
    hook, slept = sys.unraisablehook, []

    def work() -> None:
        Finalized(number)  # deleted at once
        time.sleep(30)
        slept.append(True)

    assert ended(work) == code
    assert not slept
    assert sys.unraisablehook == hook
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.usefixtures("default_handlers")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_whose_exception_was_caught_is_in_the_exit_code(number: int, code: int) -> None:
    def work() -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(30)
        except BaseException:
            pass

    assert ended(work) == code
