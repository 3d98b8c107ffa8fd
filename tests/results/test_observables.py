"""The table of observables agrees with core, docstrings and pages; messages say how to ask."""

import copy
import dataclasses
import inspect
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft import _core
from lindmft.results import NotRequested
from lindmft.results.observables import (
    ENSEMBLE,
    REPLICA_ENSEMBLE,
    SOLUTION,
    SPECTRUM,
    Observable,
    Table,
    names,
)

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
SEVERAL = PROBLEM.replace({"data.targets": [1.0, 0.5]})
STEPS = 8
SIZES: dict[str, Any] = {"dim": 16, "seeds": 2, "threads": 1}
RESULTS: dict[str, Any] = {
    "solution": lambda: lm.solve(PROBLEM, STEPS),
    "flow": lambda: lm.flow(PROBLEM, 1.0),
    "ensemble": lambda: lm.train(PROBLEM, STEPS, **SIZES),
    "mean": lambda: lm.train(PROBLEM, STEPS, **SIZES).mean(),
    "pairs": lambda: lm.train_replicas(PROBLEM, STEPS, k_init=1, k_data=1, **SIZES),
    "mean of pairs": lambda: lm.train_replicas(PROBLEM, STEPS, k_init=1, k_data=1, **SIZES).mean(),
}
MESSAGES = [
    ("solution", "C_v", 'C_v was not saved: solve(..., save=["C_v"]) keeps it'),
    ("solution", "R_delta", 'R_delta was not saved: solve(..., save=["R_delta"]) keeps it'),
    ("flow", "C_v", 'C_v was not saved: flow(..., save=["C_v"]) keeps it'),
    ("solution", "kernel_scale", "kernel_scale was not computed: solve(..., kernels=True) does it"),
    (
        "solution",
        "kernel_alignment",
        "kernel_alignment was not computed: solve(..., kernels=True) does it",
    ),
    (
        "solution",
        "spectrum",
        "spectrum was not computed: solve(..., spectrum_at=[...]) does it",
    ),
    ("flow", "spectrum", "spectrum was not computed: flow(..., spectrum_at=[...]) does it"),
    (
        "ensemble",
        "spectrum",
        "spectrum was not computed: train(..., spectrum_at=[...]) does it",
    ),
    ("ensemble", "weights", "weights was not computed: train(..., weights=True) does it"),
    ("ensemble", "predictor", "predictor was not computed: train(..., weights=True) does it"),
    ("solution", "replicas", "replicas was not computed: solve(..., replicas=True) does it"),
    (
        "ensemble",
        "kernel_target",
        "kernel_target was not computed: train(..., kernels=True) does it",
    ),
    ("mean", "feature_update", "feature_update was not computed: train(..., updates=True) does it"),
    (
        "pairs",
        "shared_init",
        "shared_init was not computed: train_replicas(..., k_data=2) does it",
    ),
    (
        "mean of pairs",
        "independent",
        "independent was not computed: train_replicas(..., k_init=2, k_data=2) does it",
    ),
]


@pytest.mark.parametrize(("kind", "name", "message"), MESSAGES)
def test_what_was_not_asked_for_says_how_to_ask(kind: str, name: str, message: str) -> None:
    result = RESULTS[kind]()
    with pytest.raises(NotRequested) as raised:
        getattr(result, name)
    assert str(raised.value) == message
    assert isinstance(raised.value, AttributeError)
    assert isinstance(raised.value, ValueError)
    assert not hasattr(result, name)
    assert getattr(result, name, None) is None
    assert name not in vars(result)


@pytest.mark.parametrize("kind", RESULTS)
def test_results_without_some_observables_can_be_copied(kind: str) -> None:
    result = RESULTS[kind]()
    copies = (
        dataclasses.replace(result),
        copy.copy(result),
        copy.deepcopy(result),
        pickle.loads(pickle.dumps(result)),
        type(result)(**vars(result)),
    )
    for other in copies:
        assert type(other) is type(result)
        assert vars(other).keys() == vars(result).keys()
        np.testing.assert_array_equal(other.test_loss, result.test_loss)
    assert result == result
    assert result != copies[0]
    assert repr(copies[0]) == repr(result)
    assert result._repr_html_()
    assert {one.name for one in dataclasses.fields(result)} == set(vars(result))
    assert {one.name for one in dataclasses.fields(result)} < {
        one.name for one in dataclasses.fields(type(result))
    }


def test_an_observable_can_be_given_and_taken_away() -> None:
    theory = lm.solve(PROBLEM, STEPS)
    more = dataclasses.replace(theory, C_v=np.eye(STEPS))
    assert more.has("C_v")
    assert not dataclasses.replace(more, C_v=None).has("C_v")
    assert not theory.has("C_v")


def test_other_names_are_refused_as_usual() -> None:
    theory = lm.solve(PROBLEM, STEPS)
    with pytest.raises(AttributeError, match="no attribute 'C_w'") as raised:
        _ = theory.C_w  # type: ignore[attr-defined]
    assert not isinstance(raised.value, NotRequested)
    with pytest.raises(ValueError, match="^name must be .*got 'C_w'.*did you mean 'C_"):
        theory.has("C_w")


def test_functions_of_several_outputs_are_found_in_the_channels() -> None:
    kept = lm.solve(SEVERAL, STEPS, save=["C_v"], kernels=True)
    assert kept.has("C_v")
    assert not hasattr(kept, "C_v")
    for name in ("C_v", "kernel_scale", "kernel_alignment"):
        with pytest.raises(NotRequested, match=rf"of a channel: channels\[0\]\.{name}$"):
            getattr(kept, name)
        assert getattr(kept.channels[0], name) is not None
    with pytest.raises(NotRequested, match=r'save=\["C_v"\]\) keeps it in channels\[j\]\.C_v'):
        _ = lm.solve(SEVERAL, STEPS).C_v
    with pytest.raises(KeyError, match="channels"):
        _ = kept.C_h[1]


