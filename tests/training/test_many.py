"""``train_many``: what ``train`` gives for every problem, those that can share arrays together."""

import subprocess
import sys

import numpy as np
import pytest

import lindmft as lm
from lindmft.problem.problem import Problem

STEPS = 12
DIM = 32


def problem(**changes: object) -> Problem:
    base = lm.Problem(
        lm.MLP(depth=2, width=0.75), lm.FullBatch(alpha=1.5, noise=0.4), lm.SGD(lr=0.06)
    )
    return base.replace(**changes)


ALIKE = [
    problem(),
    problem(**{"optimizer.lr": 0.02}),
    problem(**{"optimizer.lr": [0.08 / (1 + t) for t in range(STEPS)]}),
    problem(**{"optimizer.momentum": 0.6}),
    problem(**{"optimizer.momentum": 0.6, "optimizer.nesterov": True}),
    problem(**{"optimizer.weight_decay": 0.3}),
    problem(**{"optimizer.layer_lr": [0.5, 2.0, 1.0]}),
    problem(**{"network.gamma0": 2.5}),
    problem(**{"network.parameterization": "ntk"}),
    problem(**{"network.init_scale": 0.7}),
    problem(**{"network.centered": True}),
    problem(**{"data.noise": 0.0}),
]

OTHERS = [
    problem(**{"network.width": 1.5}),
    problem(data=lm.OnePass(alpha=0.5, noise=0.4)),
    problem(data=lm.MultiPass(alpha=1.5, batch_fraction=0.5, noise=0.4)),
    problem(data=lm.Epochs(alpha=1.5, batches=5, noise=0.4)),
    problem(data=lm.Epochs(alpha=1.5, batches=4, noise=0.4)),
    problem(data=lm.Population()),
    problem(network=lm.ResNet(depth=3, width=0.75)),
    problem(**{"data.spectrum": lm.Discrete([0.5, 2.0], [1.0, 0.5], [0.7, 0.3])}),
    problem(**{"data.targets": [1.0, 0.5]}),
    problem(**{"data.spectrum": lm.Discrete([0.5, 2.0], targets=[[1.0, 0.5], [0.2, 0.3]])}),
    problem(**{"data.spectrum": lm.Discrete([0.5, 2.0], targets=[[1.0, 0.5], [0.3, 0.2]])}),
]


def assert_same(one: lm.Ensemble, other: lm.Ensemble, tolerance: float = 1e-11) -> None:
    assert one.problem == other.problem
    assert (one.seeds, one.widths, one.samples) == (other.seeds, other.widths, other.samples)
    for name in ("test_loss", "train_loss", "feature_norm", "gradient_norm"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=tolerance, atol=1e-13, err_msg=name
        )


def test_gives_what_train_gives_in_order() -> None:
    problems = [*OTHERS[:3], *ALIKE, *OTHERS[3:]]
    runs = lm.train_many(problems, STEPS, dim=DIM, seeds=3)
    assert len(runs) == len(problems)
    for one, run in zip(problems, runs, strict=True):
        assert_same(run, lm.train(one, STEPS, dim=DIM, seeds=3))


def test_problems_that_can_share_do() -> None:
    runs = lm.train_many([*ALIKE, OTHERS[0]], STEPS, dim=DIM, seeds=2)
    assert {run.stats.method for run in runs[:-1]} == {"shared"}
    assert runs[-1].stats.method != "shared"
    assert all(run.stats.operations > 0 and run.stats.bytes_moved > 0 for run in runs)


def test_threads_do_not_change_a_bit() -> None:
    one, two = (lm.train_many(ALIKE, STEPS, dim=DIM, seeds=3, threads=n) for n in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.test_loss, b.test_loss)
        assert np.array_equal(a.gradient_norm, b.gradient_norm)


def test_noise_draws_differ_and_repeat() -> None:
    runs = lm.train_many([problem()] * 3, STEPS, dim=DIM, seeds=2, noise_draw=[0, 1, 0])
    assert [run.noise_draw for run in runs] == [0, 1, 0]
    # Networks that share their weights are columns of one product: equal up to rounding.
    np.testing.assert_allclose(runs[0].test_loss, runs[2].test_loss, rtol=1e-12)
    np.testing.assert_allclose(runs[0].test_loss[:, 0], runs[1].test_loss[:, 0], rtol=1e-12)
    assert not np.isclose(runs[0].test_loss[:, -1], runs[1].test_loss[:, -1], rtol=1e-3).any()
    assert_same(runs[1], lm.train(problem(), STEPS, dim=DIM, seeds=2, noise_draw=1))


