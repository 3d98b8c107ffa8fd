"""Errors of gradient flow at time 10^6 over depth, samples, width and richness.

For alpha > 1 every case ends at the loss of least squares, for alpha < 1 at a train loss of zero.

    python bench/flow_table.py [rtol]
"""

import itertools
import sys
import time

from horizon import flow

import lindmft as lm

END, NOISE = 1e6, 0.3
DEPTHS, ALPHAS, WIDTHS, RICHNESS = (1, 2, 3), (0.5, 1.05, 1.5, 2.0, 5.0), (0.5, 2.0), (0.3, 1, 4)


def off(alpha: float, test: float, train: float) -> tuple[float, float]:
    """Return the relative errors at the end; for alpha < 1 the train loss, and no second number."""
    if alpha < 1:
        return 0.0, train
    return test / (NOISE**2 / (alpha - 1)) - 1, train / (NOISE**2 * (1 - 1 / alpha)) - 1


def main(rtol: float = 1e-6) -> None:
    lm.show_config()
    print("depth alpha width gamma0  nodes sweeps seconds  test off train off")
    worst, start = [0.0, 0.0], time.perf_counter()
    for depth, alpha, width, gamma0 in itertools.product(DEPTHS, ALPHAS, WIDTHS, RICHNESS):
        network = lm.MLP(depth=depth, width=width, gamma0=gamma0)
        data = lm.FullBatch(alpha=alpha, noise=NOISE)
        run = flow(lm.Problem(network, data, lm.SGD(lr=1.0)), END, rtol)
        errors = off(alpha, run.test_loss[-1], run.train_loss[-1])
        worst = [max(w, abs(error)) for w, error in zip(worst, errors, strict=True)]
        print(
            f"{depth:>5}{alpha:>6g}{width:>6g}{gamma0:>7g}{len(run.time):>7}"
            f"{run.stats.sweeps:>7}{run.stats.seconds:>8.2f}{errors[0]:>10.0e}{errors[1]:>10.0e}"
        )
    taken = time.perf_counter() - start
    print(f"largest: test {worst[0]:.0e}, train {worst[1]:.0e}; {taken:.0f} s in all")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