def test_responses_between_the_nodes_are_said_to_be_left_out() -> None:
    theory = lm.solve(PROBLEM, 300, grid="adaptive", save=["R_delta", "C_v"])
    seen = theory.at([0, 7, 250])
    assert seen.C_v.shape == (3, 3)
    with pytest.raises(NotRequested, match=r"^R_delta was left out by at\(\)"):
        _ = seen.R_delta


def test_files_without_some_observables_say_how_to_ask(tmp_path: Path) -> None:
    lm.solve(SEVERAL, STEPS, save=["C_g"]).save(tmp_path / "theory.nc")
    loaded = lm.Solution.load(tmp_path / "theory.nc")
    with pytest.raises(NotRequested, match="kernels=True"):
        _ = loaded.kernel_scale
    with pytest.raises(KeyError, match="channels"):
        _ = loaded.C_g[1]


def everything() -> list[tuple[Table, dict[str, Any]]]:
    """Each table, with the results of the core that have all of its observables."""
    core = SEVERAL.as_core()
    average = [1.0, *(STEPS - 1) * [0.1]]
    every: dict[str, Any] = dict.fromkeys(("replicas", "kernels", "modes"), True)
    asked = _core.SolveOptions(save=["all"], average=average, **every)
    solution = _core.solve(core, STEPS, asked)
    channel: dict[str, Any] = solution["channels"][0]  # type: ignore[assignment]
    one, sizes = PROBLEM.as_core(), {"dim": 16, "seeds": [0], "threads": 1}
    flags = dict.fromkeys(("kernels", "updates", "modes"), True)
    options = _core.TrainOptions(average=average, **flags, **sizes)
    runs: Any = _core.train(one, STEPS, options)
    pairs: Any = _core.train_replicas(one, STEPS, _core.TrainOptions(k_init=2, k_data=2, **sizes))
    staged = PROBLEM.replace(**{"data.switch_at": 2}).as_core()
    second: Any = _core.solve(staged, STEPS, _core.SolveOptions())
    trained: Any = _core.train(staged, STEPS, _core.TrainOptions(**sizes))
    return [
        (SOLUTION, channel["series"] | second["series"] | channel["functions"]),
        (ENSEMBLE, runs["series"] | trained["series"]),
        (REPLICA_ENSEMBLE, pairs["series"]),
    ]


def test_the_core_has_the_same_observables() -> None:
    for table, found in everything():
        assert set(found) == set(table)


def axes(one: Observable) -> str:
    """The dimensions as docstrings write them: (seed, L, n)."""
    letters = {"layer": "L", "time": "n", "output": "C", "seed": "seed"}
    letters |= {"spectrum_time": "k", "ritz": "m", "mode": "modes"}
    shape = [letters[dim] for dim in one.dims]
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(shape)})"


def entries(cls: type) -> dict[str, str]:
    """The descriptions of attributes in a docstring, by name."""
    section = re.search(r"Attributes\n-+\n(.*?)\n\n\w+\n---", inspect.getdoc(cls) or "", re.DOTALL)
    assert section
    found, heads = {}, []
    for line in section[1].splitlines():
        if line.startswith(" "):
            found |= {name: f"{found.get(name, '')} {line.strip()}" for name in heads}
        else:
            heads = line.split(", ")
    return found


@pytest.mark.parametrize(
    ("cls", "table", "reduced"),
    [
        (lm.Solution, SOLUTION, False),
        (lm.Ensemble, ENSEMBLE, False),
        (lm.ReplicaEnsemble, REPLICA_ENSEMBLE, False),
        (lm.results.Series, ENSEMBLE, True),
        (lm.results.ReplicaSeries, REPLICA_ENSEMBLE, True),
        (lm.results.HessianSpectrum, SPECTRUM, False),
    ],
)
def test_docstrings_agree_with_the_table(cls: type, table: Table, reduced: bool) -> None:
    """Every observable is a field and is described, with its shape and how it is asked for."""
    described, fields = entries(cls), {one.name for one in dataclasses.fields(cls)}
    for one in table.values():
        held_by_another = one.part and table is not SPECTRUM
        if held_by_another or one.two_time or (reduced and one.name == "chain_residual"):
            continue
        assert one.name in fields
        shown = dataclasses.replace(one, dims=one.dims[1:]) if reduced else one
        assert axes(shown) in described[one.name], one.name
        if one.asked.endswith("=True") and not one.part:
            assert one.asked in described[one.name], one.name


def test_pages_have_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    docs = Path(__file__).parents[2] / "docs"
    monkeypatch.syspath_prepend(str(docs / "_ext"))
    from observable_tables import filled

    text = filled((docs / "api" / "results.md").read_text(encoding="utf-8"))
    for table in (SOLUTION, ENSEMBLE, REPLICA_ENSEMBLE, SPECTRUM):
        for one in table.values():
            assert f"| `{one.name}` | {', '.join(one.dims)} | {one.long_name}" in text
    assert "| `R_hr0` | time, time_s |" in text
    sys.modules.pop("observable_tables")


def test_every_function_is_asked_for_by_its_name() -> None:
    assert names(SOLUTION, two_time=True) == lm.results.FUNCTIONS
    for name in lm.results.FUNCTIONS:
        assert SOLUTION[name].asked == f'save=["{name}"]'
