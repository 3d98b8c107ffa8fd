"""Damaged result files are refused by name or read as they were written, never differently."""

import copy
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from fuzzing import chosen, damaged, examples, odd, outcome, same
from hypothesis import assume, example, given
from hypothesis import strategies as st

import lindmft as lm

DATA = Path(__file__).parents[1] / "data"
KINDS: dict[str, Any] = {
    "solution": lm.Solution,
    "ensemble": lm.Ensemble,
    "replicas": lm.ReplicaEnsemble,
}
OLD = [(path.stem.partition("-")[0], path.read_bytes()) for path in sorted(DATA.glob("*-v*.nc"))]
PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
RESULTS: dict[str, Any] = {
    "solution": lm.solve(PROBLEM, 4, save=["C_h", "C_v"], replicas=True),
    "ensemble": lm.train(PROBLEM, 4, dim=8, seeds=2),
    "replicas": lm.train_replicas(PROBLEM, 4, dim=8, seeds=2),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of this version, by kind."""
    folder = tmp_path_factory.mktemp("whole")
    for kind, result in RESULTS.items():
        result.save(folder / kind)
    return {kind: (folder / kind).read_bytes() for kind in RESULTS}


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_this_version(whole: dict[str, bytes], kind: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.nc"

    @examples(15)
    @given(damaged(whole[kind]))
    def check(content: bytes) -> None:
        file.write_bytes(content)
        found = outcome(lambda: KINDS[kind].load(file), file.name)
        assert found is None or same(found, RESULTS[kind])

    check()


@examples(12)
@given(st.data())
def test_old_files(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Old files have no checksum of their content, or since version 3 only one of numbers."""
    file = tmp_path_factory.getbasetemp() / "hostile.nc"
    kind, content = data.draw(chosen(OLD))
    file.write_bytes(data.draw(damaged(content)))
    outcome(lambda: KINDS[kind].load(file), file.name)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_files(whole: dict[str, bytes], kind: str, tmp_path: Path) -> None:
    file, content = tmp_path / "short.nc", whole[kind]
    for length in [0, *(2**k for k in range(len(content).bit_length())), len(content) - 1]:
        file.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"short\.nc must be a complete NetCDF4 file"):
            KINDS[kind].load(file)


def test_files_of_other_kinds(whole: dict[str, bytes], tmp_path: Path) -> None:
    file = tmp_path / "other.nc"
    for content in (b"text", b"\x89PNG\r\n\x1a\n", b"PK\3\4", b"CDF\1", b"\x80\4."):
        file.write_bytes(content * 100)
        assert outcome(lambda: lm.Solution.load(file), file.name) is None
    with h5py.File(file, "w") as content:
        content["test_loss"] = np.ones(3)
    assert outcome(lambda: lm.Solution.load(file), file.name) is None
    assert outcome(lambda: lm.Solution.load(tmp_path), tmp_path.name) is None
    for kind in KINDS:
        file.write_bytes(whole[kind])
        for other in set(KINDS) - {kind}:
            assert outcome(lambda other=other: KINDS[other].load(file), file.name) is None


arrays = st.sampled_from(["f8", "f4", "i8", "u1", "S3", "U3", "?"]).flatmap(
    lambda kind: st.lists(st.integers(0, 3), min_size=1, max_size=3).map(
        lambda shape: np.ones(shape).astype(kind)
    )
)
attributes = (
    st.sampled_from(["", "{", "[]", "{}", "null", "NaN", "[NaN]", "[[]]", "exact", "[" * 9999])
    | st.sampled_from([0, 1, -1, 2**40, 0.5, float("nan"), float("inf"), [1.0, 2.0], "\0"])
    | st.text(max_size=4)
)


@examples(8)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_files_of_other_content(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    """Files of another program that are good except for an array or an attribute."""
    file = tmp_path_factory.getbasetemp() / "hostile.nc"
    dataset = RESULTS[kind].to_xarray()
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(dataset.attrs)))
        dataset.attrs[name] = data.draw(attributes)
    else:
        name = data.draw(st.sampled_from(sorted(map(str, dataset.variables))))
        dataset = _with_another_array(dataset, name, data)
    try:
        dataset.to_netcdf(file, engine="h5netcdf")
    except (TypeError, ValueError):
        assume(False)
    found = outcome(lambda: KINDS[kind].load(file), file.name)
    if found is not None:
        assert repr(found)
        found.save(file)
        assert same(KINDS[kind].load(file), found)


