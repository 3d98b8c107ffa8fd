"""A cheap valid call of every public callable, with the kinds of its arguments.

``CALLS`` has an entry for everything that ``public_calls.public`` finds. A test compares the two,
so that a new callable or argument cannot be forgotten here.
"""

import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from public_calls import (
    CALLABLE,
    CHOICE,
    EITHER,
    FLAG,
    MAPPING,
    MATRIX,
    NAMES,
    NONE,
    NUMBER,
    NUMBERS,
    OBJECT,
    PATH,
    PROBLEM,
    PROBLEMS,
    PROGRESS,
    TEXT,
    WHOLE,
    Call,
    Kind,
    kind,
)
from spectra import hessian_spectrum

import lindmft as lm
from lindmft.analysis import verification as verifying
from lindmft.machine import benchmark

BASE = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
DEEP = lm.Problem(lm.ResNet(depth=np.inf), lm.Population(), lm.SGD(lr=0.05))
TRAINED: dict[str, Any] = {"dim": 8, "seeds": 2, "threads": 1}
GIVEN: dict[str, Any] = {"X": np.eye(4)[:, :2] + 1, "y": np.arange(4.0)}
TESTED: dict[str, Any] = {"X_test": np.eye(2), "y_test": np.ones(2)}
SPLIT: dict[str, Any] = {"X": np.eye(8)[:, :2] + 1, "y": np.arange(8.0)}
TIMES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
LOSS = tuple(t**-0.5 for t in TIMES)
FIGURE: dict[str, Any] = {"widths": (0.5,), "dim": 8, "seeds": 4, "steps": 3}


@functools.cache
def theory() -> lm.Solution:
    return lm.solve(BASE, 3, save="all", replicas=True, kernels=True, modes=True)


def spectrum() -> lm.results.HessianSpectrum:
    return hessian_spectrum(times=[0.0, 2.0], lanczos=3)


@functools.cache
def long() -> lm.Solution:
    return lm.solve(BASE, 12)


@functools.cache
def start() -> lm.Solution:
    return lm.solve(BASE, 2, keep_state=True)


@functools.cache
def deep() -> lm.Solution:
    return lm.solve(DEEP, 3, depth_nodes=4)


@functools.cache
def runs() -> lm.Ensemble:
    return lm.train(BASE, 3, kernels=True, modes=True, **TRAINED)


@functools.cache
def pairs() -> lm.ReplicaEnsemble:
    return lm.train_replicas(BASE, 3, **TRAINED)


@functools.cache
def compute() -> lm.ComputeOptimal:
    return lm.compute_optimal(BASE, [1, 2], 4)


@functools.cache
def check() -> lm.CoordinateCheck:
    return lm.coordinate_check(BASE, [1, 2], 3)


@functools.cache
def optima() -> lm.OptimumOverTime:
    return lm.optimum_over_time(BASE, [3, 4], schedules=["constant"], max_solves=12)


@functools.cache
def table() -> lm.Transfer:
    return lm.transfer(BASE, "network.width", [1, 2], 3, max_solves=12)


@functools.cache
def wider() -> lm.WiderIsBetter:
    return lm.wider_is_better(BASE, [1, 2], 3)


@functools.cache
def edges() -> lm.EdgeOfStability:
    return lm.edge_of_stability(BASE, 3, lr=0.1, limits=False, networks=2, dim=8)


@functools.cache
def verified() -> lm.Verification:
    ones = np.ones(4)
    case = verifying.Case(0, BASE, 3, *[np.outer(ones, [1.0, 1.1])] * 3, 16, 0)
    return lm.Verification((case, case), 16, 0)


@functools.cache
def swept() -> Any:
    return lm.sweep(BASE, {"network.width": [1, 2], "optimizer.lr": [0.1, 0.2]}, 3, threads=1)


@functools.cache
def figure() -> Any:
    return lm.figures.get("1")


def ax() -> Any:
    return Figure().subplots()


