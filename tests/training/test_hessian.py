"""The spectra of the Hessians of trained networks: how ``train`` returns and resumes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import lindmft as lm
from lindmft.cli.commands import commands
from lindmft.results import HessianSpectrum
from lindmft.results.observables import SPECTRUM

BASE = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
UNSTABLE = BASE.replace({"optimizer.lr": 0.6})  # for two of three networks
SIZES: dict[str, Any] = {"dim": 16, "seeds": 3, "threads": 2}
STEPS, ASKED = 30, {"spectrum_at": [29, 0, 12.0, 12], "lanczos": 5}


class Stopped(Exception):  # noqa: N818 (it is no error)
    """Ends a training from its progress callback."""


def stopping(after: int) -> Callable[[int, int], None]:
    def report(done: int, _total: int) -> None:
        if done >= after:
            raise Stopped

    return report


def assert_same(found: HessianSpectrum, expected: HessianSpectrum) -> None:
    for name, values in vars(expected).items():
        if values is not None:
            np.testing.assert_array_equal(getattr(found, name), values, err_msg=name)


def test_the_spectra_have_the_steps_in_order() -> None:
    spectrum = lm.train(BASE, STEPS, **ASKED, **SIZES).spectrum
    assert spectrum.time.tolist() == [0.0, 12.0, 29.0]
    sizes = {"spectrum_time": 3, "ritz": 5}
    for one in SPECTRUM.values():
        values = getattr(spectrum, one.name)
        if one.of_theory:
            assert values is None
        else:
            assert values.shape == (3, *one.shape(sizes)), one.name
    assert (np.diff(spectrum.random_ritz) < 0).all()
    np.testing.assert_allclose(spectrum.random_weight.sum(axis=-1), 1.0, rtol=1e-9)
    assert len(np.unique(spectrum.sharpness)) == 9, "networks differ"
    for dim, most in ((16, 16), (32, 24)):
        assert lm.train(BASE, 3, spectrum_at=2, dim=dim, seeds=1).spectrum.lanczos == most


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"spectrum_at": STEPS}, "spectrum_at"), ({"spectrum_at": 0, "lanczos": 17}, "lanczos")],
)
@pytest.mark.parametrize("call", [lm.train, lm.check_train, lm.estimate_train_memory])
def test_steps_past_the_end_and_more_vectors_than_inputs_are_refused(
    call: Any, asked: Any, field: str
) -> None:
    with pytest.raises(lm.BadInput, match=f"^{field} must be"):
        call(BASE, STEPS, **SIZES, **asked)


def test_several_targets_are_refused() -> None:
    with pytest.raises(lm.BadInput, match="^spectrum_at cannot be combined with several targets"):
        lm.train(BASE.replace({"data.targets": [1.0, 0.5]}), STEPS, **SIZES, spectrum_at=0)


@pytest.mark.parametrize("every", [7, 12, 13, 40])
@pytest.mark.parametrize("problem", [BASE, UNSTABLE], ids=["stable", "unstable"])
def test_checkpoints_have_the_spectra_of_an_uninterrupted_training(
    tmp_path: Path, problem: lm.Problem, every: int
) -> None:
    """Segments without, with one and with several of the steps."""
    path = tmp_path / "runs.nc"
    plain = lm.train(problem, STEPS, **ASKED, **SIZES)
    assert [step is None for step in plain.diverged_at] == (
        [True] * 3 if problem is BASE else [False, False, True]
    )
    call: dict[str, Any] = {"checkpoint": path, "checkpoint_every": every, **ASKED, **SIZES}
    with pytest.raises(Stopped):
        lm.train(problem, STEPS, progress=stopping(2 * every if every < 15 else 1), **call)
    for _ in range(2):  # resumed, and read back
        found = lm.train(problem, STEPS, **call)
        assert_same(found.spectrum, plain.spectrum)
        np.testing.assert_array_equal(found.test_loss, plain.test_loss)


@pytest.mark.parametrize("other", [{}, {"spectrum_at": [0, 12], "lanczos": 5}, {"lanczos": 6}])
def test_a_checkpoint_with_other_spectra_is_refused(tmp_path: Path, other: Any) -> None:
    path = tmp_path / "runs.nc"
    lm.train(BASE, STEPS, checkpoint=path, **ASKED, **SIZES)
    asked = {**ASKED, **other} if "lanczos" in other else other
    field = "lanczos" if other == {"lanczos": 6} else "spectrum_at"
    with pytest.raises(lm.BadInput, match=f"^{field} must be that of the checkpoint"):
        lm.train(BASE, STEPS, checkpoint=path, **asked, **SIZES)


def test_networks_that_diverged_have_infinite_spectra() -> None:
    lost = BASE.replace({"optimizer.lr": 1.0})
    runs = lm.train(lost, STEPS, spectrum_at=[0, 29], lanczos=4, **SIZES)
    assert all(step is not None and 0 < step < 29 for step in runs.diverged_at)
    for one in SPECTRUM.values():
        if not one.of_theory:
            values = getattr(runs.spectrum, one.name)
            assert np.isfinite(values[:, 0]).all(), one.name
            assert np.isposinf(values[:, 1]).all(), one.name


def test_computed_spectra_survive_a_file(tmp_path: Path) -> None:
    runs = lm.train(BASE, STEPS, **ASKED, **SIZES)
    runs.save(tmp_path / "runs.nc")
    assert_same(lm.Ensemble.load(tmp_path / "runs.nc").spectrum, runs.spectrum)


def test_commands_print_the_mean_sharpness(tmp_path: Path) -> None:
    BASE.to_toml(tmp_path / "problem.toml")
    output = tmp_path / "runs.nc"
    arguments = ["train", tmp_path / "problem.toml", "--steps", STEPS, "--dim", 16, "--seeds", 3]
    arguments += ["--spectrum-at", "0,29", "--lanczos", 5, "--output", output]
    done = CliRunner().invoke(commands, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    mean = lm.Ensemble.load(output).spectrum.sharpness.mean(axis=0)
    shown = CliRunner().invoke(commands, ["show", str(output)])
    for text in (done.stdout, shown.stdout):
        lines = text.splitlines()
        (head,) = [i for i, line in enumerate(lines) if "lr*sharpness" in line]
        for line, step, value in zip(lines[head + 1 :], (0, 29), mean, strict=False):
            cells = line.split()
            assert cells[:2] == [str(step), f"{value:.6g}"]
            assert cells[3] == f"{0.05 * value:.6g}"
