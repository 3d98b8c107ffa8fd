"""Files of every format version read back, to what a computation of today gives.

tests/data holds one solution and one ensemble of each version, written while it was current and
left alone since. For a new version, ``python tests/test_old_files.py`` writes what is missing.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft import _files

DATA = Path(__file__).parent / "data"
FILES = sorted(DATA.glob("*-v*.nc"))
STEPS, DIM, SEEDS = 5, 16, (3, 2**64 - 1)
PROBLEM = lm.Problem(
    network=lm.MLP(depth=2, width=[0.5, 1.0], gamma0=0.8, init_scale=0.9, centered=True),
    data=lm.MultiPass(
        alpha=1.5,
        batch_fraction=0.5,
        noise=0.3,
        spectrum=lm.Discrete([1.5, 0.5], target_power=[0.8, 1.2], weights=[0.5, 0.5]),
    ),
    optimizer=lm.SGD(
        lr=[0.05, 0.06, 0.07, 0.06, 0.05],
        momentum=0.5,
        nesterov=True,
        weight_decay=0.1,
        layer_lr=[1.0, 0.5, 2.0],
    ),
)
INEXACT = {"stats", "provenance", "chain_residual"}  # of the machine and the day


def solve() -> lm.Solution:
    return lm.solve(PROBLEM, STEPS, save="all")


def train() -> lm.Ensemble:
    return lm.train(PROBLEM, STEPS, dim=DIM, seeds=SEEDS)


def expect_same(old: Any, new: Any) -> None:
    """Numbers to 1e-9 of the largest, everything else exactly."""
    assert type(old) is type(new)
    if isinstance(new, dict):
        assert old.keys() == new.keys()
        for key, value in new.items():
            expect_same(old[key], value)
    elif isinstance(new, np.ndarray):
        scale = np.abs(new).max()
        np.testing.assert_allclose(old, new, rtol=1e-9, atol=1e-12 * scale)
    else:
        assert old == new


def version_of(path: Path) -> int:
    return int(path.stem.partition("-v")[2])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_old_files_read_back(path: Path) -> None:
    is_theory = path.name.startswith("solution")
    old = lm.Solution.load(path) if is_theory else lm.Ensemble.load(path)
    new = solve() if is_theory else train()
    for field in fields(new):
        if field.name not in INEXACT:
            expect_same(getattr(old, field.name), getattr(new, field.name))
    assert type(old.stats) is type(new.stats)
    assert old.provenance.keys() <= new.provenance.keys()


def test_old_files_can_be_compared() -> None:
    for version in range(1, _files.VERSION + 1):
        theory = lm.Solution.load(DATA / f"solution-v{version}.nc")
        runs = lm.Ensemble.load(DATA / f"ensemble-v{version}.nc")
        assert lm.compare(theory, runs).networks == len(SEEDS)


def test_every_version_has_its_files() -> None:
    versions = range(1, _files.VERSION + 1)
    expected = {
        f"{kind}-v{version}.nc" for kind in ("solution", "ensemble") for version in versions
    }
    assert {path.name for path in FILES} == expected


if __name__ == "__main__":
    for kind, result in (("solution", solve()), ("ensemble", train())):
        path = DATA / f"{kind}-v{_files.VERSION}.nc"
        if not path.exists():
            result.save(path)
            print(f"wrote {path}")
