"""Baseline: the dense fixed point in NumPy and BLAS, the usual way to solve mean-field equations.

Full batch, isotropic inputs, equal widths, plain gradient descent (theory.md sections 3 and 8). A
sweep computes all T x T correlations and responses (network backward -> data -> network forward)
with the newest values, until the losses stop changing. It is meant as a fair comparison:

* every response is lower triangular, so products are TRMM (half a GEMM) and inverses are one TRSM;
  with R = Q B the same solve also gives Q = (I - B A)^-1 = I + R A without a second factorization;
* the readout's correlation is all ones: its congruence is an outer product;
* at the fixed point R_Delta is a function of Bt, so they commute: G = H, Y = H R_Delta is used for
  C_Delta, C_h^0 and R_hr^0, and H Bt R_Delta = I - H needs no separate product;
* R_Delta and C_Delta are iterated twice per sweep: this is cheap, and saves a third of the sweeps.

Anderson acceleration and continuation in T need 17 to 20 sweeps instead of 22, but not less time.

Arrays are C-ordered; the BLAS calls see their transposes, which are Fortran-ordered without a copy.

Usage: ``python dense_numpy.py [steps ...]``
"""

import sys
import time

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dtrmm, dtrsm

Array = NDArray[np.float64]
DATA_ITERATIONS = 2
"""Updates of R_Delta and C_Delta in each sweep. Sweeps at T = 400: 36 with 1 update, 22
with 2, 21 with 3."""


def times(lower: Array, matrix: Array) -> Array:
    """Return lower @ matrix, with lower triangular."""
    return np.asarray(dtrmm(1.0, lower.T, matrix.T, side=1, lower=0)).T


def congruence(lower: Array, matrix: Array) -> Array:
    """Return lower @ matrix @ lower.T, with lower triangular and matrix symmetric."""
    left = dtrmm(1.0, lower.T, matrix.T, side=1, lower=0)
    return np.asarray(dtrmm(1.0, lower.T, left, side=0, trans_a=1, lower=0, overwrite_b=1)).T


def solve_unit(lower: Array, matrix: Array) -> Array:
    """Return lower^-1 @ matrix, with lower unit triangular (its diagonal is not read)."""
    return np.asarray(dtrsm(1.0, lower.T, matrix.T, side=1, lower=0, diag=1)).T


def add_identity(matrix: Array) -> None:
    """Add the identity in place."""
    np.einsum("tt->t", matrix)[:] += 1.0


def combine(R: Array, K: Array, C: Array) -> Array:
    """Return R + K*C, elementwise (A, B and Bt of theory.md section 8)."""
    total = K * C
    total += R
    return total


def squares(left: Array, lower: Array) -> Array:
    """Return the diagonal of left @ lower.T."""
    return np.asarray(np.einsum("ts,ts->t", left, lower))


def respond(
    B: Array, A: Array, C_own: Array | None, C_other: Array | None, gamma2: float
) -> tuple[Array, Array]:
    """Return correlation and response of g = r + B h, h = u + A g; None is the all-ones matrix.

    Called with (B, A, C_r, C_u) it gives C_g, R_gu; with (A, B, C_u, C_r) it gives C_h, R_hr.
    """
    loop = times(B, A)
    loop *= -gamma2
    R = solve_unit(loop, B)
    Q = times(R, A)
    Q *= gamma2
    add_identity(Q)
    C = spread(R, C_other)
    C *= gamma2
    C += spread(Q, C_own)
    return C, R


def spread(lower: Array, C: Array | None) -> Array:
    """Return lower @ C @ lower.T, an outer product where C is all ones (None)."""
    if C is None:
        row_sums = lower.sum(axis=1)
        return np.outer(row_sums, row_sums)
    return congruence(lower, C)


