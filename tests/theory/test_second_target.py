"""A second target after some step: the source of v is the product of targets (section 18)."""

from typing import Any

import numpy as np
import oracle
import oracle_replicas
import oracle_residual
import pytest

import lindmft as lm

STEPS, SWITCH = 16, 6
STAGES = {"switch_at": SWITCH, "switch_overlap": 0.4, "switch_strength": 1.5}
MODES = {
    "kind": "discrete",
    "eigenvalues": [2.0, 0.7, 0.2],
    "target_power": [0.5, 1.5, 1.0],
    "weights": [0.2, 0.5, 0.3],
}
SHARED = {
    "kind": "discrete",
    "eigenvalues": [1.5, 0.5],
    "weights": [0.5, 0.5],
    "targets": [[2.0, 0.75], [-0.4, 1.4]],
}
MLP = {"kind": "mlp", "depth": 2, "width": [0.5, 1.5], "gamma0": 1.2}
RESNET = {"kind": "resnet", "depth": 3, "gamma0": 1.1, "branch": 1.2, "centered": True}
DATA: dict[str, dict[str, Any]] = {
    "full batch": {"kind": "full_batch", "alpha": 1.5, "noise": 0.3},
    "full batch, modes": {"kind": "full_batch", "alpha": 1.5, "noise": 0.3, "spectrum": MODES},
    "one pass, modes": {"kind": "one_pass", "alpha": 0.5, "noise": 0.3, "spectrum": MODES},
    "multi-pass": {"kind": "multi_pass", "alpha": 1.5, "batch_fraction": 0.5, "noise": 0.3},
    "epochs": {"kind": "epochs", "alpha": 2.0, "batches": 4, "noise": 0.3},
    "population, modes": {"kind": "population", "spectrum": MODES},
    "outputs that share modes": {"kind": "full_batch", "alpha": 2.0, "spectrum": SHARED},
}
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")


def problem(data: Any, network: Any = MLP, **changes: Any) -> dict[str, Any]:
    optimizer = {"lr": 0.05, "momentum": 0.3, "weight_decay": 0.1}
    return {"network": network, "data": data | STAGES | changes, "optimizer": optimizer}


def loss_on_first_target(con: Any, state: Any, data: Any, steps: int) -> Any:
    """Return (T,), the term <|v + w_A - w*|^2> by all products of targets, of one output."""
    H, _ = oracle.transfer(con.lam, oracle.data_inputs(con, state, len(con.E))[0], state.R_delta)
    target = oracle.second_target(data, steps)
    change = np.array([1.0, 0.0]) - target
    left = H @ target
    power = con.power[:, 0, 0]
    found = np.diag(state.C_v).copy()
    for k, weight in enumerate((con.weight * con.lam).ravel()):
        found += weight * power[k] * (2 * (left[k] * change).sum(1) + (change**2).sum(1))
    return found


@pytest.mark.parametrize("name", DATA)
def test_agrees_with_the_dense_oracle(name: str) -> None:
    setting = problem(DATA[name])
    solution = lm.solve(setting, STEPS)
    assert solution.stats.chain_residual < 1e-10
    if name == "outputs that share modes":
        expected = oracle.solve(setting, STEPS)
        for c in range(2):
            close(solution.test_loss_by_output[c], expected["test_loss"][c::2])
        return
    con, state = oracle.solved(setting, STEPS)
    expected = oracle.outputs(con, state)
    for series in (*SERIES, "feature_norm", "gradient_norm"):
        close(getattr(solution, series), expected[series], series)
    close(solution.first_task_loss, loss_on_first_target(con, state, setting["data"], STEPS))
    close(solution.first_task_loss[:SWITCH], solution.test_loss[:SWITCH])


def close(found: Any, expected: Any, name: str = "") -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11, err_msg=name)


def test_residual_networks_and_replicas_agree_with_the_dense_oracle() -> None:
    setting = problem(DATA["full batch, modes"], RESNET)
    solution = lm.solve(setting, STEPS, replicas=True)
    expected = oracle_residual.solve_residual(setting, STEPS)
    for series in SERIES:
        close(getattr(solution, series), expected[series], series)
    overlaps = oracle_replicas.replica_losses(setting, STEPS)
    close(solution.replicas.independent, overlaps[0, 0])
    close(solution.replicas.shared_data, overlaps[0, 1])


