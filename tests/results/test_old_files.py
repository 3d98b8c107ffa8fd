"""Files of every format version can be read, and agree with a computation of today.

tests/data has results of each kind and version, written while it was current and not changed
since. For a new version, ``python tests/results/test_old_files.py`` writes what is missing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from same_results import expect_same

import lindmft as lm
from lindmft.results import netcdf

DATA = Path(__file__).parents[1] / "data"
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
DEEP = lm.Problem(
    network=lm.ResNet(depth=3, width=0.75, gamma0=0.8, branch=1.2),
    data=lm.OnePass(alpha=1.5, noise=0.3, targets=[[1.0, 0.4], [0.4, 0.5]]),
    optimizer=lm.SGD(lr=0.05, weight_decay=0.2, layer_lr=[1.0, 0.5, 2.0, 1.0]),
)
LONG = lm.Problem(
    network=lm.MLP(depth=1, width=0.75, gamma0=0.8),
    data=lm.FullBatch(alpha=1.5, noise=0.3),
    optimizer=lm.SGD(lr=0.05, layer_lr=[1.0, 0.5]),
)
LONG_STEPS = 60
RESULTS: dict[tuple[str, int], Callable[[], Any]] = {
    ("solution", 1): lambda: lm.solve(PROBLEM, STEPS, save="all"),
    ("ensemble", 1): lambda: lm.train(PROBLEM, STEPS, dim=DIM, seeds=SEEDS),
    ("solution", 2): lambda: lm.solve(DEEP, STEPS, save="all", replicas=True, kernels=True),
    ("ensemble", 2): lambda: lm.train(DEEP, STEPS, dim=DIM, seeds=SEEDS),
    ("replicas", 2): lambda: lm.train_replicas(DEEP, STEPS, dim=DIM, seeds=SEEDS),
    ("solution", 3): lambda: lm.solve(LONG, LONG_STEPS, grid="adaptive", rtol=1e-3, save="C_v"),
    ("ensemble", 3): lambda: lm.train(LONG, LONG_STEPS, dim=DIM, seeds=SEEDS),
}
KINDS: dict[str, Any] = {
    "solution": lm.Solution,
    "ensemble": lm.Ensemble,
    "replicas": lm.ReplicaEnsemble,
}


def version_of(path: Path) -> int:
    return int(path.stem.partition("-v")[2])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_old_files_read_back(path: Path) -> None:
    kind = path.name.partition("-")[0]
    old, new = KINDS[kind].load(path), RESULTS[kind, version_of(path)]()
    if path.stem == "solution-v3":  # where the nodes are is the solver's own business
        assert (old.grid, old.rtol, old.panels[-1]) == ("adaptive", 1e-3, len(old.time))
        assert old.state
        old, new = old.at(range(LONG_STEPS)), lm.solve(LONG, LONG_STEPS, save="C_v")
        for name in ("test_loss", "train_loss", "feature_norm", "C_v"):
            ours, theirs = getattr(old, name), getattr(new, name)
            np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-3 * theirs.max())
    else:
        expect_same(old, new)
    assert type(old.stats) is type(new.stats)
    assert old.provenance.keys() <= new.provenance.keys()


@pytest.mark.parametrize("version", range(1, netcdf.VERSION + 1))
def test_old_files_can_be_compared(version: int) -> None:
    theory = lm.Solution.load(DATA / f"solution-v{version}.nc")
    runs = lm.Ensemble.load(DATA / f"ensemble-v{version}.nc")
    assert lm.compare(theory, runs).networks == len(SEEDS)


def test_states_in_files_of_this_version_can_be_gone_on_from() -> None:
    """When this fails, raise STATE_VERSION: the state of this file is then refused by name."""
    old = lm.Solution.load(DATA / f"solution-v{netcdf.VERSION}.nc")
    longer = lm.solve(LONG, 200, grid="adaptive", continue_from=old)
    whole = lm.solve(LONG, 200)
    np.testing.assert_allclose(longer.test_loss[-1], whole.test_loss[-1], rtol=2e-3)


def test_every_version_has_its_files() -> None:
    assert {path.name for path in FILES} == {f"{kind}-v{v}.nc" for kind, v in RESULTS}
    assert max(version for _, version in RESULTS) == netcdf.VERSION


if __name__ == "__main__":
    for (kind, version), result in RESULTS.items():
        path = DATA / f"{kind}-v{version}.nc"
        if version == netcdf.VERSION and not path.exists():
            result().save(path)
            print(f"wrote {path}")