class DataSide:
    """The map from (C_g^1, R_gu^1) to (C_h^0, R_hr^0); keeps R_Delta and C_Delta of each sweep."""

    def __init__(self, steps: int, alpha: float, noise: float, rho: float) -> None:
        self.alpha, self.noise, self.rho = alpha, noise, rho
        self.R_delta, self.C_delta = np.eye(steps), np.zeros((steps, steps))
        self.losses = np.full((2, steps), np.inf)

    def __call__(self, Bt: Array, C_g: Array) -> tuple[Array, Array]:
        """Return C_h^0 and R_hr^0 (theory.md section 3, regular variables)."""
        for _ in range(DATA_ITERATIONS):
            X = self.loop(Bt)
            self.R_delta = solve_unit(X + Bt / self.alpha, X)
        HB = solve_unit(self.loop(Bt), Bt)
        P = times(HB, self.R_delta)  # H Bt R_Delta = I - H
        H = -P
        add_identity(H)
        Y = times(H, self.R_delta)
        S = self.rho * C_g
        S += 1.0
        target = congruence(Y, S)
        label = self.noise * self.R_delta.sum(axis=1)
        source = target + np.outer(label, label)
        for _ in range(DATA_ITERATIONS):
            self.C_delta = congruence(P, self.C_delta)
            self.C_delta /= self.alpha
            self.C_delta += source
        test = squares(times(H, S), H) + squares(times(HB, self.C_delta), HB) / self.alpha
        self.losses = np.array([test, np.diag(self.C_delta)])
        C_u = congruence(H, self.C_delta)
        C_u /= self.alpha
        C_u += target
        Y *= -self.rho
        return C_u, Y

    def loop(self, Bt: Array) -> Array:
        """Return I + Bt R_Delta, the inverse of H."""
        X = times(Bt, self.R_delta)
        add_identity(X)
        return X


@np.errstate(over="ignore", invalid="ignore")
def solve_dense(
    depth: int,
    width: float,
    gamma0: float,
    alpha: float,
    noise: float,
    lr: float,
    steps: int,
    tol: float = 1e-10,
    max_sweeps: int = 500,
) -> tuple[Array, Array, int]:
    """Return test loss (T,), train loss (T,) and number of sweeps; T = steps.

    Stops when no loss changed by more than `tol` in a sweep, relative to itself plus a millionth of
    its initial value (noiseless losses fall to zero). Raises ArithmeticError when the iteration
    overflows, which it can where the dynamics do not, or needs more than `max_sweeps` sweeps.
    """
    gamma2, zero = gamma0**2, np.zeros((steps, steps))
    data = DataSide(steps, alpha, noise, 1 / (gamma2 * width))
    K = lr * np.tril(np.ones((steps, steps)), -1)
    C_h, R_hr = [zero] * (depth + 1), [zero] * (depth + 1)  # l = 0..L
    C_g: list[Array | None] = [None] * (depth + 2)  # l = 1..L+1; None: all ones
    B = [K] * (depth + 1)  # B_0 = Bt; the readout's never changes: C_g^{L+1} = 1, R_gu^{L+1} = 0
    for sweep in range(1, max_sweeps + 1):
        old = data.losses
        for layer in range(depth, 0, -1):
            A = combine(R_hr[layer - 1], K, C_h[layer - 1])
            C, R = respond(B[layer], A, C_g[layer + 1], C_h[layer - 1], gamma2)
            C_g[layer], B[layer - 1] = C, combine(R, K, C)
        C_h[0], R_hr[0] = data(B[0], C)
        for layer in range(1, depth + 1):
            A = combine(R_hr[layer - 1], K, C_h[layer - 1])
            C_h[layer], R_hr[layer] = respond(A, B[layer], C_h[layer - 1], C_g[layer + 1], gamma2)
        if not np.isfinite(data.losses).all():
            raise ArithmeticError(f"the fixed-point iteration overflowed in sweep {sweep}")
        change = np.abs(data.losses - old) / (data.losses + 1e-6 * data.losses[:, :1])
        if change.max() < tol:
            return data.losses[0], data.losses[1], sweep
    raise ArithmeticError(f"no convergence in {max_sweeps} sweeps: last change {change.max():.1e}")


def main() -> None:
    """Time the reference problem for the numbers of steps given on the command line."""
    for steps in [int(argument) for argument in sys.argv[1:]] or [100, 200, 400]:
        start = time.perf_counter()
        test, train, sweeps = solve_dense(2, 1.0, 1.0, 2.0, 0.3, 0.1, steps)
        seconds = time.perf_counter() - start
        print(
            f"T = {steps}: {sweeps} sweeps, {seconds / sweeps:.4f} s each, {seconds:.3f} s; "
            f"test {test[-1]:.10f}, train {train[-1]:.10f}"
        )


if __name__ == "__main__":
    main()
