"""Write results of the native core, with which the explorer compares its own core.

``python native_cases.py OUT.mjs`` writes a JavaScript module, because JSON has no infinity. Each
case has the fields and options of ``lindmft.h`` for one call, and the arrays of its native result
under the names of ``lindmft_result_name``.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

import lindmft as lm
from lindmft import _core

SGD = lm.SGD(lr=0.1)
NOISY = lm.FullBatch(alpha=2.0, noise=0.3)
PLAIN = lm.Problem(lm.MLP(depth=2), NOISY, SGD)
TWO = lm.Discrete([1.5, 0.5], target_power=[0.5, 1.5], weights=[0.5, 0.5])
POWER_LAW = lm.PowerLaw(1.5, 0.5)

SOLVED: dict[str, tuple[lm.Problem, int, dict[str, Any]]] = {
    "one hidden layer, 200 steps": (lm.Problem(lm.MLP(depth=1), NOISY, SGD), 200, {}),
    "two hidden layers": (PLAIN, 100, {"modes": True}),
    "all arrays": (PLAIN, 60, {"save": ["all"], "replicas": True, "kernels": True}),
    "four hidden layers": (lm.Problem(lm.MLP(depth=4), NOISY, SGD), 60, {}),
    "residual network of infinite depth": (
        lm.Problem(lm.ResNet(depth=np.inf), NOISY, lm.SGD(lr=0.05)),
        40,
        {},
    ),
    "residual network of six layers": (
        lm.Problem(lm.ResNet(depth=6, width=2.0), NOISY, lm.SGD(lr=0.05, momentum=0.5)),
        60,
        {"replicas": True},
    ),
    "a million steps": (PLAIN, 10**6, {"grid": "adaptive"}),
    "power law, population": (
        lm.Problem(lm.MLP(hidden=1024), lm.Population(spectrum=POWER_LAW), SGD),
        200,
        {},
    ),
    "power law, 500 samples": (
        lm.Problem(lm.MLP(hidden=1024), lm.FullBatch(samples=500, spectrum=POWER_LAW), SGD),
        100,
        {},
    ),
    "two eigenvalues, neural tangent kernel, momentum": (
        lm.Problem(
            lm.MLP(depth=2, parameterization="ntk"),
            lm.FullBatch(alpha=2.0, noise=0.3, spectrum=TWO),
            lm.SGD(lr=0.01, momentum=0.9),
        ),
        60,
        {},
    ),
    "one pass": (lm.Problem(lm.MLP(depth=2), lm.OnePass(alpha=0.5, noise=0.3), SGD), 100, {}),
    "shuffled epochs": (
        lm.Problem(lm.MLP(depth=2), lm.Epochs(2.0, 4, 0.3), lm.SGD(lr=0.06)),
        60,
        {"replicas": True},
    ),
    "infinite width": (lm.Problem(lm.MLP(depth=3, width=np.inf), NOISY, SGD), 60, {}),
    "learning rate too large": (lm.Problem(lm.MLP(depth=2), NOISY, lm.SGD(lr=2.0)), 60, {}),
}
TRAINED: dict[str, tuple[lm.Problem, int, dict[str, Any]]] = {
    "two networks": (PLAIN, 100, {"dim": 100, "seeds": [0, 7]}),
    "networks trained in one pass": (
        lm.Problem(lm.MLP(depth=2), lm.OnePass(alpha=0.5, noise=0.3), SGD),
        60,
        {"dim": 80, "seeds": [1, 2, 3]},
    ),
    "a residual network with shuffled epochs": (
        lm.Problem(lm.ResNet(depth=3), lm.Epochs(2.0, 4, 0.3), lm.SGD(lr=0.05)),
        60,
        {"dim": 60, "seeds": [5], "kernels": True},
    ),
}

REPLICAS = ("shared_init", "shared_data", "independent")


def c_name(series: str) -> str:
    """Return the name that the C interface gives a series of the Python binding."""
    if series in REPLICAS:
        return f"replicas.{series}"
    return series.replace("kernel_", "kernels.")


def numbers(value: Any) -> list[float]:
    return np.asarray(value, dtype=float).ravel().tolist()


def fields(problem: lm.Problem) -> dict[str, Any]:
    """Return the fields of a problem by the names of ``lindmft_problem_set_double``."""
    parts = ("Network", "Spectrum", "Data", "Optimizer", "Problem")
    recorded = dict.fromkeys(parts, SimpleNamespace)
    with patch.multiple(_core, validate=lambda *_: None, **recorded):
        core = problem.as_core()
    data = vars(core.data) | {"kind": core.data.mode}
    data["alpha"] = data.pop("alphas") or data["alpha"]
    del data["mode"]
    spectrum = vars(data.pop("spectrum"))
    named = {"network": vars(core.network), "data": data, "data.spectrum": spectrum}
    named["optimizer"] = vars(core.optimizer)
    flat = {f"{part}.{name}": value for part, of in named.items() for name, value in of.items()}
    return {name: plain(value) for name, value in flat.items() if not empty(value)}


def plain(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        return np.inf if value == _core.INFINITE_DEPTH else value
    return value.name if hasattr(value, "name") else numbers(value)


def empty(value: Any) -> bool:
    return hasattr(value, "__len__") and len(value) == 0


def solved(problem: lm.Problem, steps: int, options: dict[str, Any]) -> dict[str, Any]:
    given = _core.SolveOptions(**options)
    result = _core.solve(problem.as_core(), steps, given, continue_from=None, progress=None)
    diverged_at = result["diverged_at"]
    single = {"time": result["time"], "irreducible": result["irreducible"]}
    single["diverged_at"] = -1 if diverged_at is None else diverged_at
    return arrays(result["series"] | result["functions"] | single)


def trained(problem: lm.Problem, steps: int, options: dict[str, Any]) -> dict[str, Any]:
    result = _core.train(problem.as_core(), steps, _core.TrainOptions(**options), progress=None)
    single = {"time": result["time"], "diverged_at": result["diverged_at"]}
    return arrays(result["series"] | single)


def arrays(values: dict[str, Any]) -> dict[str, list[float]]:
    return {c_name(name): numbers(value) for name, value in values.items()}


def words(options: dict[str, Any]) -> dict[str, Any]:
    return {k: ",".join(v) if isinstance(v, list) else v for k, v in options.items()}


def cases() -> list[dict[str, Any]]:
    out = []
    for name, (problem, steps, options) in SOLVED.items():
        job = {
            "call": "solve",
            "fields": fields(problem),
            "steps": steps,
            "options": words(options),
        }
        out.append({"name": name, "job": job, "native": solved(problem, steps, options)})
    for name, (problem, steps, options) in TRAINED.items():
        sizes = {key: options[key] for key in ("dim", "seeds")}
        rest = {key: value for key, value in options.items() if key not in sizes}
        job = {"call": "train", "fields": fields(problem), "steps": steps, "options": rest} | sizes
        out.append({"name": name, "job": job, "native": trained(problem, steps, options)})
    return out


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(f"export default {json.dumps(cases())};\n")
