"""Time of ``from_data``, and the bias of its estimates for labels that are noise alone.

python bench/from_data.py          time for 20000 x 784 inputs, median of five
python bench/from_data.py bias     mean and standard deviation of 200 estimates
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np

import lindmft as lm

RUNS, DRAWS = 5, 200
SAMPLES, INPUTS, CLASSES = 20_000, 784, 10


def median(call: Callable[[], object]) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def times() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((SAMPLES, INPUTS)) / np.arange(1, INPUTS + 1) ** 0.5
    y = X[:, 0] + 0.5 * rng.standard_normal(SAMPLES)
    names = np.digitize(y, np.quantile(y, np.arange(1, CLASSES) / CLASSES))
    small = X.astype(np.float32)
    calls: dict[str, Callable[[], object]] = {
        "one output": lambda: lm.from_data(X, y),
        "one output, means subtracted": lambda: lm.from_data(X, y, center=True),
        "ten classes": lambda: lm.from_data(X, names, classes=True),
        "ten classes, single precision": lambda: lm.from_data(small, names, classes=True),
        "ridge": lambda: lm.from_data(X, names, classes=True, estimator="ridge"),
        "held_out": lambda: lm.from_data(X, names, classes=True, estimator="held_out"),
        "estimate_noise": lambda: lm.estimate_noise(X, y),
        "one factorization by NumPy (qr)": lambda: np.linalg.qr(X, mode="r"),
    }
    for name, call in calls.items():
        print(f"{name:32s} {median(call):6.2f} s", flush=True)


def bias() -> None:
    warnings.simplefilter("ignore", lm.DataWarning)
    for inputs in (60, 200):
        for ratio in (0.5, 1.5, 5.0):
            row = [_estimates(round(ratio * inputs), inputs, name) for name in ESTIMATORS]
            signal = [_text(found[:, 0]) for found in row]
            noise = [_text(found[:, 1]) for found in row[1:]]
            print("|", " | ".join([f"{ratio:g}", f"{inputs}", *signal, *noise]), "|", flush=True)


ESTIMATORS = ("population", "least_squares", "ridge", "held_out")


def _estimates(samples: int, inputs: int, estimator: str) -> np.ndarray:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(DRAWS):
        X, y = rng.standard_normal((samples, inputs)), rng.standard_normal(samples)
        data = lm.from_data(X, y, estimator=estimator)
        found.append([data.signal, data.noise_variance])
    return np.array(found)


def _text(values: np.ndarray) -> str:
    if np.isnan(values).any():
        return "not known"
    return f"{values.mean():.3f} ± {values.std():.3f}"


if __name__ == "__main__":
    bias() if sys.argv[1:] == ["bias"] else times()
