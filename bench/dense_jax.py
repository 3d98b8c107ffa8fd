"""Peer: the dense fixed point in JAX, compiled, in double precision.

This is the iteration of dense_numpy.py, with the same savings (one triangular solve per layer,
G = H, the data side iterated twice per sweep), on whole T x T arrays. XLA has no
products of triangular matrices, so every product is a GEMM, on all cores. One sweep is compiled;
sweeps are repeated until no loss changes by more than 1e-10.

Triangular solves in blocks with products are not quicker.

Usage: ``python dense_jax.py [steps ...]``
"""

import sys
import time
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from numpy.typing import NDArray

jax.config.update("jax_enable_x64", True)
Array = NDArray[np.float64]
DATA_ITERATIONS = 2  # updates of R_Delta and C_Delta in a sweep, as in dense_numpy.py
solve_unit = partial(solve_triangular, lower=True, unit_diagonal=True)


class State(NamedTuple):
    C_h: list[Any]  # l = 0 .. L
    R_hr: list[Any]  # l = 0 .. L
    C_g: list[Any]  # l = 1 .. L+1
    B: list[Any]  # B_0 = Bt .. B_L
    R_delta: Any
    C_delta: Any


def congruence(lower: Any, C: Any) -> Any:
    """Return lower @ C @ lower.T, an outer product where C is all ones (None)."""
    if C is None:
        row_sums = lower.sum(axis=1)
        return jnp.outer(row_sums, row_sums)
    return lower @ C @ lower.T


def respond(B: Any, A: Any, C_own: Any, C_other: Any, gamma2: float) -> tuple[Any, Any]:
    """Return correlation and response of g = r + B h, h = u + A g (dense_numpy.respond)."""
    R = solve_unit(-gamma2 * (B @ A), B)
    Q = jnp.eye(len(B)) + gamma2 * (R @ A)
    return congruence(Q, C_own) + gamma2 * congruence(R, C_other), R


def data_side(state: State, Bt: Any, C_g: Any, alpha: float, noise: float, rho: float) -> Any:
    """Return R_Delta, C_Delta, C_h^0, R_hr^0 and both losses (dense_numpy.DataSide)."""
    eye, R_delta, C_delta = jnp.eye(len(Bt)), state.R_delta, state.C_delta
    for _ in range(DATA_ITERATIONS):
        X = eye + Bt @ R_delta
        R_delta = solve_unit(X + Bt / alpha, X)
    HB = solve_unit(eye + Bt @ R_delta, Bt)
    P = HB @ R_delta
    H = eye - P
    Y = H @ R_delta
    S = 1.0 + rho * C_g
    target = congruence(Y, S)
    label = noise * R_delta.sum(axis=1)
    for _ in range(DATA_ITERATIONS):
        C_delta = congruence(P, C_delta) / alpha + target + jnp.outer(label, label)
    test = ((H @ S) * H).sum(axis=1) + ((HB @ C_delta) * HB).sum(axis=1) / alpha
    losses = jnp.stack([test, jnp.diag(C_delta)])
    return R_delta, C_delta, congruence(H, C_delta) / alpha + target, -rho * Y, losses


@partial(jax.jit, static_argnums=(2, 3, 4, 5, 6), donate_argnums=0)
def sweep(
    state: State, K: Any, depth: int, gamma2: float, alpha: float, noise: float, rho: float
) -> tuple[State, Any]:
    """Update network backward, data, and network forward, each with the newest values."""
    C_h, R_hr, C_g, B = (list(part) for part in state[:4])
    g = [None, *C_g, None]  # l = 0 .. L+1; None: all ones
    for layer in range(depth, 0, -1):
        A = R_hr[layer - 1] + K * C_h[layer - 1]
        g[layer], R = respond(B[layer], A, g[layer + 1], C_h[layer - 1], gamma2)
        B[layer - 1] = R + K * g[layer]
    R_delta, C_delta, C_h[0], R_hr[0], losses = data_side(state, B[0], g[1], alpha, noise, rho)
    for layer in range(1, depth + 1):
        A = R_hr[layer - 1] + K * C_h[layer - 1]
        C_h[layer], R_hr[layer] = respond(A, B[layer], C_h[layer - 1], g[layer + 1], gamma2)
    return State(C_h, R_hr, g[1 : depth + 1], B, R_delta, C_delta), losses


def start(depth: int, K: Any) -> State:
    def zeros(count: int) -> list[Any]:
        return [jnp.zeros_like(K) for _ in range(count)]

    B = [jnp.array(K) for _ in range(depth + 1)]
    eye = jnp.eye(len(K))
    return State(zeros(depth + 1), zeros(depth + 1), zeros(depth), B, eye, jnp.zeros_like(K))


def solve_jax(
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
    """Return test loss, train loss and number of sweeps, as ``solve_dense`` of dense_numpy.py."""
    K = lr * jnp.tril(jnp.ones((steps, steps)), -1)
    state, losses = start(depth, K), np.full((2, steps), np.inf)
    for count in range(1, max_sweeps + 1):
        old = losses
        state, new = sweep(state, K, depth, gamma0**2, alpha, noise, 1 / (gamma0**2 * width))
        losses = np.asarray(new)
        if not np.isfinite(losses).all():
            raise ArithmeticError(f"the fixed-point iteration overflowed in sweep {count}")
        change = np.abs(losses - old) / (losses + 1e-6 * losses[:, :1])
        if change.max() < tol:
            return losses[0], losses[1], count
    raise ArithmeticError(f"no convergence in {max_sweeps} sweeps: last change {change.max():.1e}")


def main() -> None:
    """Time the reference problem for the numbers of steps given on the command line."""
    for steps in [int(argument) for argument in sys.argv[1:]] or [100, 200, 400]:
        solve_jax(2, 1.0, 1.0, 2.0, 0.3, 0.1, steps, tol=np.inf)  # compiles
        start = time.perf_counter()
        test, train, sweeps = solve_jax(2, 1.0, 1.0, 2.0, 0.3, 0.1, steps)
        seconds = time.perf_counter() - start
        print(
            f"T = {steps}: {sweeps} sweeps, {seconds / sweeps:.4f} s each, {seconds:.3f} s; "
            f"test {test[-1]:.10f}, train {train[-1]:.10f}"
        )


if __name__ == "__main__":
    main()