def test_single_precision_is_close_and_said() -> None:
    double = lm.train_many(ALIKE, STEPS, dim=DIM, seeds=2)
    single = lm.train_many(ALIKE, STEPS, dim=DIM, seeds=2, dtype="float32")
    for a, b in zip(double, single, strict=True):
        assert (a.dtype, b.dtype) == ("float64", "float32")
        np.testing.assert_allclose(b.test_loss, a.test_loss, rtol=2e-5)
        assert not np.array_equal(b.test_loss, a.test_loss)


def test_single_precision_of_all_trainers(tmp_path) -> None:  # type: ignore[no-untyped-def]
    run = lm.train(problem(), STEPS, dim=DIM, seeds=2, dtype=np.float32, noise_draw=2)
    run.save(tmp_path / "run.nc")
    loaded = lm.Ensemble.load(tmp_path / "run.nc")
    assert (loaded.dtype, loaded.noise_draw, loaded.stats) == ("float32", 2, run.stats)
    crossed = lm.train_replicas(problem(), STEPS, dim=DIM, seeds=2, dtype="float32")
    crossed.save(tmp_path / "crossed.nc")
    assert lm.ReplicaEnsemble.load(tmp_path / "crossed.nc").dtype == "float32"


def test_one_divergence_leaves_the_others_alone() -> None:
    problems = [problem(), problem(**{"optimizer.lr": 50.0}), problem(**{"optimizer.lr": 0.03})]
    runs = lm.train_many(problems, 40, dim=DIM, seeds=2)
    assert runs[1].diverged_at[0] is not None
    assert np.isinf(runs[1].test_loss[:, -1]).all()
    for i in (0, 2):
        assert runs[i].diverged_at == (None, None)
        assert_same(runs[i], lm.train(problems[i], 40, dim=DIM, seeds=2), 1e-9)


def test_little_memory_means_fewer_at_a_time() -> None:
    problems = problem().vary({"optimizer.lr": np.linspace(0.01, 0.06, 40)})
    needed = lm.estimate_train_memory(problems, STEPS, dim=DIM, seeds=1, threads=1)
    free = lm.train_many(problems, STEPS, dim=DIM, seeds=1, threads=1)
    tight = lm.train_many(problems, STEPS, dim=DIM, seeds=1, threads=1, memory_limit=0.6 * needed)
    for a, b in zip(free, tight, strict=True):
        assert_same(a, b)
    with pytest.raises(MemoryError, match="bytes"):
        lm.train_many(problems, STEPS, dim=DIM, seeds=1, memory_limit=0.01 * needed)


PEAK = """
import re
import lindmft as lm

def peak():  # of this program alone: getrusage's begins with the parent's
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=1.0), lm.SGD(lr=0.1))
lm.train(problem, 2, dim=64, seeds=1)
before = peak()
run = lm.train(problem, 3, dim=2500, seeds=1)
taken = peak() - before
print(run.stats.method, taken / lm.estimate_train_memory(problem, 3, dim=2500, seeds=1))
"""


def test_large_networks_take_what_was_predicted() -> None:
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    method, share = done.stdout.split()
    assert method == "factored"
    assert 0.8 < float(share) < 1.1


def test_accepts_generators_dictionaries_and_nothing() -> None:
    runs = lm.train_many((p.to_dict() for p in ALIKE[:2]), STEPS, dim=DIM, seeds=1)
    assert [run.problem for run in runs] == ALIKE[:2]
    assert lm.train_many([], STEPS) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"problems": problem()}, "problems must be a list of problems"),
        (
            {"problems": [problem(), problem(**{"network.width": float("inf")})]},
            r"problems\[1\]: .*width",
        ),
        (
            {"problems": [problem(), problem().to_dict() | {"network": {"kind": "cnn"}}]},
            r"problems\[1\]: network.kind",
        ),
        ({"dtype": "float16"}, "dtype must be 'float64' or 'float32', got 'float16'"),
        ({"noise_draw": -1}, "noise_draw must be 0, 1, ..., got -1"),
        ({"noise_draw": [0, 1, 2]}, "noise_draw must be one number, or one for each of the 2"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"dim": 0}, "dim must be"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, object], message: str) -> None:
    call = {"problems": ALIKE[:2], "steps": STEPS, "dim": DIM, "seeds": 1} | arguments
    with pytest.raises(ValueError, match=message):
        lm.train_many(call.pop("problems"), call.pop("steps"), **call)  # type: ignore[arg-type]
