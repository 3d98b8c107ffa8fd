"""Bad input for problems: dictionaries, files, spectra, schedules, axes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzzing import SPECTRA, changed, damaged, deep, endless, examples, odd, outcome, plain, tables
from hypothesis import given
from hypothesis import strategies as st

import lindmft as lm

BASE = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
FIELDS = ("problem", "network", "data", "optimizer")
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


@examples(150)
@given(changed(tables()) | odd | st.dictionaries(st.sampled_from(FIELDS), odd))
def test_dictionaries(given_tables: Any) -> None:
    problem = outcome(lambda: lm.Problem.from_dict(given_tables), *FIELDS)
    if problem is not None:
        assert lm.Problem.from_dict(problem.to_dict()) == problem


@examples(60)
@given(st.sampled_from([file.read_bytes() for file in EXAMPLES]).flatmap(damaged) | st.binary())
def test_toml_files(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "hostile.toml"
    file.write_bytes(content)
    problem = outcome(lambda: lm.Problem.from_toml(file), file.name, *FIELDS)
    if problem is not None:
        problem.to_toml(file)
        assert lm.Problem.from_toml(file) == problem


@examples(60)
@given(
    st.builds(lambda table: json.dumps(plain(table)).encode(), changed(tables()))
    | damaged(json.dumps(BASE.to_dict()).encode())
)
def test_json_files(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "hostile.json"
    file.write_bytes(content)
    problem = outcome(lambda: lm.Problem.from_json(file), file.name, *FIELDS)
    if problem is not None:
        problem.to_json(file)
        assert lm.Problem.from_json(file) == problem


@pytest.mark.parametrize("read", [lm.Problem.from_json, lm.Problem.from_toml])
@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5000, "[" * 5000 + "]" * 5000])
def test_numbers_and_lists_without_end_are_refused_with_the_file(
    read: Any, value: str, tmp_path: Path
) -> None:
    file = tmp_path / "long"
    file.write_text(f'{{"network": {value}}}' if read == lm.Problem.from_json else f"x = {value}")
    with pytest.raises(ValueError, match="long must be a (JSON|TOML) file"):
        read(file)


@pytest.mark.parametrize("value", [endless(), deep(10_000)], ids=["endless", "deep"])
def test_lists_that_contain_themselves_are_refused_with_the_field(value: Any) -> None:
    bad = BASE.to_dict() | {"optimizer": {"lr": value}}
    with pytest.raises(ValueError, match=r"optimizer\.lr"):
        lm.Problem.from_dict(bad)
    with pytest.raises(ValueError, match=r"optimizer\.lr"):
        BASE.replace(**{"optimizer.lr": value})
    with pytest.raises(ValueError, match="name must be 'constant', 'linear' or 'cosine'"):
        lm.schedule(value, 5)
    with pytest.raises(ValueError, match=r"axes\['optimizer.lr'\] must be nested at most"):
        BASE.vary({"optimizer.lr": value})


paths = st.sampled_from(["network.width", "data.alpha", "optimizer.lr", "data", "x.y", ""]) | (
    st.text(max_size=5)
)


@examples(100)
@given(st.dictionaries(paths, odd, max_size=3))
def test_changes_by_path(changes: dict[str, Any]) -> None:
    outcome(lambda: BASE.replace(**changes))


@examples(100)
@given(
    st.dictionaries(paths | st.tuples(paths, paths), odd | st.lists(odd, max_size=3), max_size=2)
    | odd
)
def test_axes(axes: Any) -> None:
    outcome(lambda: BASE.vary(axes), "axes", *FIELDS)


matrices = odd | st.lists(st.lists(st.floats(-2, 2) | odd, max_size=3), max_size=4)
vectors = odd | st.lists(st.floats(-2, 2) | odd, max_size=4)
squares = st.lists(st.floats(0.1, 2), min_size=4, max_size=4).map(
    lambda x: [[x[0] + x[2], x[1]], [x[1], x[1] ** 2 + x[3]]]
)


@examples(100)
@given(matrices | squares, vectors, st.none() | odd)
def test_spectra_of_data(matrix: Any, vector: Any, tolerance: Any) -> None:
    named = ("matrix", "target", "X", "y", "tolerance", "eigenvalues")
    outcome(lambda: lm.from_covariance(matrix, vector, tolerance=tolerance), *named)
    outcome(lambda: lm.from_data(matrix, vector, tolerance=tolerance), *named)
    outcome(lambda: lm.estimate_noise(matrix, vector), *named)


@pytest.mark.parametrize("function", [lm.from_data, lm.estimate_noise])
def test_data_whose_squares_are_no_doubles_are_refused(function: Any) -> None:
    with pytest.raises(ValueError, match="X must be numbers of size 1e.150 at most"):
        function([[1.7e308, 1e300], [1.0, 2.0], [3.0, 5.0]], [1.0, 2.0, 3.0])


def test_numbers_beyond_doubles_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"y\[0\] must be finite, got inf"):
        lm.from_data([[1.0], [2.0]], np.array([np.longdouble("1e4000"), 1.0]))


def test_gram_matrices_of_the_largest_doubles() -> None:
    """Gram matrices of the largest doubles give no warning, which would be an error here."""
    gram = lm.Population(targets=[[1.7e308, 0.2], [0.2, 1.0]])
    assert lm.Problem(lm.MLP(), gram, lm.SGD(lr=0.1)).data == gram


@examples(100)
@given(changed(st.sampled_from(SPECTRA).map(dict)), odd, odd, odd)
def test_spectra(table: Any, first: Any, second: Any, third: Any) -> None:
    tables = BASE.to_dict()
    outcome(lambda: lm.Problem.from_dict(tables | {"data": tables["data"] | {"spectrum": table}}))
    named = "data.spectrum"
    outcome(lambda: lm.Discrete(first, second, third), named)
    outcome(lambda: lm.PowerLaw(first, second, modes=1000), named)
    outcome(lambda: lm.PowerLaw(1.5, 0.5, modes=1000, tolerance=third), named)


@examples(100)
@given(
    st.sampled_from(["constant", "linear", "cosine"]) | odd,
    st.integers(0, 50) | odd.filter(lambda x: not isinstance(x, int | float) or abs(x) < 1e5),
    odd,
    odd,
    odd,
)
def test_schedules(name: Any, steps: Any, peak: Any, warmup: Any, end: Any) -> None:
    named = ("name", "steps", "peak", "warmup", "end")
    outcome(lambda: lm.schedule(name, steps, peak=peak, warmup=warmup, end=end), *named)
    rates = outcome(lambda: lm.schedule("cosine", 7, peak=peak, warmup=warmup), *named)
    if rates is not None:
        outcome(lambda: lm.SGD(lr=rates), "optimizer.lr")
