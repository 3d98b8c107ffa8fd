"""Dense oracle: pairs of networks that share weights, data or neither (theory.md section 3).

Two networks that share initial weights and/or data have the same responses, and their
cross-correlations obey the same maps, which are linear once the responses are known. The maps are
iterated T times; each iteration makes at least one more row exact. This works for all
architectures.
"""

from dataclasses import replace

import numpy as np
from oracle import (
    Array,
    Constants,
    Problem,
    State,
    data_inputs,
    inverse,
    layer_inputs,
    residuals,
    transfer,
    transpose,
)
from oracle_residual import (
    ChainState,
    Continuum,
    Residual,
    left_correlations,
    left_flow_correlations,
    march_any,
    node_correlations,
    picard,
    right_correlations,
    right_flow_correlations,
)

PATTERNS = ((1, 1), (1, 0), (0, 1), (0, 0))  # (initial weights, data) shared by two replicas


def replica_losses(problem: Problem, steps: int, nodes: int = 8) -> dict[tuple[int, int], Array]:
    """C_v^{ab}(t, t), (T,), of two networks, for each of `PATTERNS` (theory.md section 3).

    Key (s_i, s_d): the initial weights, the data are shared (1) or independent (0). Sharing data
    means the same samples and label noise, the same batches (one pass), and the same choice of
    samples in every step (multi-pass). Any network; `nodes` is for infinite depth.
    """
    con, state = march_any(problem, steps, nodes)
    return {pattern: np.diag(replica(con, state, *pattern).C_v).copy() for pattern in PATTERNS}


def replica(con: Constants, state: State, shared_init: int, shared_data: int) -> State:
    """Cross-correlations of two networks, in a state that takes its responses from `state`.

    The network side has the correlations that come from shared initial weights, which are zero for
    independent ones. On the data side the target is always shared.
    """
    cross = unrelated(state)
    for _ in range(len(con.E)):
        if shared_init:
            spread(con, state, cross)
        data_replica(con, state, cross, shared_data)
    return cross


def spread(con: Constants, state: State, cross: State) -> None:
    """Map C_h^0 of two networks with the same initial weights to C_h^l, C_g^l, l = 1..L."""
    n = len(con.E)
    if isinstance(con, Continuum) and isinstance(cross, ChainState):
        picard(lambda: left_flow_correlations(con, cross, n), node_correlations(cross, n))
        picard(lambda: right_flow_correlations(con, cross, n), node_correlations(cross, n))
    elif isinstance(con, Residual) and isinstance(cross, ChainState):
        for layer in range(1, con.depth + 1):
            left_correlations(con, cross, layer, n)
        for layer in range(con.depth, 0, -1):
            right_correlations(con, cross, layer, n)
    else:
        for layer in range(1, con.depth + 1):
            cross.C_h[layer] = perceptron_replica(con, state, cross, layer)[0]
        for layer in range(con.depth, 0, -1):
            cross.C_g[layer] = perceptron_replica(con, state, cross, layer)[1]


def perceptron_replica(
    con: Constants, state: State, cross: State, layer: int
) -> tuple[Array, Array]:
    """C_h^{l,ab} and C_g^{l,ab} from C_h^{l-1,ab} and C_g^{l+1,ab} (theory.md section 3)."""
    n, g = len(con.E), con.gamma0
    D_u, D_r = con.D[layer - 1 : layer + 1]
    A, B, _, _ = layer_inputs(con, state, layer, n)
    C_u, C_r = cross.C_h[layer - 1], con.ratio[layer] * cross.C_g[layer + 1]
    M, Q = inverse(np.eye(n) - g**2 * A @ B), inverse(np.eye(n) - g**2 * B @ A)
    C_h = M @ (D_u @ C_u @ D_u + g**2 * A @ D_r @ C_r @ D_r @ A.T) @ M.T
    C_g = Q @ (D_r @ C_r @ D_r + g**2 * B @ D_u @ C_u @ D_u @ B.T) @ Q.T
    return C_h, C_g


def data_replica(con: Constants, state: State, cross: State, shared_data: int) -> None:
    """Map C_g^{1,ab} and C_e^{ab} to C_v^{ab}, C_e^{ab}, C_h^{0,ab} (theory.md sections 3, 6).

    `residuals` is linear in C_v + sigma^2 1, and otherwise only needs R_Delta, which is the same in
    both networks. So it can be used for cross-correlations, where c^{ab} = <Delta_a Delta_b>.
    """
    lam, p, R, n = con.lam, con.weight, state.R_delta, len(con.E)
    Bt, _ = data_inputs(con, state, n)
    H, G = transfer(lam, Bt, R)
    S = con.power + data_inputs(con, cross, n)[1]
    sampling = lam * shared_data * con.inv_alpha
    cross.C_v = (p * lam * H @ (S + sampling * Bt @ cross.C_e @ Bt.T) @ transpose(H)).sum(0)
    cross.C_e, cross.C_delta = residuals(con, cross.C_v, R)
    C_u = G @ (sampling * cross.C_e + lam**2 * R @ S @ R.T) @ transpose(G)
    cross.C_h[0] = (p * C_u).sum(0)


def unrelated(state: State) -> State:
    """Return a state with the same responses, and correlations that are still zero."""
    names = ("C_h", "C_g", "C_e", "C_v", "C_delta", "terms", "S_a", "S_b")
    cross = replace(state, **{k: np.zeros_like(v) for k, v in vars(state).items() if k in names})
    cross.C_g[-1] = state.C_g[-1]
    return cross
