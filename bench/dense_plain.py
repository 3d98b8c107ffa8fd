"""Plain NumPy dense fixed point: the mean-field equations as they are printed in the paper.

It uses whole T x T matrices, ``@`` and ``numpy.linalg.inv``, and computes every quantity again in
each sweep until the losses no longer change. dense_numpy.py is the same iteration written by an
expert (triangular BLAS and LAPACK, one factorization a layer, the data side iterated twice).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def solve_plain(
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
    """Return test loss, train loss and sweeps (full batch, isotropic, plain gradient descent)."""
    one, zero, eye = np.ones((steps, steps)), np.zeros((steps, steps)), np.eye(steps)
    K = lr * np.tril(one, -1)
    g2, rho = gamma0**2, 1 / (gamma0**2 * width)
    C_h, R_hr = [zero] * (depth + 1), [zero] * (depth + 1)
    C_g, R_gu = [one] * (depth + 2), [zero] * (depth + 2)
    R_delta, C_delta, last = eye, zero, np.zeros(2 * steps)
    for sweep in range(1, max_sweeps + 1):
        for m in range(depth, 0, -1):
            A, B = R_hr[m - 1] + K * C_h[m - 1], R_gu[m + 1] + K * C_g[m + 1]
            Q = np.linalg.inv(eye - g2 * B @ A)
            C_g[m] = Q @ (C_g[m + 1] + g2 * B @ C_h[m - 1] @ B.T) @ Q.T
            R_gu[m] = Q @ B
        Bt = R_gu[1] + K * C_g[1]
        H = np.linalg.inv(eye + Bt @ R_delta)
        R_delta = np.linalg.inv(eye + H @ Bt / alpha)
        start = one + rho * C_g[1]
        C_v = H @ (start + Bt @ C_delta @ Bt.T / alpha) @ H.T
        C_delta = R_delta @ (C_v + noise**2) @ R_delta.T
        G = np.linalg.inv(eye + R_delta @ Bt)
        C_h[0] = G @ (C_delta / alpha + R_delta @ start @ R_delta.T) @ G.T
        R_hr[0] = -rho * G @ R_delta
        for m in range(1, depth + 1):
            A, B = R_hr[m - 1] + K * C_h[m - 1], R_gu[m + 1] + K * C_g[m + 1]
            M = np.linalg.inv(eye - g2 * A @ B)
            C_h[m] = M @ (C_h[m - 1] + g2 * A @ C_g[m + 1] @ A.T) @ M.T
            R_hr[m] = M @ A
        losses = np.concatenate([np.diag(C_v), np.diag(C_delta)])
        if not np.isfinite(losses).all():
            raise ArithmeticError(f"the dense fixed point overflowed in sweep {sweep}")
        if np.max(np.abs(losses - last)) < tol * np.max(losses):
            return losses[:steps], losses[steps:], sweep
        last = losses
    raise ArithmeticError(f"the dense fixed point did not converge in {max_sweeps} sweeps")
