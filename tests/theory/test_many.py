"""``solve_many`` and ``flow_many``: what ``solve`` and ``flow`` give, in order."""

import math
import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm

SERIES = ("time", "test_loss", "train_loss", "term_target", "term_init", "term_data")
MIXED: list[dict[str, Any]] = [
    problem(optimizer={"lr": 0.02}),
    problem(network={"depth": 3, "width": [0.5, 1.0, 2.0]}),
    problem(network={"kind": "resnet", "depth": 4}, optimizer={"lr": 0.03}),
    problem(data={"kind": "population"}),
    problem(data={"alpha": 0.5}, optimizer={"lr": 0.05, "momentum": 0.5}),
]
STEPS_ONLY: list[dict[str, Any]] = [
    problem(data={"kind": "one_pass", "alpha": 0.5}, optimizer={"lr": 0.05}),
    problem(data={"kind": "multi_pass", "batch_fraction": 0.5}),
    problem(optimizer={"lr": 2.0}),
    problem(network={"kind": "resnet", "depth": math.inf}, optimizer={"lr": 0.02}),
    problem(data={"targets": [1.0, 2.0, 1.0]}, optimizer={"lr": 0.02}),
]
UNRESOLVED = problem(  # with so few nodes in depth a sweep leaves a negative loss
    network={"kind": "resnet", "depth": math.inf, "branch": 4.0}, optimizer={"lr": 0.02}
)


def same(many: lm.Solution, one: lm.Solution) -> None:
    for name in (*SERIES, "feature_norm", "gradient_norm", "test_loss_by_output", "panels"):
        np.testing.assert_array_equal(getattr(many, name), getattr(one, name), err_msg=name)
    assert many.problem == one.problem
    assert many.diverged_at == one.diverged_at
    assert many.stats.sweeps == one.stats.sweeps
    assert many.grid == one.grid


@pytest.mark.parametrize("threads", [1, 2, 3, 100])
def test_exact_steps_are_those_of_solve_to_the_last_bit(threads: int) -> None:
    problems = MIXED + STEPS_ONLY
    many = lm.solve_many(problems, 30, threads=threads)
    assert len(many) == len(problems)
    for solution, setting in zip(many, problems, strict=True):
        same(solution, lm.solve(setting, 30, threads=1))
        assert solution.stats.threads == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_adaptive_steps_are_those_of_solve_to_the_last_bit(threads: int) -> None:
    options: dict[str, Any] = {"grid": "adaptive", "rtol": 1e-5, "atol": 1e-9}
    many = lm.solve_many(MIXED, 300, threads=threads, **options)
    for solution, setting in zip(many, MIXED, strict=True):
        same(solution, lm.solve(setting, 300, threads=1, **options))
        assert (solution.rtol, solution.atol) == (1e-5, 1e-9)
        np.testing.assert_array_equal(solution.at([0, 17, 299]).time, [0, 17, 299])


@pytest.mark.parametrize("threads", [1, 2])
def test_flows_are_those_of_flow_to_the_last_bit(threads: int) -> None:
    problems = [p for p in MIXED if "momentum" not in p["optimizer"]]
    for solution, setting in zip(
        lm.flow_many(problems, 20.0, threads=threads), problems, strict=True
    ):
        same(solution, lm.flow(setting, 20.0, threads=1))


def test_functions_replicas_kernels_and_states_are_kept_where_asked_for() -> None:
    plain = lm.solve_many(MIXED[:2], 8)[1]
    assert not plain.has("C_h")
    assert plain.state_bytes == 0
    assert not plain.has("replicas")
    asked = lm.solve_many(MIXED[:2], 8, save=["C_h"], replicas=True, kernels=True)[1]
    one = lm.solve(MIXED[1], 8, save=["C_h"], replicas=True, kernels=True)
    np.testing.assert_array_equal(asked.C_h[2], one.C_h[2])
    np.testing.assert_array_equal(asked.replicas.shared_init, one.replicas.shared_init)
    np.testing.assert_array_equal(asked.kernel_target, one.kernel_target)  # type: ignore[arg-type]
    kept = lm.solve_many(MIXED[:2], 8, keep_state=True)[1]
    longer = lm.solve(MIXED[1], 12, continue_from=kept)
    np.testing.assert_allclose(longer.test_loss, lm.solve(MIXED[1], 12).test_loss, rtol=1e-12)


