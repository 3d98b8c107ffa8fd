"""Refusals are values: the parts of a ``BadInput`` say what its text says, and survive pickling."""

import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import lindmft as lm
from lindmft import _core

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
INFINITE = PROBLEM.replace(network__width=math.inf)

REFUSED: dict[str, tuple[Callable[[], Any], tuple[str, str, str, int | None]]] = {
    "of C++": (lambda: lm.solve(PROBLEM, 0), ("steps", "at least 1", "0", None)),
    "of Python": (
        lambda: lm.solve(PROBLEM, 2.5),  # type: ignore[arg-type]
        ("steps", "a whole number", "2.5", None),
    ),
    "of a choice": (
        lambda: lm.solve(PROBLEM, 3, grid="exakt"),
        ("grid", "'exact' or 'adaptive'", "'exakt'", None),
    ),
    "of an option": (
        lambda: lm.solve(PROBLEM, 3, grid="adaptive", rtol=1.0),
        ("rtol", "between 1e-11 and 0.1", "1.0", None),
    ),
    "of a problem": (
        lambda: lm.MLP(width=[1.0, -2.0], depth=2),
        ("network.width[1]", "positive (inf is allowed)", "-2", None),
    ),
    "of one of several": (
        lambda: lm.train_many([PROBLEM, INFINITE], 3),
        ("network.width", "finite to train networks", "inf", 1),
    ),
    "of an entry of a list": (
        lambda: lm.solve_many([PROBLEM, PROBLEM, 7], 3),  # type: ignore[list-item]
        ("problem", "a dictionary of the tables", "7", 2),
    ),
    "conflict": (
        lambda: lm.solve(PROBLEM, 3, keep_state=True, replicas=True),
        ("keep_state", "", "", None),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_parts_of_a_refusal_are_attributes(name: str) -> None:
    call, (field, allowed, got, index) = REFUSED[name]
    with pytest.raises(lm.BadInput) as caught:
        call()
    error = caught.value
    assert (error.field, error.got, error.index) == (field, got, index)
    assert error.allowed.startswith(allowed)
    assert str(error) == ("" if index is None else f"problems[{index}]: ") + error.reason
    assert error.reason.startswith(field)
    assert isinstance(error, ValueError)


def test_refusals_can_be_pickled() -> None:
    with pytest.raises(lm.BadInput) as caught:
        lm.train_many([PROBLEM, INFINITE], 3)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is lm.BadInput
    assert (str(again), vars(again)) == (str(caught.value), vars(caught.value))


def test_counted_widths_are_named_as_they_were_given() -> None:
    with pytest.raises(lm.BadInput, match=r"^network\.hidden must be") as caught:
        lm.MLP(hidden=-3)
    assert caught.value.field == "network.hidden"


CHECKED: list[tuple[Callable[..., Any], Callable[..., Any], Any, dict[str, Any]]] = [
    (lm.check_solve, lm.solve, 3, {"grid": "adaptive", "kernels": True}),
    (lm.check_solve, lm.solve, 0, {}),
    (lm.check_solve, lm.solve, 3, {"save": "C_x"}),
    (lm.check_solve, lm.solve, 3, {"threads": 10**4}),
    (lm.check_flow, lm.flow, -1.0, {}),
    (lm.check_flow, lm.flow, 1.0, {"rtol": 1.0}),
    (lm.check_train, lm.train, 3, {"dim": 0}),
    (lm.check_train, lm.train, 3, {"threads": -1}),
    (lm.check_train, lm.train_replicas, 3, {"k_data": 0}),
]


@pytest.mark.parametrize(("check", "call", "end", "options"), CHECKED)
def test_checks_refuse_what_calls_refuse(
    check: Callable[..., Any], call: Callable[..., Any], end: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(lm.BadInput) as checked:
        check(PROBLEM, end, **options)
    with pytest.raises(lm.BadInput) as called:
        call(PROBLEM, end, **options)
    assert vars(checked.value) == vars(called.value)


def test_checks_compute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("solve", "solve_many", "flow", "flow_many", "train", "train_many"):
        monkeypatch.setattr(_core, name, None)
    lm.check_solve(PROBLEM, 10**6)  # of any memory
    lm.check_flow([PROBLEM, PROBLEM], 1e9)
    lm.check_train([PROBLEM, PROBLEM], 5, dim=8)
    lm.check_train(PROBLEM, 5, dim=8, k_init=3)


def test_unknown_options_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(TypeError, match=r"solve_many\(\) has no option 'rtoll' .*'rtol'"):
        lm.solve_many([PROBLEM], 3, rtoll=1e-3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"sweep\(\) has no option 'save'"):
        lm.sweep(PROBLEM, {"optimizer.lr": [0.1]}, 3, save="C_h")


def test_a_bad_option_of_the_compiled_module_is_a_mistake_of_the_package() -> None:
    for make in (_core.SolveOptions, _core.TrainOptions):
        with pytest.raises(TypeError, match="not in the table"):
            make(nonsense=1)
        with pytest.raises(TypeError, match="threads has a value of the wrong type"):
            make(threads="many")