def two() -> tuple[Any, Any]:
    return tuple(Figure().subplots(1, 2))


def write_files(name: str) -> None:
    """Write the file that a call reads, if any, into the current folder."""
    if name.endswith((".from_json", ".from_toml")):
        BASE.to_json("problem.json")
        BASE.to_toml("problem.toml")
    if name.endswith(".load"):
        theory().save("theory.nc")
        runs().save("runs.nc")
        pairs().save("pairs.nc")
    if name == "open_sweep":
        lm.sweep(BASE, {"optimizer.lr": [0.1]}, 3, store="sweep.zarr")


@functools.cache
def fitted() -> lm.FittedData:
    return lm.from_data(SAMPLES, SAMPLES[:, 0])


SAMPLES = np.random.default_rng(0).standard_normal((40, 2))
OF_DATA = {
    "classes": (FLAG | NONE | NUMBERS | kind("text", "list of it", "array of it")).called("y"),
    "center": FLAG | NONE,
    "estimator": CHOICE,
}
RATE = benchmark.Rate(1e9, 2e9)
LIMITS = benchmark.Limits(2, RATE, RATE, RATE, RATE)


def _solve(**more: Any) -> dict[str, Any]:
    return {"problem": BASE, "steps": 3, "threads": 1, **more}


def _many(**more: Any) -> dict[str, Any]:
    return {"problems": [BASE], "steps": 3, "threads": 1, **more}


def _searched(**more: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"problem": BASE, "steps": 3, "max_solves": 12, "options.threads": 1, **more}


OPTIONS = {
    "options.grid": CHOICE,
    "options.threads": WHOLE | NONE,
    "options.save": NAMES | kind("list of it"),
    "options.progress": PROGRESS,
}
SEARCH = {"objective": CHOICE, "source": NUMBER, **OPTIONS}
STOPPED = OPTIONS | {"options.save": NAMES}
SIZED = {"width": EITHER, "hidden": EITHER, "depth": NUMBER}
WHEN = {"time": EITHER}


SWEPT: dict[str, Any] = {
    "problem": BASE,
    "axes": {"optimizer.lr": [0.1]},
    "steps": 3,
    "run": ("solve", "train"),
    **TRAINED,
}
SWEEP: dict[str, Kind] = {
    "axes": OBJECT.called("problem"),
    "axes[optimizer.lr]": NUMBERS.called("lr")
    | kind("generator", "nested list", "ragged list", "matrix", "dict"),
    "run": NAMES,
    "observables": NAMES | kind("list of it"),
    "times": EITHER | NONE,
    "time": NONE | NUMBER,
    "store": PATH,
    "reuse": PATH,
    "engine": CHOICE,
    "retry_failed": FLAG,
}


