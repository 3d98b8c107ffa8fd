"""Bars of long calls: their length is the work, from which the remaining time is estimated."""

import io
import re
import sys
import time
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft import progress
from lindmft._internal.cost import Cost, Forecast, Meter, duration
from lindmft._internal.wording import wording
from lindmft.theory.advice import ADVICE
from lindmft.theory.run import checked_run

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


def bar_of(call: Any, monkeypatch: pytest.MonkeyPatch, *reports: int) -> str:
    """Return the text on a terminal after the delay of a bar."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with call as callback:
        time.sleep(0.35)
        reports = reports or (500,)
        for done in reports:
            callback(done, 1000)
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


def test_a_long_exact_solve_says_once_how_long_and_what_is_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lindmft._internal.cost.EARLIEST", 0.0)
    monkeypatch.setattr("lindmft._internal.cost.LONG", 0.1)

    def said(advice: str) -> str:
        call = progress.reporting_work(True, "solve", Cost(2.5, advice=advice))
        return bar_of(call, monkeypatch, 10, 500, 600)

    assert said(ADVICE).count(f" s left; {ADVICE}") == 1
    assert "left;" not in said("")
    with wording(lambda message: message.replace('grid="adaptive"', "--grid adaptive")):
        assert "left; --grid adaptive solves as many steps" in said(ADVICE)


def test_the_forecast_is_said_once_and_only_for_long_computations() -> None:
    forecast = Forecast("use the other one")
    assert forecast.line(0.0, 0.01, 1.0) == "", "too early"
    assert forecast.line(0.0, 0.5, 30.0) == "", "half a minute is not long"
    assert forecast.line(0.25, 0.25, 30.0) == "", "nothing was done yet"
    assert forecast.line(0.25, 0.3, 60.0) == "about 14 min left; use the other one"
    assert forecast.line(0.25, 0.31, 65.0) == ""
    assert Forecast("").line(0.0, 0.01, 60.0) == ""
    assert [duration(s) for s in (70.0, 130.0, 7300.0, 5e5)] == ["70 s", "2 min", "2 h", "6 days"]


@pytest.mark.parametrize(
    ("changes", "grid", "steps", "options", "advised"),
    [
        ({}, "exact", 5000, {}, True),
        ({}, "exact", 500, {}, False),
        ({}, "adaptive", 5000, {}, False),
        ({}, "exact", 5000, {"kernels": True}, False),
        ({"data": lm.OnePass(alpha=0.5)}, "exact", 5000, {}, True),
        ({"data": lm.Epochs(alpha=2.0, batches=4)}, "exact", 5000, {}, False),
        ({"data": lm.Population()}, "exact", 5000, {}, True),
    ],
)
def test_the_adaptive_grid_is_advised_where_it_helps(
    changes: dict[str, Any], grid: str, steps: int, options: dict[str, Any], advised: bool
) -> None:
    names = ("rtol", "atol", "depth_nodes", "threads", "memory_limit", "keep_state")
    given = {"save": (), "replicas": False, "kernels": False, **dict.fromkeys(names)} | options
    run = checked_run(PROBLEM.replace(**changes), grid, steps, given)
    assert (run.cost().advice == ADVICE) is advised


def test_callables_get_steps() -> None:
    seen: list[tuple[int, int]] = []
    lm.solve(PROBLEM, 20, progress=lambda *report: seen.append(report))
    assert seen[-1] == (20, 20)