def _with_another_array(dataset: xr.Dataset, name: str, data: st.DataObject) -> xr.Dataset:
    """A missing array, or one of another shape or type, or with nan or infinity."""
    old = dataset[name]
    dataset = dataset.drop_vars(name)
    change = data.draw(st.sampled_from(["drop", "array", "nan", "inf", "transpose", "shorter"]))
    if change == "drop":
        return dataset
    if change == "array":
        array = data.draw(arrays)
        return dataset.assign({name: ([f"{name}_dim{i}" for i in range(array.ndim)], array)})
    values = old.values.astype(float)
    if change in {"nan", "inf"}:
        values.flat[0] = float(change)
    dims = old.dims
    if change == "transpose":
        values, dims = values.T, dims[::-1]
    if change == "shorter":
        values, dims = values[..., :1], (*dims[:-1], "short")
    return dataset.assign({name: (dims, values)})


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("stats", '{"nodes": "many"}', "stats.nodes must be a whole number, got 'many'"),
        ("problem", "{", "problem must be JSON text"),
        ("provenance", '{"version": 1}', "provenance.version must be a text, got 1"),
        ("panels", "[0, 99]", "panels must be increasing numbers of nodes from 0 to at most 4"),
        ("diverged_at", float("inf"), "diverged_at must be a whole number, got inf"),
        ("channels", "5", "channels must be a list as JSON text, got 5"),
        ("grid", "fine", "grid must be 'exact', 'adaptive' or 'flow', got 'fine'"),
    ],
)
def test_attributes_are_refused_by_name(
    attribute: str, value: Any, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "hostile.nc"
    dataset = RESULTS["solution"].to_xarray().assign_attrs({attribute: value})
    dataset.to_netcdf(file, engine="h5netcdf")
    with pytest.raises(ValueError, match="must") as error:
        lm.Solution.load(file)
    assert words in str(error.value)
    assert file.name in str(error.value)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("test_loss", lambda x: x * np.nan, "test_loss must be numbers, none of them nan"),
        ("test_loss", lambda x: x.astype(str), "test_loss must be numbers, got"),
        ("test_loss", lambda x: x / 0.0, "test_loss must be finite up to a divergence"),
        ("train_loss", lambda x: x[None], "train_loss must be an array along ('time',)"),
        ("time", lambda x: -x, "time must be increasing from 0 on"),
        ("C_h", None, "C_h and C_h0 must both be there, got one of them"),
    ],
)
def test_arrays_are_refused_by_name(name: str, change: Any, words: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.nc"
    dataset = copy.deepcopy(RESULTS["solution"].to_xarray())
    if change is None:
        dataset = dataset.drop_vars(name)
    else:
        with np.errstate(divide="ignore"):
            values = change(dataset[name].values)
        dims = ("time",) if values.ndim == 1 else ("more", "time")
        dataset = dataset.assign({name: (dims, values)})
    dataset.to_netcdf(file, engine="h5netcdf")
    with pytest.raises(ValueError, match="must") as error:
        lm.Solution.load(file)
    assert words in str(error.value)


@pytest.mark.parametrize("name", ["diverged_at", "seed", "width"])
def test_whole_numbers_are_whole_numbers(name: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.nc"
    dataset = RESULTS["ensemble"].to_xarray()
    dims = dataset[name].dims
    values = np.full(dataset[name].shape, np.inf)
    dataset.drop_vars(name).assign({name: (dims, values)}).to_netcdf(file, engine="h5netcdf")
    with pytest.raises(ValueError, match=f"{name} must be whole numbers"):
        lm.Ensemble.load(file)


def test_every_bit_counts(whole: dict[str, bytes], tmp_path: Path) -> None:
    """A changed learning rate in the attributes, for which HDF5 has no checksum."""
    file, content = tmp_path / "hostile.nc", whole["solution"]
    place = content.index(b'"lr": 0.1') + len(b'"lr": 0.')
    file.write_bytes(content[:place] + b"3" + content[place + 1 :])
    with pytest.raises(ValueError, match=r"hostile\.nc must be as it was written"):
        lm.Solution.load(file)


@examples(20)
@example("x" * 5000)
@given(odd)
def test_paths_of_any_kind(path: Any) -> None:
    for kind in KINDS.values():
        outcome(lambda kind=kind: kind.load(path))
