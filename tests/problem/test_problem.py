"""The description of a problem: refusals, conversions and round trips."""

import inspect
import json
import math
import pickle
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lindmft as lm

TABLES: dict[str, Any] = {
    "network": {"kind": "mlp", "depth": 2, "width": 1.0, "gamma0": 1.0},
    "data": {"kind": "full_batch", "alpha": 2.0, "noise": 0.3},
    "optimizer": {"lr": 0.1},
}
TWO_MODES = {
    "kind": "discrete",
    "eigenvalues": [2.0, 0.5],
    "target_power": [1.0, 1.0],
    "weights": [0.5, 0.5],
}
CASES = json.loads((Path(__file__).parents[1] / "data" / "cases.json").read_text())
BAD_NUMBERS: list[Any] = [
    "half",
    "1_000",
    " 1",
    "nan",
    "0x1",
    "1e999",
    True,
    1j,
    math.nan,
    [[1.0]],
    {},
    np.array(["a"]),
    np.array([[1.0]]),
    np.array([1.0 + 0j]),
    np.array([True]),
    b"1",
    object(),
]


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return ``TABLES`` with one entry changed."""
    tables = json.loads(json.dumps(TABLES))
    *parents, key = path.split(".")
    table = tables
    for name in parents:
        table = table[name]
    table[key] = value
    return tables


def spectrum_with(**entries: Any) -> dict[str, Any]:
    return changed("data.spectrum", {**TWO_MODES, **entries})


def refusal(tables: dict[str, Any]) -> str:
    """Return the message with which a problem is refused."""
    with pytest.raises(ValueError, match=r" must | missing: | combined with ") as error:
        lm.Problem.from_dict(tables)
    return str(error.value)


NUMBER_FIELDS = [
    "network.depth",
    "network.width",
    "network.gamma0",
    "network.init_scale",
    "data.alpha",
    "data.noise",
    "optimizer.lr",
    "optimizer.momentum",
    "optimizer.weight_decay",
    "optimizer.layer_lr",
]


@pytest.mark.parametrize("field", NUMBER_FIELDS)
@pytest.mark.parametrize("value", BAD_NUMBERS, ids=lambda value: repr(value)[:20])
def test_what_is_no_number_is_refused_by_name(field: str, value: Any) -> None:
    assert refusal(changed(field, value)).startswith(field)


OUT_OF_RANGE = [
    ("network.depth", 0, "at least 1, got 0"),
    ("network.depth", 1.5, "a whole number, got 1.5"),
    ("network.depth", math.inf, "a whole number, got inf"),
    ("network.depth", 2**31, "no larger than"),
    ("network.width", 0.0, "positive (inf is allowed), got 0"),
    ("network.width", [1.0, -1.0], "positive"),
    ("network.width", [1.0, 1.0, 1.0], "a list of depth (2) numbers, got 3"),
    ("network.width", [], "numbers"),
    ("network.width", [1.0, math.inf], "all finite or all inf"),
    ("network.width", [1.0, "two"], "a number, got 'two'"),
    ("network.gamma0", -1.0, "not negative, got -1"),
    ("network.gamma0", math.inf, "finite"),
    ("network.gamma0", 0.0, "positive at finite width"),
    ("network.parameterization", "NTK", "'mup' or 'ntk', got 'NTK'"),
    ("network.parameterization", 3, "'mup' or 'ntk', got 3"),
    ("network.init_scale", 0.0, "finite and positive"),
    ("network.centered", 1, "true or false, got 1"),
    ("network.centered", "yes", "true or false, got 'yes'"),
    ("data.alpha", 0.0, "positive"),
    ("data.alpha", -1.0, "positive"),
    ("data.noise", -0.1, "not negative, got -0.1"),
    ("data.noise", math.inf, "finite"),
    ("data.spectrum", "isotropic", "a table, got 'isotropic'"),
    ("optimizer.lr", -0.1, "not negative"),
    ("optimizer.lr", math.inf, "finite"),
    ("optimizer.lr", [], "at least one entry"),
    ("optimizer.lr", [0.1, math.nan], "finite"),
    ("optimizer.lr", [0.1, [0.2]], "a number, got [0.2]"),
    ("optimizer.lr", 10**400, "range of doubles"),
    ("optimizer.lr", np.ma.masked_array([0.1, 0.2], [0, 1]), "a list of numbers"),
    ("optimizer.momentum", 1.0, "in [0, 1), got 1"),
    ("optimizer.momentum", -0.1, "in [0, 1)"),
    ("optimizer.nesterov", True, "false without momentum"),
    ("optimizer.nesterov", "no", "true or false"),
    ("optimizer.weight_decay", -1.0, "not negative"),
    ("optimizer.layer_lr", [1.0, 1.0], "depth + 1 (3) numbers"),
    ("optimizer.layer_lr", [1.0, 1.0, -1.0], "not negative"),
    ("optimizer.layer_lr", 1.0, "a list of numbers, got 1.0"),
]


@pytest.mark.parametrize(("field", "value", "reason"), OUT_OF_RANGE)
def test_out_of_range_is_refused_by_name_with_the_reason(
    field: str, value: Any, reason: str
) -> None:
    message = refusal(changed(field, value))
    assert message.startswith(field)
    assert reason in message


BAD_SPECTRA = [
    ("eigenvalues", [2.0, 0.0], "positive"),
    ("eigenvalues", [2.0, math.nan], "positive"),
    ("eigenvalues", [], "at least one entry"),
    ("eigenvalues", 2.0, "a list of numbers"),
    ("eigenvalues", "two", "a list of numbers"),
    ("target_power", [1.0, -1.0], "not negative"),
    ("target_power", [1.0], "as long as eigenvalues (2 entries), got 1"),
    ("weights", [0.5, 0.4], "sum to 1"),
    ("weights", [0.5, 0.25, 0.25], "as long as eigenvalues"),
    ("weights", [1.5, -0.5], "positive"),
    ("weights", [True, False], "a number, got True"),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD_SPECTRA)
def test_bad_spectrum_is_refused_by_name(name: str, value: Any, reason: str) -> None:
    message = refusal(spectrum_with(**{name: value}))
    assert message.startswith(f"data.spectrum.{name}")
    assert reason in message
    lists = {key: entry for key, entry in {**TWO_MODES, name: value}.items() if key != "kind"}
    with pytest.raises(ValueError, match=rf"^data\.spectrum\.{name}"):
        lm.Discrete(**lists)


def test_each_part_is_checked_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="network.gamma0"):
        lm.MLP(gamma0=-1.0)
    with pytest.raises(ValueError, match="data.batch_fraction"):
        lm.MultiPass(alpha=1.0, batch_fraction=0.0)
    with pytest.raises(ValueError, match="data.alpha"):
        lm.OnePass(alpha=0.0)
    with pytest.raises(ValueError, match="data.noise"):
        lm.Population(noise=-1.0)
    with pytest.raises(ValueError, match="optimizer.momentum"):
        lm.SGD(lr=0.1, momentum=2.0)


@pytest.mark.parametrize("part", ["network", "data", "optimizer"])
def test_a_problem_takes_parts_of_the_right_kind_only(part: str) -> None:
    parts: dict[str, Any] = {
        "network": lm.MLP(),
        "data": lm.Population(),
        "optimizer": lm.SGD(lr=0.1),
    }
    with pytest.raises(ValueError, match=f"^{part} must be"):
        lm.Problem(**{**parts, part: 3})
    others = {"network": parts["data"], "data": parts["optimizer"], "optimizer": parts["network"]}
    with pytest.raises(ValueError, match=f"^{part} must be"):
        lm.Problem(**{**parts, part: others[part]})


UNKNOWN = [
    ("network.widht", 1.0, "network must only have the keys", "did you mean 'width'?"),
    (
        "data.batch_fraction",
        0.5,
        "data.batch_fraction cannot be combined with kind 'full_batch'",
        "only kind 'multi_pass' has it. Leave it out, or choose that kind.",
    ),
    ("optimizer.learning_rate", 1.0, "optimizer must only", "got 'learning_rate'"),
    ("optimiser", {}, "problem must only have the keys", "did you mean 'optimizer'?"),
    ("network.kind", "cnn", "network.kind must be 'mlp' or 'resnet'", "got 'cnn'"),
    ("data.kind", "fullbatch", "data.kind must be", "did you mean 'full_batch'?"),
    ("data.kind", ["full_batch"], "data.kind must be", "got ['full_batch']"),
    ("data.spectrum", {"kind": "power"}, "data.spectrum.kind must be", "got 'power'"),
    ("data.spectrum", {**TWO_MODES, "mode": 3}, "data.spectrum must only", "got 'mode'"),
    (
        "data.spectrum",
        {**TWO_MODES, "modes": 3},
        "data.spectrum.modes cannot be combined with kind 'discrete'",
        "only kind 'power_law' has it",
    ),
]


@pytest.mark.parametrize(("path", "value", "start", "end"), UNKNOWN)
def test_unknown_names_are_refused_with_the_nearest_known_one(
    path: str, value: Any, start: str, end: str
) -> None:
    message = refusal(changed(path, value))
    assert message.startswith(start)
    assert end in message


@pytest.mark.parametrize("path", ["network", "data", "optimizer"])
def test_missing_table_is_refused(path: str) -> None:
    tables = {name: table for name, table in TABLES.items() if name != path}
    assert refusal(tables) == f"{path} is missing: it has no default value"


@pytest.mark.parametrize("path", ["network.kind", "data.kind", "data.alpha", "optimizer.lr"])
def test_missing_key_is_refused(path: str) -> None:
    tables = changed(path, 0)
    table, key = path.split(".")
    del tables[table][key]
    assert refusal(tables).startswith(f"{path} is missing: ")


@pytest.mark.parametrize("tables", [None, 3, "problem.toml", [TABLES]])
def test_only_dictionaries_are_tables(tables: Any) -> None:
    assert refusal(tables).startswith("problem must be a dictionary")


ARRAY_LIKES = [
    (0.1, 0.2),
    [0.1, 0.2],
    np.array([0.1, 0.2]),
    np.array([0.1, 9.0, 0.2])[::2],
    np.array([[0.1, 0.2]]).T[:, 0],
    [np.float64(0.1), np.array(0.2)],
]


@pytest.mark.parametrize("value", ARRAY_LIKES, ids=lambda value: type(value).__name__)
def test_array_likes_become_tuples_of_floats(value: Any) -> None:
    lr = lm.SGD(lr=value).lr
    assert lr == (0.1, 0.2)
    assert isinstance(lr, tuple)
    assert [type(rate) for rate in lr] == [float, float]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "i1", "u8", ">f8", ">i4"])
def test_arrays_of_every_real_type_are_converted(dtype: str) -> None:
    assert lm.MLP(depth=2, width=np.array([1, 2], dtype=dtype)).width == (1.0, 2.0)
    assert lm.MLP(depth=np.array(2, dtype=dtype)).depth == 2


def test_scalars_of_many_kinds_are_numbers() -> None:
    for value in (2, 2.0, np.float32(2), np.int8(2), Fraction(2), np.array(2.0)):
        alpha = lm.FullBatch(alpha=value).alpha
        assert alpha == 2.0
        assert type(alpha) is float
    assert type(lm.MLP(depth=np.int64(3)).depth) is int


def test_a_list_of_one_number_is_that_number() -> None:
    assert lm.SGD(lr=[0.1]) == lm.SGD(lr=0.1)
    assert lm.MLP(width=[2.0]) == lm.MLP(width=2.0)


def test_problems_are_values() -> None:
    problem = lm.Problem.from_dict(TABLES)
    same = lm.Problem.from_dict(TABLES)
    assert problem == same
    assert hash(problem) == hash(same)
    with pytest.raises(AttributeError):
        problem.network.depth = 3


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["problem"]["network"]["kind"] == "mlp"],
    ids=lambda case: case["name"],
)
def test_the_reference_cases_are_read_and_written_back(case: dict[str, Any]) -> None:
    problem = lm.Problem.from_dict(case["problem"])
    tables = problem.to_dict()
    for part, table in case["problem"].items():
        assert {key: tables[part][key] for key in table} == table
    assert lm.Problem.from_dict(tables) == problem


def test_defaults_are_those_of_the_classes() -> None:
    problem = lm.Problem.from_dict(TABLES)
    assert problem.network == lm.MLP(depth=2)
    assert problem.data == lm.FullBatch(alpha=2.0, noise=0.3, spectrum=lm.Isotropic())
    assert problem.optimizer == lm.SGD(lr=0.1)


def test_replace_changes_what_is_named_and_checks_the_result() -> None:
    problem = lm.Problem.from_dict(TABLES)
    wide = problem.replace(**{"network.depth": 3, "network.width": [1, 2, 3]})
    assert wide.network.width == (1.0, 2.0, 3.0)
    assert wide.data == problem.data
    assert problem.network.depth == 2
    assert problem.replace(data=lm.OnePass(alpha=0.5)).data == lm.OnePass(alpha=0.5)
    spectrum = lm.Discrete([2.0, 0.5], [1, 1], [0.5, 0.5])
    uneven = problem.replace(**{"data.spectrum": spectrum})
    moved = uneven.replace(**{"data.spectrum.weights": [0.2, 0.8]})
    assert moved.data.spectrum == lm.Discrete([2.0, 0.5], [1, 1], [0.2, 0.8])
    with pytest.raises(ValueError, match=r"did you mean 'network.width'\?"):
        problem.replace(**{"network.widht": 2.0})
    with pytest.raises(ValueError, match=r"did you mean 'network.width'\?"):
        problem.replace(**{"netwrk.width": 2.0})
    with pytest.raises(ValueError, match="network.width"):
        problem.replace(**{"network.width": -2.0})
    with pytest.raises(ValueError, match="path of a value"):
        problem.replace(**{"network.width.first": 1.0})


def test_replace_and_vary_take_a_dictionary_or_keywords() -> None:
    problem = lm.Problem.from_dict(TABLES)
    by_dictionary = problem.replace({"optimizer.lr": 0.2, "data.spectrum": lm.Isotropic()})
    assert by_dictionary == problem.replace(optimizer__lr=0.2, data__spectrum=lm.Isotropic())
    assert by_dictionary == problem.replace({"optimizer.lr": 0.2}, data__spectrum=lm.Isotropic())
    assert problem.replace() == problem
    grid = problem.vary({"optimizer.lr": [0.1, 0.2], "network.width": [1.0, 2.0]})
    assert grid == problem.vary(optimizer__lr=[0.1, 0.2], network__width=[1.0, 2.0])
    assert grid == problem.vary({"optimizer.lr": [0.1, 0.2]}, network__width=[1.0, 2.0])
    assert problem.vary() == [problem]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("lr", "'optimizer.lr'"),
        ("optimizer.lrr", "'optimizer.lr'"),
        ("optimiser.lr", "'optimizer.lr'"),
        ("network.lr", "'optimizer.lr'"),
        ("learning_rate", "'optimizer.lr'"),
        ("widht", "'network.width'"),
        ("data.sample", "'data.samples'"),
        ("data.spectrum.weight", "'data.spectrum.weights'"),
        ("kind", "'network.kind', 'data.kind' or 'data.spectrum.kind'"),
    ],
)
def test_an_unknown_path_suggests_the_right_one(path: str, meant: str) -> None:
    problem = lm.Problem.from_dict(TABLES)
    leaf = path.rpartition(".")[2]
    for call in (
        lambda: problem.replace({path: 1}),
        lambda: problem.replace(**{path.replace(".", "__"): 1}),
        lambda: problem.vary({path: [1, 2]}),
    ):
        with pytest.raises(ValueError, match="got") as refused:
            call()
        assert f"{leaf}' (did you mean {meant}?)" in str(refused.value)


def test_paths_that_are_given_twice_or_are_none_are_refused() -> None:
    problem = lm.Problem.from_dict(TABLES)
    with pytest.raises(ValueError, match="given once, got 'optimizer.lr'"):
        problem.replace({"optimizer.lr": 0.2}, optimizer__lr=0.3)
    with pytest.raises(ValueError, match="axes must be paths that are given once"):
        problem.vary({"optimizer.lr": [0.2]}, optimizer__lr=[0.3])
    with pytest.raises(ValueError, match=r"'optimizer.lr' does, got 'x.y.z'$"):
        problem.replace({"x.y.z": 1})
    with pytest.raises(ValueError, match="changes must be a dictionary whose keys are paths"):
        problem.replace({3: 1})
    with pytest.raises(ValueError, match=r"network.hidden.x must be the path of a value"):
        problem.replace({"network.hidden.x": 1})


positive = st.floats(0.01, 100.0)
widths = positive | st.just(math.inf)


@st.composite
def spectra(draw: st.DrawFn) -> lm.Isotropic | lm.Discrete:
    parts = draw(st.lists(st.integers(1, 9), max_size=4))
    if not parts:
        return lm.Isotropic()
    entries = st.lists(positive, min_size=len(parts), max_size=len(parts))
    return lm.Discrete(draw(entries), draw(entries), [part / sum(parts) for part in parts])


@st.composite
def data_sets(draw: st.DrawFn) -> Any:
    common = {"noise": draw(st.floats(0.0, 10.0)), "spectrum": draw(spectra())}
    alpha = draw(widths)
    return draw(
        st.sampled_from(
            [
                lm.FullBatch(alpha=alpha, **common),
                lm.OnePass(alpha=alpha, **common),
                lm.Population(**common),
                lm.MultiPass(alpha=alpha, batch_fraction=draw(st.floats(0.01, 1.0)), **common),
            ]
        )
    )


@st.composite
def problems(draw: st.DrawFn) -> lm.Problem:
    depth = draw(st.integers(1, 4))
    network = lm.MLP(
        depth=depth,
        width=draw(widths | st.lists(positive, min_size=depth, max_size=depth)),
        gamma0=draw(positive),
        parameterization=draw(st.sampled_from(["mup", "ntk"])),
        init_scale=draw(positive),
        centered=draw(st.booleans()),
    )
    momentum = draw(st.floats(0.0, 0.99))
    rates = st.lists(positive, min_size=depth + 1, max_size=depth + 1)
    optimizer = lm.SGD(
        lr=draw(positive | st.lists(positive, min_size=1, max_size=5)),
        momentum=momentum,
        nesterov=momentum > 0 and draw(st.booleans()),
        weight_decay=draw(st.floats(0.0, 1.0)),
        layer_lr=draw(st.none() | rates),
    )
    return lm.Problem(network, draw(data_sets()), optimizer)


@given(problems())
def test_round_trips_are_exact(
    tmp_path_factory: pytest.TempPathFactory, problem: lm.Problem
) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert lm.Problem.from_dict(problem.to_dict()) == problem
    problem.to_json(folder / "problem.json")
    assert lm.Problem.from_json(folder / "problem.json") == problem
    problem.to_toml(folder / "problem.toml")
    assert lm.Problem.from_toml(folder / "problem.toml") == problem


@given(problems(), st.sampled_from(NUMBER_FIELDS), st.floats(max_value=-1e-9) | st.just(math.nan))
def test_negative_numbers_are_never_accepted(problem: lm.Problem, field: str, bad: float) -> None:
    value: Any = [bad] * (problem.network.depth + 1) if field == "optimizer.layer_lr" else bad
    if not hasattr(getattr(problem, field.split(".")[0]), field.split(".")[1]):
        return  # population data have no alpha
    with pytest.raises(ValueError, match=f"^{field}"):
        problem.replace(**{field: value})


def test_json_is_standard_json_with_inf_as_a_string(tmp_path: Path) -> None:
    problem = lm.Problem(lm.MLP(width=math.inf), lm.FullBatch(alpha=math.inf), lm.SGD(lr=0.1))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    tables = json.loads(problem.to_json(), parse_constant=refuse)
    assert tables["network"]["width"] == "inf"
    assert lm.Problem.from_dict(tables) == problem


def test_inf_is_read_from_toml_and_a_run_table_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text(
        '[network]\nkind = "mlp"\nwidth = inf\n[data]\nkind = "population"\n'
        "[optimizer]\nlr = [0.1, 0.2]\n[run]\nsteps = 3\n"
    )
    problem = lm.Problem.from_toml(file)
    assert problem == lm.Problem(lm.MLP(width=math.inf), lm.Population(), lm.SGD(lr=[0.1, 0.2]))


@pytest.mark.parametrize("field", NUMBER_FIELDS)
@pytest.mark.parametrize("text", ["1", "+1.", "1e0", "10E-1", ".1e+1"])
def test_texts_that_spell_a_number_are_numbers_in_tables(field: str, text: str) -> None:
    """YAML reads 1e-2 as text."""
    if field == "optimizer.momentum":  # is below 1
        text = "1e-1"
    value: Any = [text] * 3 if field == "optimizer.layer_lr" else text
    number: Any = [1.0] * 3 if field == "optimizer.layer_lr" else float(text)
    same = lm.Problem.from_dict(changed(field, number))
    assert lm.Problem.from_dict(changed(field, value)) == same
    with pytest.raises(ValueError, match=f"^{re.escape(field)}"):
        lm.Problem.from_dict(TABLES).replace({field: value})


def test_texts_that_spell_numbers_are_read_in_lists_and_files_not_in_axes(
    tmp_path: Path,
) -> None:
    lists = {"eigenvalues": ["2", "5e-1"], "target_power": ["1", 1], "weights": [".5", 0.5]}
    problem = lm.Problem.from_dict(spectrum_with(**lists))
    assert problem == lm.Problem.from_dict(spectrum_with(eigenvalues=[2.0, 0.5]))
    with pytest.raises(ValueError, match=r"optimizer\.lr must be .* \(at optimizer\.lr = '1e-2'\)"):
        problem.vary({"optimizer.lr": [1e-3, "1e-2"]})
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(changed("optimizer.lr", "1e-2")))
    assert lm.Problem.from_json(file).optimizer.lr == 0.01


@pytest.mark.parametrize("call", [lambda: lm.SGD(lr="1e-2"), lambda: lm.FullBatch(alpha="1E3")])
def test_calls_refuse_texts_and_say_what_yaml_reads(call: Any) -> None:
    with pytest.raises(ValueError, match=r"not a text \(YAML reads 1e-2 as text, and 1\.0e-2 as a"):
        call()


def test_kinds_are_what_they_were_before_they_shared_a_base() -> None:
    """Positional arguments, texts and pickles keep the order of the fields."""
    data = lm.FullBatch(2.0, 0.3, lm.Isotropic(), (1.0,), None, 4)
    assert repr(data) == (
        "FullBatch(alpha=2.0, noise=0.3, spectrum=Isotropic(), targets=(1.0,), samples=None, "
        "inputs=4)"
    )
    kinds = (data, lm.MultiPass(1.0, batch_fraction=0.5), lm.OnePass(batch=2, inputs=4))
    for part in (*kinds, lm.Population(0.1), lm.MLP(2, [1, 2]), lm.ResNet(3, hidden=5)):
        assert pickle.loads(pickle.dumps(part)) == part
        assert eval(repr(part), vars(lm)) == part
        text = inspect.getdoc(part) or ""
        assert all(f"\n{name}\n" in text for name in inspect.signature(type(part)).parameters)
        assert "{" not in text.replace("h^{l+1}", "")
    assert lm.FullBatch(2.0) != lm.MultiPass(2.0, batch_fraction=1.0)


@pytest.mark.parametrize("value", ["inf", None])
def test_strings_and_none_are_no_numbers(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^network\.gamma0 must be"):
        lm.MLP(gamma0=value)


@pytest.mark.parametrize("read", [lm.Problem.from_toml, lm.Problem.from_json])
@pytest.mark.parametrize("content", [b"{not a file", b"\xff\xfe", b"x = 1"])
def test_broken_files_are_refused_by_name(tmp_path: Path, read: Any, content: bytes) -> None:
    file = tmp_path / "broken"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken must be|problem must only"):
        read(file)