CALLS: dict[str, Call] = {
    "MLP": Call(dict, SIZED | {"depth": WHOLE}),
    "ResNet": Call(dict, SIZED | {"width": NUMBER, "hidden": NUMBER}),
    "SGD": Call(
        lambda: {"lr": 0.1},
        {"lr": EITHER, "momentum": EITHER, "nesterov": FLAG, "weight_decay": NUMBER}
        | {"layer_lr": NUMBERS},
    ),
    "EMA": Call(lambda: {"decay": 0.9}, {"decay": NUMBER}),
    "TailAverage": Call(lambda: {"start": 1}, {"start": WHOLE}),
    "CheckpointAverage": Call(lambda: {"steps": [1, 2]}, {"steps": NUMBERS | WHOLE}),
    "FullBatch": Call(lambda: {"alpha": 2.0}),
    "MultiPass": Call(lambda: {"alpha": 2.0, "batch_fraction": 0.5}, {"batch_fraction": NUMBER}),
    "Epochs": Call(lambda: {"alpha": 2.0, "batches": 2}),
    "OnePass": Call(lambda: {"alpha": 2.0}, {"alpha": EITHER, "batch": EITHER}),
    "Population": Call(dict),
    "Discrete": Call(
        lambda: {"eigenvalues": [1.0, 0.5], "target_power": [1.0, 1.0]},
        {"eigenvalues": NUMBERS, "weights": NUMBERS}
        | {"target_power": (NUMBERS | NONE).called("targets"), "trace_class": FLAG}
        | {"targets": (MATRIX | NONE).called("target_power")},
    ),
    "PowerLaw": Call(
        lambda: {"capacity": 1.5, "source": 0.5, "modes": 8},
        {"capacity": NUMBER, "modes": WHOLE},
    ),
    "PowerLaw.leading": Call(
        lambda: {"count": 2}, of=lambda: lm.PowerLaw(capacity=1.5, source=0.5, modes=8)
    ),
    "Problem": Call(
        lambda: {"network": BASE.network, "data": BASE.data, "optimizer": BASE.optimizer}
    ),
    "Problem.from_dict": Call(
        lambda: {"tables": BASE.to_dict()}, {"tables": PROBLEM}, of=lambda: lm.Problem
    ),
    "Problem.from_json": Call(lambda: {"path": "problem.json"}, of=lambda: lm.Problem),
    "Problem.from_toml": Call(lambda: {"path": "problem.toml"}, of=lambda: lm.Problem),
    "Problem.to_json": Call(lambda: {"path": None}, {"path": PATH | NONE}, of=lambda: BASE),
    "Problem.to_toml": Call(lambda: {"path": None}, {"path": PATH | NONE}, of=lambda: BASE),
    "Problem.replace": Call(
        lambda: {"changes": {"optimizer.lr": 0.2}},
        {
            "changes": MAPPING.called("problem") | NONE,
            "changes[optimizer.lr]": EITHER.called("lr"),
            "more.data": OBJECT,
            "more.network__depth": WHOLE.called("depth"),
        },
        of=lambda: BASE,
    ),
    "Problem.vary": Call(
        lambda: {"axes": {"optimizer.lr": [0.1, 0.2]}},
        {
            "axes": MAPPING.called("problem") | NONE,
            "more.network__width": NUMBERS.called("width")
            | kind("list of it", "generator", "nested list", "ragged list", "matrix", "dict"),
            "axes[optimizer.lr]": NUMBERS.called("lr")
            | kind("list of it", "generator", "nested list", "ragged list", "matrix", "dict"),
        },
        of=lambda: BASE,
    ),
    "from_pytorch": Call(
        lambda: {"inputs": 8, "hidden": [8, 8], "samples": 16, "lr": 0.1},
        {
            "hidden": EITHER,
            "depth": WHOLE,
            "lr": EITHER,
            "init": EITHER | TEXT | NAMES,
            "weight_decay": EITHER,
            "base_hidden": EITHER,
            "schedule": NUMBERS,
            "noise_covariance": MATRIX,
            **dict.fromkeys(("gain", "input_scale", "momentum"), NUMBER),
            **dict.fromkeys(("bias", "half", "nesterov"), FLAG),
            **dict.fromkeys(("order", "reduction"), CHOICE),
        },
    ),
    "explore": Call(
        lambda: {"problem": BASE, "steps": 3, "height": 300},
        {"problem": PROBLEM | NONE, "height": WHOLE},
    ),
    "Explorer.save": Call(lambda: {"path": "page.html"}, of=lambda: lm.explore(BASE)),
    "to_pytorch": Call(
        lambda: {"problem": BASE, "inputs": 8},
        {"inputs": WHOLE, "order": CHOICE, "reduction": CHOICE, "half": FLAG},
    ),
    "PyTorchLoop.code": Call(
        lambda: {"framework": "numpy", "steps": 2, "networks": 2},
        {"framework": CHOICE, "networks": WHOLE},
        of=lambda: lm.to_pytorch(BASE, inputs=8),
    ),
    "Solution.at": Call(lambda: {"times": [0.0, 2.0]}, {"times": EITHER}, of=theory),
    "Solution.ensemble_loss": Call(dict, of=theory),
    "Solution.has": Call(lambda: {"name": "C_h"}, {"name": CHOICE}, of=theory),
    "Solution.profile": Call(
        lambda: {"name": "feature_norm", "tau": 0.5}, {"name": CHOICE}, of=deep
    ),
    "Solution.save": Call(
        lambda: {"path": "theory.nc", "state": False, "force": False},
        {"state": FLAG | NONE},
        of=theory,
        costly=True,
    ),
    "Solution.load": Call(lambda: {"path": "theory.nc"}, of=lambda: lm.Solution),
    "results.HessianSpectrum.density": Call(
        lambda: {"bins": 4, "start": "target"},
        {"bins": EITHER | kind("range"), "start": CHOICE},
        of=spectrum,
    ),
    "stability_threshold": Call(lambda: {"optimizer": BASE.optimizer, "step": 0}, {"step": WHOLE}),
    "Ensemble.has": Call(lambda: {"name": "test_loss"}, {"name": CHOICE}, of=runs),
    "Ensemble.save": Call(lambda: {"path": "runs.nc", "force": False}, of=runs, costly=True),
    "Ensemble.load": Call(lambda: {"path": "runs.nc"}, of=lambda: lm.Ensemble),
    "Ensemble.from_arrays": Call(
        lambda: {"problem": BASE, "test_loss": [1.0, 0.5], "train_loss": [1.0, 0.5], "dim": 8},
        dict.fromkeys(
            ("test_loss", "train_loss"),
            (MATRIX | kind("scalar array", "nan")).called("test_loss", "train_loss"),
        ),
        of=lambda: lm.Ensemble,
    ),
    "results.Series.has": Call(
        lambda: {"name": "test_loss"}, {"name": CHOICE}, of=lambda: runs().mean()
    ),
    "results.ReplicaSeries.has": Call(
        lambda: {"name": "test_loss"}, {"name": CHOICE}, of=lambda: pairs().mean()
    ),
    "ReplicaEnsemble.has": Call(lambda: {"name": "test_loss"}, {"name": CHOICE}, of=pairs),
    "ReplicaEnsemble.save": Call(
        lambda: {"path": "pairs.nc", "force": False}, of=pairs, costly=True
    ),
    "ReplicaEnsemble.load": Call(lambda: {"path": "pairs.nc"}, of=lambda: lm.ReplicaEnsemble),
    "Replicas": Call(
        lambda: dict.fromkeys(
            ("test_loss", "shared_init", "shared_data", "independent"), np.ones(3)
        ),
        dict.fromkeys(
            ("test_loss", "shared_init", "shared_data", "independent"),
            MATRIX | kind("scalar array", "nan", "nested list of it"),
        ),
    ),
    "Replicas.ensemble_loss": Call(dict, of=lambda: theory().replicas),
    "PredictedExponents.lazy_loss": Call(
        lambda: {"time": [1.0, 10.0], "capacity": 2.0},
        {"time": EITHER, "capacity": NUMBER, "kernel": NUMBER},
        of=lambda: lm.predicted_exponents(0.5),
    ),
    "Verification.worst": Call(dict, of=verified),
    "solve": Call(_solve),
    "flow": Call(lambda: {"problem": BASE, "time": 1e-3, "threads": 1}, untried=("time = large",)),
    "solve_many": Call(_many),
    "flow_many": Call(
        lambda: {"problems": [BASE], "time": 1e-3, "threads": 1}, untried=("time = large",)
    ),
    "estimate_memory": Call(lambda: {"problem": BASE, "steps": 3}),
    "check_solve": Call(lambda: {"problem": BASE, "steps": 3}, {"problem": PROBLEMS}),
    "check_flow": Call(lambda: {"problem": [BASE], "time": 1e-3}, {"problem": PROBLEMS}),
    "check_train": Call(
        lambda: {"problem": BASE, "steps": 3, **TRAINED},
        {"problem": PROBLEMS, "k_init": WHOLE, "k_data": WHOLE},
    ),
    "train": Call(lambda: {"problem": BASE, "steps": 3, **TRAINED}, {"noise_draw": WHOLE}),
    "train_many": Call(lambda: {"problems": [BASE], "steps": 3, **TRAINED}),
    "train_replicas": Call(
        lambda: {"problem": BASE, "steps": 3, **TRAINED}, {"k_init": WHOLE, "k_data": WHOLE}
    ),
    "estimate_train_memory": Call(
        lambda: {"problem": BASE, "steps": 3, **TRAINED},
        {"problem": PROBLEMS, "k_init": WHOLE, "k_data": WHOLE},
    ),
    "sweep": Call(lambda: SWEPT, SWEEP, costly=True),
    "open_sweep": Call(lambda: {"store": "sweep.zarr"}),
    "sweep_summary": Call(lambda: {"dataset": swept()}),
    "citation": Call(lambda: {"problem": BASE, "file": io.StringIO()}),
    "show_config": Call(lambda: {"file": io.StringIO()}),
    "schedule": Call(
        lambda: {"name": "linear", "steps": 3},
        {"name": CHOICE, "peak": NUMBER, "warmup": NUMBER, "end": NUMBER},
    ),
    "from_covariance": Call(lambda: {"matrix": np.eye(2), "target": [1.0, 1.0]}),
    "from_data": Call(lambda: {"X": SAMPLES, "y": SAMPLES[:, 0], "classes": None}, OF_DATA),
    "estimate_noise": Call(lambda: {"X": SAMPLES, "y": SAMPLES[:, 0], "classes": None}, OF_DATA),
    "FittedData.full_batch": Call(lambda: {"samples": 4}, of=fitted),
    "FittedData.epochs": Call(lambda: {"samples": 4, "batches": 2}, {"batches": WHOLE}, of=fitted),
    "FittedData.multi_pass": Call(
        lambda: {"samples": 4, "batch_fraction": 0.5}, {"batch_fraction": NUMBER}, of=fitted
    ),
    "FittedData.prepare": Call(lambda: {"X": SAMPLES, "y": SAMPLES[:, 0]}, of=fitted),
    "FittedData.one_pass": Call(lambda: {"batch": 4}, {"batch": EITHER}, of=fitted),
    "check_scaling": Call(
        lambda: {"problem": BASE, "test_loss": theory().test_loss, "threads": 1},
        {"test_loss": MATRIX},
        costly=True,
    ),
    "compare": Call(
        lambda: {"theory": theory(), "runs": runs(), "dim": None},
        {"runs": OBJECT.called("dim", "test_loss"), "dim": NONE},
    ),
    "local_exponent": Call(lambda: {"curve": TIMES, "loss": LOSS}),
    "fit_exponent": Call(
        lambda: {"curve": TIMES, "loss": LOSS, "window": (1.0, 32.0)},
        {"window": NUMBERS, "decades": NUMBER, "tolerance": NUMBER},
    ),
    "predicted_exponents": Call(lambda: {"source": 0.5}, {"depth": NUMBER}),
    "compare_exponents": Call(
        lambda: {"curves": {"a": (TIMES, LOSS)}, "source": 0.5},
        {
            "curves[a]": OBJECT.called("time", "loss", "curve"),
            "source": NUMBER | kind("dict", "dict of it"),
            "depth": NUMBER | kind("dict", "dict of it"),
            "fit.window": NUMBERS | NONE,
            "fit.observable": CHOICE,
        },
    ),
    "compute_optimal": Call(
        lambda: {"problem": BASE, "widths": [1.0, 2.0], "steps": 4, "options.threads": 1},
        {"cost": CALLABLE, **OPTIONS},
    ),
    "compute.step_cost": Call(lambda: {"problem": BASE}),
    "best_point": Call(
        lambda: {"dataset": swept(), "observable": "theory_test_loss"},
        {"along": NAMES | kind("text")},
    ),
    "wider_is_better": Call(
        lambda: {"problem": BASE, "widths": [1.0, 2.0], "steps": 3, "options.threads": 1}, OPTIONS
    ),
    "coordinate_check": Call(
        lambda: {"problem": BASE, "widths": [1.0, 2.0], "steps": 3, "threads": 1},
        {"at": NUMBERS, "scalings[muP]": MAPPING.called("network", "scalings", "problem")},
    ),
    "optimal_lr": Call(_searched(), SEARCH, costly=True),
    "optimal_lrs": Call(
        lambda: {"problems": [BASE], "steps": 3, "max_solves": 12}, SEARCH, costly=True
    ),
    "largest_stable_lr": Call(lambda: {"problem": BASE, "steps": 3}, SEARCH, costly=True),
    "largest_stable_lrs": Call(lambda: {"problems": [BASE], "steps": 3}, SEARCH, costly=True),
    "edge_of_stability": Call(
        lambda: {
            "problem": BASE,
            "steps": 3,
            "lr": 0.1,
            "widths": [1.0],
            "parameterizations": ["mup"],
            "times": [0, 2],
            "limits": False,
            "networks": 1,
            "dim": 8,
            "options.threads": 1,
            "options.lanczos": 3,
        },
        {
            **OPTIONS,
            "options.grid": CHOICE | NONE,
            "steps": WHOLE.called("times"),
            "dim": WHOLE.called("lanczos"),
            "lr": EITHER,
            "grid": CHOICE | NONE,
            "limits": FLAG,
            "networks": WHOLE,
            "parameterizations": NAMES | kind("none"),
            "options.lanczos": WHOLE | NONE,
        },
    ),
    "optimum_over_time": Call(
        lambda: {"problem": BASE, "steps": [3, 4], "schedules": ["constant"], "max_solves": 12},
        {
            **SEARCH,
            "steps": NUMBERS,
            "schedules": kind("scalar array of it"),
            "schedules[own]": CALLABLE,
        },
        costly=True,
    ),
    "transfer": Call(
        lambda: {"problem": BASE, "path": "network.width", "sizes": [1.0, 2.0], "steps": 3},
        {
            **SEARCH,
            "path": CHOICE.called("problem", "network"),
            "sizes": NUMBERS,
            "base": NUMBER,
            "scalings[muP]": MAPPING.called("network", "scalings", "problem"),
        },
        costly=True,
    ),
    "verify": Call(lambda: {"count": 10, "dim": 16, "seeds": 16}, {"seeds": WHOLE}, costly=True),
    "verification.cases": Call(
        lambda: {"count": 1, "dim": 16, "seeds": 16}, {"seeds": WHOLE}, costly=True
    ),
    "verification.check_count": Call(lambda: {"count": 10}),
    "plotting.compare": Call(lambda: {"theory": theory(), "runs": runs(), "ax": ax()}),
    "plotting.compute_optimal": Call(lambda: {"found": compute(), "ax": ax()}, {"unit": TEXT}),
    "plotting.coordinates": Call(lambda: {"check": check(), "axes": None}, {"layer": WHOLE}),
    "plotting.edge_of_stability": Call(
        lambda: {"found": edges(), "ax": ax(), "lr": 0.1}, {"lr": NUMBER}
    ),
    "plotting.exponents": Call(
        lambda: {"curves": {"a": (TIMES, LOSS)}, "axes": two()},
        {
            "curves[a]": OBJECT.called("time", "loss", "curve"),
            "axes": kind("scalar array of it"),
            "depth": NUMBER,
        },
    ),
    "plotting.kernels": Call(lambda: {"theory": theory(), "runs": runs(), "ax": ax()}),
    "plotting.losses": Call(
        lambda: {"result": theory(), "ax": ax(), "colour": "red"},
        {"colour": kind("scalar of it"), "labels": FLAG},
    ),
    "plotting.mode_curves": Call(
        lambda: {"theory": theory(), "runs": runs(), "name": "mode_loss", "ax": ax()},
        {"name": CHOICE},
    ),
    "plotting.optimum_over_time": Call(
        lambda: {"found": optima(), "axes": two()}, {"axes": kind("scalar array of it")}
    ),
    "plotting.profile": Call(
        lambda: {"theory": theory(), "name": "feature_norm", "steps": [0, 2]},
        {"name": CHOICE, "steps": NUMBERS},
    ),
    "plotting.spectrum": Call(
        lambda: {"theory": spectrum(), "runs": hessian_spectrum([0.0, 2.0], seeds=2), "axes": None}
    ),
    "plotting.stability": Call(
        lambda: {"rates": {"a": ([1.0, 2.0], [0.2, 0.1])}, "slopes": {"a": -1.0}, "ax": ax()},
        {
            "rates": OBJECT,
            "rates[a]": OBJECT,
            "slopes": MAPPING | kind("dict"),
            "slopes[a]": NUMBER,
            "xlabel": TEXT,
        },
    ),
    "plotting.sweep": Call(
        lambda: {"dataset": swept(), "x": "lr", "lines": "width", "ax": ax(), "time": 2.0},
        {
            "x": CHOICE,
            "lines": CHOICE,
            "select": MAPPING.called("a key of select"),
            "select[width]": NUMBER.called("width"),
        },
    ),
    "plotting.transfer": Call(
        lambda: {"table": table(), "axes": two()}, {"axes": kind("scalar array of it")}
    ),
    "plotting.transfer_rates": Call(lambda: {"table": table(), "ax": ax()}),
    "plotting.variances": Call(lambda: {"theory": theory(), "ax": ax()}),
    "plotting.verification": Call(lambda: {"found": verified()}),
    "plotting.wider_is_better": Call(lambda: {"found": wider(), "ax": ax()}),
    "figures.get": Call(lambda: {"name": "1"}, {"name": CHOICE.called("figure")}),
    "figures.parse": Call(lambda: {"name": "1a"}, {"name": CHOICE.called("figure")}),
    "figures.Figure.changed": Call(
        lambda: {"quick": True, "changes": {"dim": 8}},
        {"changes": MAPPING.called("the parameter")},
        of=figure,
    ),
    "figures.Figure.label": Call(lambda: {"panel": "a"}, {"panel": TEXT}, of=figure),
    "figures.Figure.make": Call(
        lambda: {"panels": "a", "quick": True, **{f"changes.{k}": v for k, v in FIGURE.items()}},
        {
            "panels": CHOICE.called("the panel"),
            "changes.widths": EITHER,
            "changes.dim": WHOLE,
            "changes.seeds": WHOLE,
        },
        of=figure,
        costly=True,
    ),
    "figures.Figure.paths": Call(
        lambda: {"folder": ".", "panels": ["a"]},
        {"panels": kind("empty list", "array of texts", "scalar array of it", "empty array")},
        of=figure,
    ),
    "figures.Result.save": Call(
        lambda: {"folder": "."}, of=lambda: figure().make("a", quick=True, **FIGURE), costly=True
    ),
    "benchmark.Limits.best": Call(lambda: {"other": LIMITS}, of=lambda: LIMITS),
    "benchmark.Limits.least_seconds": Call(
        lambda: {"operations": 1.0, "moved": 1.0, "threads": 1},
        {"operations": NUMBER, "moved": NUMBER},
        of=lambda: LIMITS,
    ),
    "benchmark.Rate.best": Call(lambda: {"other": RATE}, of=lambda: RATE),
    "benchmark.Rate.on": Call(lambda: {"threads": 1}, of=lambda: RATE),
    "benchmark.Sizes": Call(
        dict,
        dict.fromkeys(
            (
                *("solves", "solve_steps", "rates", "seeds", "sweep_dim", "sweep_steps"),
                *("single_dim", "single_steps", "adaptive", "repeats"),
            ),
            WHOLE,
        )
        | {"exact": NUMBERS, "seconds": NUMBER},
    ),
    "benchmark.reference": Call(dict, {"lr": EITHER, "width": EITHER | NONE, "depth": WHOLE}),
    "benchmark.run": Call(dict, {"report": CALLABLE}, costly=True),
    "progress.reporting": Call(
        lambda: {"progress": None, "label": "solve"}, {"label": TEXT, "unit": TEXT}
    ),
    # The same callables with other arguments: some arguments are only checked beside these.
    "solve (adaptive)": Call(lambda: _solve(grid="adaptive", rtol=1e-3, atol=1e-6)),
    "solve (spectrum)": Call(lambda: _solve(spectrum_at=[0, 1], lanczos=2)),
    "train (spectrum)": Call(
        lambda: {"problem": BASE, "steps": 3, **TRAINED, "spectrum_at": [0, 1], "lanczos": 2},
        {"noise_draw": WHOLE},
    ),
    "solve (continued)": Call(
        lambda: _solve(continue_from=start()),
        dict.fromkeys(("replicas", "kernels", "modes"), FLAG.called("continue_from"))
        | {"checkpoint": PATH.called("continue_from")},
    ),
    "solve (checkpoint)": Call(lambda: _solve(checkpoint="start.nc"), costly=True),
    "train (checkpoint)": Call(
        lambda: {"problem": BASE, "steps": 3, **TRAINED, "checkpoint": "trained.nc"},
        {"noise_draw": WHOLE},
        costly=True,
    ),
    "solve_many (adaptive)": Call(lambda: _many(grid="adaptive", rtol=1e-3)),
    "train (seeds)": Call(
        lambda: {"problem": BASE, "steps": 3, **TRAINED, "seeds": [1, 2]}, {"noise_draw": WHOLE}
    ),
    "train (samples)": Call(
        lambda: {"problem": BASE, "steps": 3, "seeds": 2, "threads": 1, **GIVEN, **TESTED},
        {"noise_draw": WHOLE},
    ),
    "train_many (split)": Call(
        lambda: {"problems": [BASE], "steps": 3, "seeds": 2, **SPLIT, "test_fraction": 0.5},
    ),
    "estimate_train_memory (replicas)": Call(
        lambda: {"problem": BASE, "steps": 3, "k_init": 2, "k_data": 2, **TRAINED},
        {"problem": PROBLEMS.called("k_init"), "k_init": WHOLE, "k_data": WHOLE},
    ),
    "estimate_train_memory (many)": Call(
        lambda: {"problem": [BASE], "steps": 3, **TRAINED},
        {"problem": PROBLEMS, "k_init": WHOLE.called("k_data"), "k_data": WHOLE},
    ),
    "sweep (theory)": Call(lambda: SWEPT | {"run": "solve", "times": "last"}, SWEEP, costly=True),
    "sweep (flow)": Call(
        lambda: SWEPT | {"run": "flow", "steps": None, "time": 1e-3}, SWEEP, costly=True
    ),
    "sweep (training)": Call(lambda: SWEPT | {"run": ["train"]}, SWEEP, costly=True),
    "local_exponent (result)": Call(lambda: {"curve": long()}),
    "fit_exponent (found)": Call(
        lambda: {"curve": long(), "tolerance": 9.0, "decades": 0.1},
        {
            "window": NUMBERS,
            "decades": NUMBER.called("window"),
            "tolerance": NUMBER,
            "span": NUMBER.called("window"),
        },
    ),
    "coordinate_check (trained)": Call(
        lambda: {"problem": BASE, "widths": [1.0, 2.0], "steps": 3, "at": [0, 2], **TRAINED},
        {"at": NUMBERS},
        costly=True,
    ),
    "figures.Figure.make (all panels)": Call(
        lambda: {"quick": True}, {"panels": CHOICE.called("the panel")}, of=figure, costly=True
    ),
}
