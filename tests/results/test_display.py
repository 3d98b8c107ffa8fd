"""Short texts: ``repr`` of problems and results, and their tables in notebooks."""

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from call_table import CALLS
from public_calls import RESULTS, public

import lindmft as lm
from lindmft._internal.display import html_table, short

BASE = lm.Problem(lm.MLP(2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
MODES = 300
LONG = {
    "schedule": BASE.replace({"optimizer.lr": [0.05] * 2000}),
    "spectrum": BASE.replace(
        data__spectrum=lm.Discrete(np.linspace(0.1, 1, MODES), [1.0] * MODES, [1 / MODES] * MODES)
    ),
    "targets": BASE.replace(data__targets=np.eye(30)),
    "widths": BASE.replace({"network.depth": 40, "network.width": [1.0] * 40}),
}
MOST = 1500
"""Largest number of characters of a short text."""


class Tags(HTMLParser):
    """Checks that tags are closed in order, and keeps the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.texts: list[str] = []
        self.found: set[str] = set()
        self.feed(text)
        self.close()
        assert not self.stack

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.stack.append(tag)
        self.found.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("name", LONG)
def test_problems_with_long_lists_have_short_texts(name: str) -> None:
    problem = LONG[name]
    assert len(repr(problem)) < MOST
    assert re.search(r"\.\.\. \d+ values \.\.\.|<table of \d+ x \d+ values>", repr(problem))
    assert lm.Problem.from_dict(problem.to_dict()) == problem
    assert len(problem._repr_html_()) < 3 * MOST
    for part in (problem.network, problem.data, problem.optimizer):
        assert len(repr(part)) < MOST


@pytest.mark.parametrize(
    "problem",
    [
        BASE,
        BASE.replace({"optimizer.lr": [0.1] * 12, "optimizer.layer_lr": [1, 2, 1]}),
        BASE.replace(data=lm.MultiPass(alpha=2.0, batch_fraction=0.5), network=lm.ResNet(3)),
        BASE.replace(data=lm.OnePass(0.5, spectrum=lm.Discrete([1.0], [1.0], [1.0]))),
        lm.Problem(
            lm.MLP(hidden=64), lm.OnePass(batch=8, spectrum=lm.PowerLaw(1.5, 0.5)), lm.SGD(0.1)
        ),
    ],
)
def test_texts_of_small_problems_can_be_evaluated(problem: lm.Problem) -> None:
    assert eval(repr(problem), vars(lm)) == problem


def test_what_is_abbreviated_says_how_much_there_is() -> None:
    assert short(tuple(range(20))) == "(0, 1, 2, ... 20 values ..., 19)"
    assert short([1.0]) == "[1.0]"
    assert short((1.0,)) == "(1.0,)"
    assert short(np.linspace(0, 1, 50)) == "<50 values, 0 to 1>"
    assert short(np.ones((2, 3))) == "<array of shape (2, 3)>"
    assert short(np.float64(0.5)) == "0.5"
    assert len(short("x" * 5000)) == 300
    assert short([[[[[[[1.0]]]]]]]) == "[[[[[...]]]]]"


def calls() -> list[str]:
    """Return the calls of the table that compute a result and are quick."""
    skipped = (
        "figures",
        "benchmark",
        "verif",
        "optimal_lrs",
        "plotting",
        "sweep",
        "open",
        "explore",
    )
    return [
        name for name, call in CALLS.items() if call.of is None and not name.startswith(skipped)
    ]


@pytest.mark.parametrize("name", calls())
def test_results_have_short_texts_and_tables(
    name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {key.rpartition(".")[2]: value for key, value in CALLS[name].given().items()}
    found = public()[name.partition(" ")[0]](**given)
    for result in found if isinstance(found, list) else [found]:
        if type(result).__name__ not in RESULTS:
            continue
        assert len(repr(result)) < 2 * MOST
        assert "array([" not in repr(result)
        page = Tags(result._repr_html_())
        assert {"table", "caption", "tr", "th", "td"} <= page.found
        assert page.texts[0] == type(result).__name__


def test_long_results_have_short_texts() -> None:
    theory = lm.solve(LONG["schedule"], 60, save="all", replicas=True)
    runs = lm.train(LONG["schedule"], 60, dim=16, seeds=40)
    for result in (theory, runs, theory.C_h, theory.replicas, runs.mean()):
        assert len(repr(result)) < MOST
    assert repr(theory.C_h) == "<C_h of layers 0 to 2, (60, 60) each>"
    assert repr(lm.solve(BASE, 3).C_h) == "<C_h was not kept>"


def test_tables_escape_what_they_show() -> None:
    found = html_table("a & b", {"<x>": "<script>alert(1)</script>"}, "1 < 2")
    assert "<script>" not in found
    assert Tags(found).texts == ["a & b", "<x>", "<script>alert(1)</script>", "1 < 2"]
    rows = Tags(BASE._repr_html_()).texts
    assert rows[rows.index("optimizer.lr") + 1] == "0.05"
    assert rows[rows.index("data.kind") + 1] == "'full_batch'"