@pytest.mark.parametrize("overlap", [-1.0, 0.0, 1.0])
def test_edges_of_the_overlap(overlap: float) -> None:
    setting = problem(DATA["full batch"], switch_overlap=overlap)
    con, state = oracle.solved(setting, STEPS)
    solution = lm.solve(setting, STEPS)
    close(solution.test_loss, oracle.outputs(con, state)["test_loss"])
    close(solution.first_task_loss, loss_on_first_target(con, state, setting["data"], STEPS))


def test_the_same_target_again_is_no_second_one() -> None:
    for data in (DATA["full batch"], DATA["one pass, modes"]):
        same = problem(data, switch_overlap=1.0, switch_strength=1.0)
        plain = same | {"data": data}
        one, other = lm.solve(same, STEPS), lm.solve(plain, STEPS)
        np.testing.assert_array_equal(one.test_loss, other.test_loss)
        assert not one.has("first_task_loss")
        nets = [lm.train(each, STEPS, dim=40, seeds=2).test_loss for each in (same, plain)]
        np.testing.assert_array_equal(*nets)


def test_it_is_a_plain_problem_until_the_switch() -> None:
    plain = lm.solve(problem(DATA["epochs"]) | {"data": DATA["epochs"]}, STEPS)
    staged = lm.solve(problem(DATA["epochs"]), STEPS)
    np.testing.assert_allclose(staged.test_loss[:SWITCH], plain.test_loss[:SWITCH], rtol=1e-11)
    later = lm.solve(problem(DATA["epochs"], switch_at=STEPS), STEPS)
    np.testing.assert_allclose(later.test_loss, plain.test_loss, rtol=1e-11)


def test_modes_agree_with_the_dense_oracle() -> None:
    setting = problem(DATA["full batch, modes"])
    solution = lm.solve(setting, STEPS, modes=True)
    expected = oracle.solve_modes(setting, STEPS)
    close(solution.mode_loss, expected["mode_loss"])
    close(solution.mode_learned, 1 - expected["mode_left"] / expected["mode_target"])


@pytest.mark.parametrize("at", [3, 10])
def test_solutions_are_continued_across_the_switch(at: int) -> None:
    setting = problem(DATA["full batch, modes"])
    start = lm.solve(setting, at, keep_state=True)
    more, whole = lm.solve(setting, STEPS, continue_from=start), lm.solve(setting, STEPS)
    for name in ("test_loss", "first_task_loss"):
        np.testing.assert_allclose(getattr(more, name), getattr(whole, name), rtol=1e-12)


def test_outputs_that_decouple_add_up() -> None:
    data = {"kind": "full_batch", "alpha": 2.0, "targets": [1.0, 2.0, 2.0]} | STAGES
    networks = {"network": MLP, "optimizer": {"lr": 0.05}}
    together = lm.solve({"data": data} | networks, STEPS)
    alone = [lm.solve({"data": data | {"targets": [s]}} | networks, STEPS) for s in (1.0, 2.0)]
    expected = alone[0].first_task_loss + 2 * alone[1].first_task_loss
    np.testing.assert_allclose(together.first_task_loss, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"switch_at": 0}, "data.switch_at must be the number of a step from 1 on, got 0"),
        ({"switch_overlap": 1.1}, "data.switch_overlap must be from -1 to 1, got 1.1"),
        ({"switch_strength": -1.0}, "data.switch_strength must be finite and not negative"),
        ({"switch_at": None}, "data.switch_overlap cannot be combined with a single target"),
    ],
)
def test_values_that_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(lm.BadInput, match=message):
        lm.FullBatch(alpha=2.0, **STAGES | changes)


@pytest.mark.parametrize(
    "options",
    [
        {"grid": "adaptive"},
        {"kernels": True},
        {"spectrum_at": [3]},
    ],
)
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(lm.BadInput, match="data.switch_at cannot be combined with"):
        lm.solve(problem(DATA["full batch"]), STEPS, **options)
    with pytest.raises(
        lm.results.NotRequested, match="only there for problems with data.switch_at"
    ):
        _ = lm.solve(problem(DATA["full batch"]) | {"data": DATA["full batch"]}, 2).first_task_loss


def test_dictionaries_keep_it() -> None:
    given = lm.Problem.from_dict(problem(DATA["full batch"]))
    assert given.data.switch_at == SWITCH
    assert lm.Problem.from_dict(given.to_dict()) == given
    plain = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(0.1))
    assert "switch_overlap" not in plain.to_dict()["data"]
