"""The theory against numbers of an independent implementation (tests/data/cases.json)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lindmft as lm

CASES = json.loads((Path(__file__).parents[1] / "data" / "cases.json").read_text())
PERCEPTRONS = [case for case in CASES if case["problem"]["network"]["kind"] == "mlp"]


@pytest.fixture(params=PERCEPTRONS, ids=lambda case: case["name"].replace(" ", "-"))
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    chosen: dict[str, Any] = request.param
    return chosen


def test_there_are_perceptrons_to_compare() -> None:
    assert len(PERCEPTRONS) == 12


def test_agrees_with_the_reference(case: dict[str, Any]) -> None:
    solution = lm.solve(case["problem"], case["steps"])
    np.testing.assert_allclose(solution.test_loss, case["test_loss"], rtol=1e-9)
    np.testing.assert_allclose(solution.train_loss, case["train_loss"], rtol=1e-9)
    # The file holds one layer of each: gradient norm of the first, feature norm of the last.
    np.testing.assert_allclose(solution.gradient_norm[0], case["gradient_norm"], rtol=1e-9)
    # Its last feature norm is left out. The iteration that made it stopped when the losses had
    # converged, which do not depend on it; one entry is even negative (see the next test).
    np.testing.assert_allclose(solution.feature_norm[-1, :-1], case["feature_norm"][:-1], rtol=1e-9)


def test_the_last_entry_does_not_depend_on_where_the_solution_ends(case: dict[str, Any]) -> None:
    problem, steps = case["problem"], case["steps"]
    if isinstance(problem["optimizer"]["lr"], list):
        steps -= 1
    short, long = lm.solve(problem, steps - 1), lm.solve(problem, steps)
    np.testing.assert_allclose(short.feature_norm, long.feature_norm[:, :-1], rtol=1e-9)
    np.testing.assert_allclose(short.test_loss, long.test_loss[:-1], rtol=1e-9)
