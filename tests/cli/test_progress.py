"""Bars of long calls: their length is the work, and the time left is estimated by it."""

import io
import re
import sys
import time
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft import progress
from lindmft._internal.cost import Cost, Meter

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))


def test_half_the_steps_are_much_less_than_half_the_work() -> None:
    cost = Cost(2.5)
    assert cost.done(0.0) == 0.0
    assert cost.done(0.5) == pytest.approx(2**-2.5)
    assert cost.done(1.0) == 1.0
    assert Cost().done(0.3) == pytest.approx(0.3)


@pytest.mark.parametrize("parts", [0.5, 1.0, 1.5, 3.0, 7.25])
@pytest.mark.parametrize("after", [0.0, 0.4])
def test_the_work_grows_with_the_steps_to_all_of_it(parts: float, after: float) -> None:
    work = [Cost(2.5, parts, after).done(share) for share in np.linspace(0, 1, 200)]
    assert work[0] == 0.0
    assert (np.diff(work) >= 0).all()
    assert work[-1] == pytest.approx(1 - after)


def test_computations_one_after_the_other_have_equal_parts() -> None:
    cost = Cost(2.5, parts=4)
    assert [cost.done(share) for share in (0.25, 0.5, 0.75)] == pytest.approx([0.25, 0.5, 0.75])
    assert cost.done(0.375) == pytest.approx((1 + 2**-2.5) / 4)


def test_what_an_earlier_call_has_done_counts_as_the_start() -> None:
    meter = Meter(Cost(2.0))
    assert meter.work(50, 100) == pytest.approx(0.25)
    assert meter.start == pytest.approx(0.25)
    assert meter.work(100, 100) == 1.0
    assert meter.start == pytest.approx(0.25)


def test_a_second_pass_goes_on_and_nothing_goes_back() -> None:
    meter = Meter(Cost(2.0, after=0.4))
    seen = [meter.work(done, 100) for done in (10, 60, 100, 5, 50, 100)]
    assert seen == sorted(seen)
    assert seen[2] == pytest.approx(0.6)
    assert seen[4] == pytest.approx(0.7)
    assert seen[5] == pytest.approx(1.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def bar_of(call: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a terminal sees, with the delay of a bar passed."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with call as callback:
        time.sleep(0.35)
        callback(500, 1000)
        return str(sys.stderr.getvalue())  # type: ignore[attr-defined]


def test_the_bar_shows_work_and_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    text = bar_of(progress.reporting_work(True, "solve", Cost(2.5)), monkeypatch)
    assert "solve:  18%" in text
    assert "500/1000 steps" in text
    assert re.search(r"\[\d\d:\d\d<", text)


def test_coarse_grids_show_their_share_of_log_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = Cost(1.5, counted=False)
    text = bar_of(progress.reporting_work(True, "flow", cost), monkeypatch)
    assert "flow:  35%" in text
    assert "50% of log time" in text


def test_callables_get_steps() -> None:
    seen: list[tuple[int, int]] = []
    lm.solve(PROBLEM, 20, progress=lambda *report: seen.append(report))
    assert seen[-1] == (20, 20)