def test_any_iterable_will_do() -> None:
    expected = [p.test_loss for p in lm.solve_many(MIXED, 5)]
    configs = [lm.Problem.from_dict(p) for p in MIXED]
    for problems in (iter(MIXED), tuple(configs), (p for p in configs)):
        found = [p.test_loss for p in lm.solve_many(problems, 5)]
        np.testing.assert_array_equal(found, expected)
    assert lm.solve_many([], 5) == []
    assert lm.flow_many(iter(()), 5.0) == []


@pytest.mark.parametrize("wrong", [MIXED[0], lm.Problem.from_dict(MIXED[0]), "problems", 3, None])
def test_what_is_no_list_of_problems_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="^problems must be a list of problems, got "):
        lm.solve_many(wrong, 5)


def test_bad_problems_are_named_before_any_work() -> None:
    def never(done: int, total: int) -> None:
        pytest.fail("work has begun")

    schedule = problem(optimizer={"lr": [0.1, 0.2]})
    with pytest.raises(ValueError, match=r"^problems\[2\]: optimizer.lr must .*, got 2 numbers"):
        lm.solve_many([*MIXED[:2], schedule], 5, progress=never)
    with pytest.raises(ValueError, match=r"^problems\[1\]: optimizer must only have .*'rate'"):
        lm.solve_many([MIXED[0], problem(optimizer={"rate": 1})], 5, progress=never)
    with pytest.raises(ValueError, match=r"^problems\[3\]: "):
        lm.solve_many([*MIXED[:3], 7], 5, progress=never)  # type: ignore[list-item]
    epochs = problem(data={"kind": "epochs", "batches": 4})
    noisy = [*MIXED[:3], epochs]
    with pytest.raises(ValueError, match=r"^problems\[3\]: data.kind '\w+' cannot be"):
        lm.solve_many(noisy, 500, grid="adaptive", progress=never)
    with pytest.raises(ValueError, match=r"^problems\[4\]: optimizer.momentum must be 0"):
        lm.flow_many(MIXED, 5.0, progress=never)
    with pytest.raises(ValueError, match=r"^problems\[0\]: depth_nodes cannot be combined"):
        lm.solve_many(MIXED, 5, depth_nodes=6, progress=never, errors="return")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": -1}, "^threads must be"),
        ({"rtol": 1e-6}, "^rtol cannot be combined"),
        ({"grid": "coarse"}, "^grid must be"),
        ({"save": ["C_x"]}, "^save must be among"),
        ({"errors": "ignore"}, "^errors must be 'raise' or 'return', got 'ignore'"),
        ({"memory_limit": -1}, "^memory_limit must be"),
        ({"keep_state": True, "kernels": True}, "^keep_state cannot be combined"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.solve_many(MIXED[:2], 5, **options)


def test_a_divergence_among_others_is_a_result() -> None:
    lost = problem(optimizer={"lr": 2.0})
    before, found, after = lm.solve_many([MIXED[0], lost, MIXED[1]], 40, threads=2)
    assert found.diverged_at == lm.solve(lost, 40).diverged_at
    assert found.diverged_at is not None
    assert np.isinf(found.test_loss[-1])
    assert before.diverged_at is None
    assert after.diverged_at is None


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_failure_in_order_is_raised_and_named(threads: int) -> None:
    easy = problem(network={"kind": "resnet", "depth": math.inf}, optimizer={"lr": 0.02})
    with pytest.raises(lm.NotConverged) as alone:
        lm.solve(UNRESOLVED, 60, depth_nodes=2)
    problems = [easy, easy, UNRESOLVED, easy, UNRESOLVED, easy]
    with pytest.raises(lm.NotConverged) as failure:
        lm.solve_many(problems, 60, depth_nodes=2, threads=threads)
    assert str(failure.value) == f"problems[2]: {alone.value}"


@pytest.mark.parametrize("threads", [1, 2])
def test_failures_can_stand_in_their_place(threads: int) -> None:
    easy = problem(network={"kind": "resnet", "depth": math.inf}, optimizer={"lr": 0.02})
    problems = [easy, UNRESOLVED, easy]
    results = lm.solve_many(problems, 60, depth_nodes=2, threads=threads, errors="return")
    expected = lm.solve(easy, 60, depth_nodes=2).test_loss
    assert [type(result) for result in results] == [lm.Solution, lm.NotConverged, lm.Solution]
    assert str(results[1]).startswith("problems[1]: ")
    np.testing.assert_array_equal(results[2].test_loss, expected)  # type: ignore[union-attr]


def test_memory_is_asked_for_first_and_decides_how_many_are_in_flight() -> None:
    problems = MIXED[:1] * 6
    one = lm.estimate_memory(problems[0], 200)
    with pytest.raises(MemoryError, match=r"^solve_many of 6 problems needs .* \(memory_limit\)"):
        lm.solve_many(problems, 200, memory_limit=0.5 * one)
    for limit in (1.2 * one, 10 * one):  # one at a time, and two
        found = lm.solve_many(problems, 200, threads=2, memory_limit=limit)
        np.testing.assert_array_equal(found[-1].test_loss, lm.solve(problems[0], 200).test_loss)
    with pytest.raises(MemoryError, match="of 6 problems"):  # the results do not fit
        lm.solve_many(problems, 200, save="all", memory_limit=2 * one)


def test_progress_counts_the_steps_of_all_problems_from_the_calling_thread() -> None:
    seen: list[tuple[int, int]] = []
    threads = set()

    def note(done: int, total: int) -> None:
        seen.append((done, total))
        threads.add(threading.get_ident())

    lm.solve_many([*MIXED, problem(optimizer={"lr": 2.0})], 50, threads=2, progress=note)
    assert seen == sorted(seen)
    assert seen[-1] == (300, 300)
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("errors", ["raise", "return"])
def test_an_exception_of_the_callback_ends_the_call(threads: int, errors: str) -> None:
    def stop(done: int, total: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        lm.solve_many(MIXED * 20, 200, threads=threads, progress=stop, errors=errors)


@pytest.mark.parametrize("threads", [1, 2])
def test_control_c_stops_within_a_second(threads: int) -> None:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    start = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lm.solve_many([problem()] * 200, 400, threads=threads)
    assert time.monotonic() - start < 1.3


def test_a_learning_rate_curve_is_a_single_call() -> None:
    axes = {"optimizer.lr": np.geomspace(0.01, 0.2, 8), "network.width": [0.5, 1.0, 4.0]}
    curve = lm.solve_many(lm.Problem.from_dict(problem()).vary(axes), steps=30)
    losses = np.reshape([solution.test_loss[-1] for solution in curve], (8, 3))
    assert losses.shape == (8, 3)
    assert (np.diff(losses[:4], axis=0) < 0).all(), "small rates learn more with larger steps"
    assert (losses[:, 2] < losses[:, 0]).all(), "wider is better"


def test_vary_is_a_product_with_the_last_axis_fastest() -> None:
    base = lm.Problem.from_dict(problem())
    rates, widths, targets = (0.05, 0.1), (0.5, 1.0, 2.0), ([1.0], [1.0, 2.0])
    grid = base.vary({"optimizer.lr": rates, "network.width": widths, "data.targets": targets})
    expected = [
        base.replace(**{"optimizer.lr": r, "network.width": w, "data.targets": t})
        for r in rates
        for w in widths
        for t in targets
    ]
    assert grid == expected
    assert base.vary({}) == [base]
    assert base.vary({"optimizer.lr": (r for r in rates)}) == [
        base.replace(**{"optimizer.lr": r}) for r in rates
    ]
    assert base.vary({"network.width": np.array(widths)})[2].network.width == 2.0
    whole = base.vary({"data": [lm.Population(), lm.OnePass(alpha=0.5)]})
    assert [p.data.kind for p in whole] == ["population", "one_pass"]
    assert base == lm.Problem.from_dict(problem()), "the problem itself is left alone"


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (
            {"optimizer.lrr": [1]},
            r"got 'lrr' \(did you mean 'optimizer.lr'\?\) \(at optimizer",
        ),
        ({"optimiser.lr": [1]}, "did you mean 'optimizer.lr'"),
        ({"lr": [1]}, r"did you mean 'optimizer.lr'\?\) \(at lr = 1\)"),
        ({"optimizer.lr.rate": [1]}, "optimizer.lr.rate must be the path of a value"),
        (
            {"network.width": [1.0, -2.0], "optimizer.lr": [0.1]},
            r"network.width must be .* \(at network.width = -2.0, optimizer.lr = 0.1\)",
        ),
        ({"optimizer.lr": []}, r"axes\['optimizer.lr'\] must be a list of at least one value"),
        ({"optimizer.lr": 0.1}, r"axes\['optimizer.lr'\] must be a list of values, got 0.1"),
        ({"network.kind": "mlp"}, r"axes\['network.kind'\] must be a list of values, got 'mlp'"),
        ([("optimizer.lr", [1])], "axes must be a dictionary of paths"),
        ({3: [1]}, "axes must be a dictionary of paths"),
    ],
)
def test_vary_refuses_and_names_what_it_cannot_do(axes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.Problem.from_dict(problem()).vary(axes)
