"""Extreme calls: problems at the limits of the allowed values, and options of any kind."""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from fuzzing import changed, examples, odd, odd_numbers, outcome, tables
from hypothesis import given
from hypothesis import strategies as st

import lindmft as lm

# Widths at the limits of what is allowed look like numbers of units.
pytestmark = pytest.mark.filterwarnings("ignore::lindmft.SizeWarning")
ROOM = 2e8
"""Memory limit of a call, in bytes."""
BASE = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
edge_problems = changed(tables(), odd_numbers) | tables()
flags = st.booleans() | odd


def options(**strategies: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these options, and sometimes an arbitrary value for one of them."""
    return st.fixed_dictionaries({}, optional={name: s | odd for name, s in strategies.items()})


theory_options = options(
    rtol=st.just(1e-3),
    atol=st.just(1e-8),
    save=st.sampled_from(["all", "C_v", "C_h"]),
    replicas=st.booleans(),
    spectrum_at=st.sampled_from([0, [0, 2], [0.5], []]),
    lanczos=st.integers(2, 5),
    depth_nodes=st.integers(2, 8),
    keep_state=st.booleans(),
    threads=st.just(1),
    memory_limit=st.just(ROOM),
)
train_options = options(
    seeds=st.integers(1, 3) | st.just([5, 2**64 - 1]),
    seed=st.integers(0, 2**64),
    threads=st.just(1),
    memory_limit=st.just(ROOM),
    dtype=st.sampled_from(["float32", "float64", np.float32]),
)


def small(value: Any, most: float) -> Any:
    """The value, or a small number instead of one that would only take long."""
    large = isinstance(value, int | float) and not isinstance(value, bool) and most < value < 2**31
    return 7 if large else value


@examples(80)
@given(edge_problems, st.integers(1, 8), st.booleans(), st.booleans())
def test_solve_at_the_edge(problem: Any, steps: int, replicas: bool, kernels: bool) -> None:
    chosen: dict[str, Any] = {"replicas": replicas, "kernels": kernels, "modes": not replicas}
    outcome(lambda: lm.solve(problem, steps, save="all", memory_limit=ROOM, **chosen))


@examples(80)
@given(tables(), st.integers(1, 8) | odd, st.sampled_from(["exact", "adaptive"]), theory_options)
def test_solve_with_any_options(problem: Any, steps: Any, grid: str, chosen: Any) -> None:
    few = small(steps, 400)
    outcome(lambda: lm.solve(problem, few, grid=grid, **chosen))
    outcome(lambda: lm.solve_many([problem], few, grid=grid, **chosen))


@examples(25)
@given(edge_problems, st.floats(1e-6, 1e6))
def test_flow_at_the_edge(problem: Any, time: float) -> None:
    outcome(lambda: lm.flow(problem, time, rtol=1e-2, modes=True, memory_limit=ROOM))


@examples(60)
@given(odd, theory_options)
def test_flow_with_any_options(time: Any, chosen: Any) -> None:
    large = isinstance(time, int | float | np.number) and time > 1e8
    outcome(lambda: lm.flow(BASE, 10.0 if large else time, **chosen))
    outcome(lambda: lm.flow_many([BASE], 1.0, **chosen))


@examples(80)
@given(edge_problems, st.integers(1, 6), st.integers(1, 12), st.booleans(), st.booleans())
def test_train_at_the_edge(problem: Any, steps: int, dim: int, kernels: bool, single: bool) -> None:
    chosen: dict[str, Any] = {"dim": dim, "seeds": 2, "memory_limit": ROOM}
    chosen["dtype"] = "float32" if single else "float64"
    outcome(lambda: lm.train(problem, steps, kernels=kernels, updates=True, modes=True, **chosen))
    outcome(lambda: lm.train_many([problem, BASE], steps, **chosen))
    outcome(lambda: lm.train_replicas(problem, steps, **chosen))


@examples(80)
@given(tables(), odd | st.integers(1, 6), odd | st.integers(1, 12), train_options, flags, odd)
def test_train_with_any_options(
    problem: Any, steps: Any, dim: Any, chosen: Any, flag: Any, other: Any
) -> None:
    few, size = small(steps, 50), small(dim, 50)
    chosen = {"memory_limit": ROOM, "threads": 1} | chosen
    outcome(lambda: lm.train(problem, few, dim=size, kernels=flag, updates=flag, **chosen))
    outcome(lambda: lm.train(problem, few, dim=size, spectrum_at=other, **chosen))
    outcome(lambda: lm.train(problem, few, dim=size, noise_draw=other, **chosen))
    outcome(lambda: lm.train_many([problem], few, dim=size, noise_draw=other, **chosen))
    outcome(lambda: lm.train_replicas(problem, few, dim=size, k_init=other, **chosen))


@pytest.mark.parametrize("train", [lm.train, lm.train_replicas])
def test_more_networks_than_fit_into_a_list_are_refused(train: Any) -> None:
    with pytest.raises(ValueError, match="seeds must be from 1 to 1000000 networks"):
        train(BASE, 3, seeds=2**31 - 1)


@pytest.mark.parametrize("value", [b"ab", np.array(2.5)], ids=["bytes", "scalar"])
def test_what_is_no_list_is_refused_by_name(value: Any) -> None:
    """Bytes, which are sequences of numbers, and arrays without dimensions are refused."""
    with pytest.raises(ValueError, match="seeds must be a whole number"):
        lm.train(BASE, 3, seeds=value)
    with pytest.raises(ValueError, match="noise_draw must be a whole number"):
        lm.train_many([BASE], 3, noise_draw=value)


@pytest.mark.parametrize("part", ["panels", "train_loss", "term_data", "state", "stats", "time"])
def test_starts_with_parts_of_another_kind_are_refused_by_name(part: str) -> None:
    """Series that are too short are refused: the compiled module would read beyond their ends."""
    start = STARTS["adaptive"]
    value = np.array([0, 50]) if part == "panels" else getattr(start, part)
    short = value[:-1] if isinstance(value, np.ndarray) and part != "panels" else value
    bad = {"state": {"x": 1}, "stats": None}.get(part, short)
    with pytest.raises(ValueError, match=rf"continue_from\.({part}|term_|test_loss)"):
        lm.solve(BASE, 9, grid="adaptive", continue_from=replace(start, **{part: bad}))


def test_scalar_arrays_and_infinite_times_are_refused_by_name() -> None:
    """Scalar arrays cannot be iterated, and inf - inf is a warning; both were missed once."""
    scalar = np.array(0.5)
    with pytest.raises(ValueError, match="save must be names of two-time functions"):
        lm.solve(BASE, 3, save=scalar)
    with pytest.raises(ValueError, match="problems must be a list of problems"):
        lm.solve_many(scalar, 3)
    with pytest.raises(ValueError, match="seed must be a whole number from 0"):
        lm.train(BASE, 3, seeds=[1, 2], seed=np.array([]))
    for argument in ("run", "observables"):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            lm.sweep(BASE, {"optimizer.lr": [0.1]}, 3, **{argument: scalar})
    with pytest.raises(ValueError, match="times must be increasing"):
        STARTS["exact"].at([math.inf, math.inf])


STARTS = {
    grid: lm.solve(BASE, 6, grid=grid, rtol=None if grid == "exact" else 1e-3, keep_state=True)
    for grid in ("exact", "adaptive")
}


@examples(100)
@given(st.sampled_from(["exact", "adaptive"]), st.data())
def test_continuing_from_anything(grid: str, data: st.DataObject) -> None:
    """Solutions with a field of another type or shape, or with other numbers."""
    start = STARTS[grid]
    name = data.draw(st.sampled_from([field.name for field in fields(start)]))
    value = getattr(start, name)
    others: st.SearchStrategy[Any] = odd
    if isinstance(value, np.ndarray) and value.size:
        cut = st.sampled_from([value[..., :-1], value[:0], value[None], value * math.nan, -value])
        others = cut | odd
    changed_start = replace(start, **{name: data.draw(others)})
    outcome(lambda: lm.solve(BASE, 9, grid=grid, continue_from=changed_start))
    outcome(lambda: lm.solve(BASE, 9, grid=grid, continue_from=data.draw(odd)), "continue_from")


@examples(60)
@given(st.sampled_from(["exact", "adaptive"]), odd | st.lists(odd_numbers, max_size=3), odd, odd)
def test_reading_off_a_solution(grid: str, times: Any, first: Any, second: Any) -> None:
    outcome(lambda: STARTS[grid].at(times), "times")
    outcome(lambda: STARTS[grid].profile(first, second), "profile")
    outcome(lambda: PAIRS.ensemble_loss(first, second), "k_init", "k_data")


PAIRS = lm.solve(BASE, 5, replicas=True)
