"""Dense oracle: residual networks of finite and infinite depth.

It is written like oracle.py: one T x T array for each two-time function, one line for each formula,
the regular (hatted) variables of theory.md section 8, here also ``E = gamma0 E^``, ``F = gamma0
F^``. The leading n x n blocks are evaluated for n = 1..T in the causal order right sweep (F, S_b,
C_g, R_gu) -> data side -> left sweep (E, S_a, C_h, R_hr); again row n - 1 of values that are not
known yet is only multiplied by a strictly causal matrix (F, B or Bt).

The two sweeps are mirror images of each other (E, S_a, A, C_h against F, S_b, B, C_g), so that one
function serves both. Infinite depth is solved by collocation at Chebyshev-Lobatto nodes of tau.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from oracle import (
    Array,
    Constants,
    Problem,
    State,
    backward,
    chain_data,
    constants,
    data_side,
    diagonal,
    forward,
    inverse,
    train_loss,
    transpose,
)

PICARD_TOLERANCE, PICARD_LIMIT = 1e-13, 500


@dataclass(frozen=True)
class Residual(Constants):
    """Constants of a residual network; K[l] belongs to weight array l."""

    branch: float  # b of theory.md section 4


@dataclass(frozen=True)
class Continuum(Constants):
    """Constants at infinite depth: `depth` counts the m nodes, K is of input, hidden, readout."""

    branch: float  # beta0
    tau: Array  # (m,) Chebyshev-Lobatto nodes of [0, 1]
    ahead: Array  # (m, m) integral from 0 to node i of the interpolating polynomial of node values
    behind: Array  # (m, m) integral from node i to 1


@dataclass
class ChainState(State):
    """Adds the sweeps h^l = a_l + gamma0 E_l g^l, g^l = b_l + gamma0 F_l h^l (hatted E, F).

    (L+1, T, T) each, l = 1..L (index 0 unused but for A). At infinite depth layer l is node l - 1.
    """

    E: Array
    F: Array
    S_a: Array  # Cov a
    S_b: Array  # Cov b
    A: Array  # what u^{l+1} drives, A^_l; index 0 is the input layer          theory.md section 4
    B: Array  # what r^l drives, B^_l


def solve_residual(problem: Problem, steps: int) -> dict[str, Array]:
    """Solve a residual network of finite depth for the times t = 0..T-1, T = steps (section 4).

    Keys and shapes as in `oracle.solve`: `feature_norm`, `gradient_norm` (L, T), `C_h`, `R_hr`
    (L+1, T, T), `C_g`, `R_gu` (L, T, T), ... The responses are those of theory.md section 4, with
    their factor b; R_hr^L and R_gu^1, whose weights sit in no branch, have none. `chain` (L+1, T):
    <g^l h^l>(t, t) for l = 1..L, then (gamma0/D) w_hat.h^0, all equal.
    """
    con = residual_constants(problem, steps)
    return results(con, march_residual(con))


def solve_infinite(problem: Problem, steps: int, nodes: int = 8) -> dict[str, Array]:
    """Solve a residual network of infinite depth for t = 0..T-1, T = steps (section 5).

    Keys and shapes as in `solve_residual` with L = nodes, layer l at depth `tau[l - 1]`, tau (L,).
    `R_hr`, `R_gu` have no factor b, and are responses to branches at both ends, too.
    `layer_lr` has three entries: input, every hidden layer, readout.
    """
    con = continuum_constants(problem, steps, nodes)
    state = march_continuum(con)
    found = results(con, state) | {"tau": con.tau}
    E, F, branches = state.E[1:], state.F[1:], con.gamma0 * con.D[1]
    found["R_hr"][1:] = joint(con, E, F) @ E @ branches
    found["R_gu"] = joint(con, F, E) @ F @ branches
    return found


# Marching


def march(
    con: Constants, state: State, right: Callable[[int], None], left: Callable[[int], None]
) -> None:
    """Evaluate the leading n x n blocks in causal order, n = 1..T."""
    for n in range(1, len(con.E) + 1):
        right(n)
        data_side(con, state, n)
        left(n)


def march_perceptron(con: Constants) -> State:
    """Solve a perceptron as `oracle.solve` does, and return the hatted state."""
    state = State(**blank(con, con.depth))

    def right(n: int) -> None:
        for layer in range(con.depth, 0, -1):
            backward(con, state, layer, n)

    def left(n: int) -> None:
        for layer in range(1, con.depth + 1):
            forward(con, state, layer, n)

    march(con, state, right, left)
    return state


def march_residual(con: Residual) -> ChainState:
    """All two-time functions of a residual network."""
    state = chain_state(con)
    march(con, state, lambda n: right_sweep(con, state, n), lambda n: left_sweep(con, state, n))
    return state


def march_continuum(con: Continuum) -> ChainState:
    """All two-time functions at the nodes of infinite depth."""
    state = chain_state(con)
    march(con, state, lambda n: right_flow(con, state, n), lambda n: left_flow(con, state, n))
    return state


def march_any(problem: Problem, steps: int, nodes: int) -> tuple[Constants, State]:
    """Constants and solved state of any network."""
    network = problem["network"]
    if network["kind"] == "mlp":
        perceptron = constants(problem, steps)
        return perceptron, march_perceptron(perceptron)
    if math.isinf(network["depth"]):
        continuum = continuum_constants(problem, steps, nodes)
        return continuum, march_continuum(continuum)
    residual = residual_constants(problem, steps)
    return residual, march_residual(residual)


# Residual chain of finite depth, theory.md section 4


def right_sweep(con: Residual, state: ChainState, n: int) -> None:
    """F_l, S_b^l, C_g^l, R^_gu^l for l = L..1 on the leading n x n block."""
    D, K, b = con.D[:, :n, :n], con.K[:, :n, :n], con.branch
    C_g, R_gu = state.C_g[:, :n, :n], state.R_gu[:, :n, :n]
    A, B, E, F = (X[:, :n, :n] for X in (state.A, state.B, state.E, state.F))
    F[con.depth] = K[con.depth]
    for layer in range(con.depth, 0, -1):
        if layer < con.depth:
            B[layer] = D[layer] @ R_gu[layer + 1] + b * K[layer] * C_g[layer + 1]
            F[layer] = swept(con, F[layer + 1], A[layer]) @ F[layer + 1] + b * B[layer]
        right_correlations(con, state, layer, n)
        R_gu[layer] = (
            (b if layer > 1 else 1.0) * joint(con, F[layer], E[layer]) @ F[layer] @ D[layer - 1]
        )


def left_sweep(con: Residual, state: ChainState, n: int) -> None:
    """E_l, S_a^l, C_h^l, R^_hr^l for l = 1..L on the leading n x n block."""
    D, K, b = con.D[:, :n, :n], con.K[:, :n, :n], con.branch
    C_h, R_hr = state.C_h[:, :n, :n], state.R_hr[:, :n, :n]
    A, B, E, F = (X[:, :n, :n] for X in (state.A, state.B, state.E, state.F))
    E[1] = A[0] = D[0] @ R_hr[0] + K[0] * C_h[0]
    for layer in range(1, con.depth + 1):
        if layer > 1:
            A[layer - 1] = D[layer - 1] @ R_hr[layer - 1] + b * K[layer - 1] * C_h[layer - 1]
            M = swept(con, E[layer - 1], B[layer - 1])
            E[layer] = M @ E[layer - 1] + b * A[layer - 1]
        left_correlations(con, state, layer, n)
        factor = b if layer < con.depth else 1.0
        R_hr[layer] = factor * joint(con, E[layer], F[layer]) @ E[layer] @ D[layer]


def right_correlations(con: Residual, state: ChainState, layer: int, n: int) -> None:
    """S_b^l and C_g^l, the part of the right sweep that is linear once E, F, A, B are known."""
    D, b = con.D[layer, :n, :n], con.branch
    A, E, F = (X[:, :n, :n] for X in (state.A, state.E, state.F))
    C_h, C_g, S_a, S_b = correlations(state, n)
    if layer == con.depth:
        S_b[layer] = D @ C_g[layer + 1] @ D
    else:
        Q, X = swept(con, F[layer + 1], A[layer]), F[layer + 1]
        across = S_b[layer + 1] + (b * con.gamma0) ** 2 * X @ D @ C_h[layer] @ D @ X.T
        S_b[layer] = Q @ across @ Q.T + b**2 * D @ C_g[layer + 1] @ D
    C_g[layer] = joined(con, F[layer], E[layer], S_b[layer], S_a[layer])


def left_correlations(con: Residual, state: ChainState, layer: int, n: int) -> None:
    """S_a^l and C_h^l, the part of the left sweep that is linear once E, F, A, B are known."""
    D, b = con.D[layer - 1, :n, :n], con.branch
    B, E, F = (X[:, :n, :n] for X in (state.B, state.E, state.F))
    C_h, C_g, S_a, S_b = correlations(state, n)
    if layer == 1:
        S_a[layer] = D @ C_h[0] @ D
    else:
        M, X = swept(con, E[layer - 1], B[layer - 1]), E[layer - 1]
        across = S_a[layer - 1] + (b * con.gamma0) ** 2 * X @ D @ C_g[layer] @ D @ X.T
        S_a[layer] = M @ across @ M.T + b**2 * D @ C_h[layer - 1] @ D
    C_h[layer] = joined(con, E[layer], F[layer], S_a[layer], S_b[layer])


def correlations(state: ChainState, n: int) -> tuple[Array, Array, Array, Array]:
    """Leading blocks (views) of C_h, C_g, S_a, S_b."""
    C_h, C_g = state.C_h[:, :n, :n], state.C_g[:, :n, :n]
    return C_h, C_g, state.S_a[:, :n, :n], state.S_b[:, :n, :n]


def swept(con: Residual, X: Array, Y: Array) -> Array:
    """M_l from (E_l, B_l), Q_l from (F_{l+1}, A_l)."""
    return inverse(np.eye(len(X)) - con.branch * con.gamma0**2 * X @ Y)


def joint(con: Constants, X: Array, Y: Array) -> Array:
    """(I - E F)^-1 from (E, F), (I - F E)^-1 from (F, E); stacks are welcome."""
    return inverse(np.eye(X.shape[-1]) - con.gamma0**2 * X @ Y)


def joined(con: Constants, X: Array, Y: Array, S: Array, S_other: Array) -> Array:
    """C_h from (E, F, S_a, S_b), C_g from (F, E, S_b, S_a); stacks are welcome."""
    J = joint(con, X, Y)
    return J @ (S + con.gamma0**2 * X @ S_other @ transpose(X)) @ transpose(J)


# Infinite depth, theory.md section 5, with D_w: the limit of the sweeps above, b = beta0/sqrt(L),
# A_l = b Ahat, B_l = b Bhat. In `state` A, B hold Ahat, Bhat; slices 1..m are the nodes.


def right_flow(con: Continuum, state: ChainState, n: int) -> None:
    """F, S_b, C_g, Bhat at the nodes, from tau = 1 down, and R^_gu^1, on the leading block."""
    D, E, F, B = con.D[1, :n, :n], nodes_of(state.E, n), nodes_of(state.F, n), nodes_of(state.B, n)
    A, C_g = nodes_of(state.A, n), nodes_of(state.C_g[:-1], n)

    def iterate() -> None:
        B[:] = D @ joint(con, F, E) @ F @ D + con.K[1, :n, :n] * C_g
        slope = con.gamma0**2 * F @ A @ F + B
        F[:] = con.K[2, :n, :n] + con.branch**2 * integral(con.behind, slope)
        right_flow_correlations(con, state, n)

    picard(iterate, (F, B, nodes_of(state.S_b, n), C_g))
    D = np.concatenate([con.D[:1, :n, :n], np.array([D] * (con.depth - 1))])  # u^1 is the input's
    state.R_gu[1:-1, :n, :n] = joint(con, F, E) @ F @ D


def left_flow(con: Continuum, state: ChainState, n: int) -> None:
    """E, S_a, C_h, Ahat at the nodes, from tau = 0 up, on the leading block."""
    D, E, F, A = con.D[1, :n, :n], nodes_of(state.E, n), nodes_of(state.F, n), nodes_of(state.A, n)
    B, C_h = nodes_of(state.B, n), nodes_of(state.C_h, n)
    start = con.D[0, :n, :n] @ state.R_hr[0, :n, :n] + con.K[0, :n, :n] * state.C_h[0, :n, :n]

    def iterate() -> None:
        A[:] = D @ joint(con, E, F) @ E @ D + con.K[1, :n, :n] * C_h
        slope = con.gamma0**2 * E @ B @ E + A
        E[:] = start + con.branch**2 * integral(con.ahead, slope)
        left_flow_correlations(con, state, n)

    picard(iterate, (E, A, nodes_of(state.S_a, n), C_h))
    D = np.concatenate([np.array([D] * (con.depth - 1)), con.D[2:, :n, :n]])  # r^L is the readout's
    state.R_hr[1:, :n, :n] = joint(con, E, F) @ E @ D


def right_flow_correlations(con: Continuum, state: ChainState, n: int) -> None:
    """One Picard step of S_b and C_g, linear once E, F, A are known."""
    D, E, F, A = con.D[2, :n, :n], nodes_of(state.E, n), nodes_of(state.F, n), nodes_of(state.A, n)
    C_h, C_g, S_a, S_b = node_correlations(state, n)
    slope = covariance_slope(con, F, A, S_b, C_g, C_h)
    S_b[:] = D @ state.C_g[-1, :n, :n] @ D + con.branch**2 * integral(con.behind, slope)
    C_g[:] = joined(con, F, E, S_b, S_a)


def left_flow_correlations(con: Continuum, state: ChainState, n: int) -> None:
    """One Picard step of S_a and C_h, linear once E, F, B are known."""
    D, E, F, B = con.D[0, :n, :n], nodes_of(state.E, n), nodes_of(state.F, n), nodes_of(state.B, n)
    C_h, C_g, S_a, S_b = node_correlations(state, n)
    slope = covariance_slope(con, E, B, S_a, C_h, C_g)
    S_a[:] = D @ state.C_h[0, :n, :n] @ D + con.branch**2 * integral(con.ahead, slope)
    C_h[:] = joined(con, E, F, S_a, S_b)


def covariance_slope(
    con: Continuum, X: Array, Y: Array, S: Array, C_same: Array, C_other: Array
) -> Array:
    """dS_a/dtau/beta0^2 from (E, Bhat, S_a, C_h, C_g), -dS_b/dtau/beta0^2 from the mirror image."""
    n = X.shape[-1]
    D, drift = con.D[1, :n, :n], X @ Y @ S
    noise = D @ C_same @ D + con.gamma0**2 * X @ D @ C_other @ D @ transpose(X)
    return noise + con.gamma0**2 * (drift + transpose(drift))


def nodes_of(stack: Array, n: int) -> Array:
    """Leading blocks (views) at the nodes; index 0 is not a node."""
    return stack[1:, :n, :n]


def node_correlations(state: ChainState, n: int) -> tuple[Array, Array, Array, Array]:
    """Leading blocks (views) at the nodes of C_h, C_g, S_a, S_b."""
    C_h, C_g, S_a, S_b = correlations(state, n)
    return C_h[1:], C_g[1:-1], S_a[1:], S_b[1:]


def integral(matrix: Array, values: Array) -> Array:
    """Apply an integration matrix (m, m) to node values (m, n, n)."""
    return np.asarray(np.einsum("ij,jts->its", matrix, values))


ROUNDING = 1e-20
"""Functions up to this size are squares of rounding errors, of problems that learn nothing."""


def picard(iterate: Callable[[], None], unknowns: tuple[Array, ...]) -> None:
    """Repeat `iterate`, which updates the unknowns in place, until they do not change."""
    for _ in range(PICARD_LIMIT):
        before = [X.copy() for X in unknowns]
        iterate()
        pairs = zip(unknowns, before, strict=True)
        # If nothing is learned, correlations of h are rounding errors of terms that cancel.
        if all(np.abs(X - Y).max() <= PICARD_TOLERANCE * size_of(X) for X, Y in pairs):
            return
    raise ArithmeticError(f"Picard iteration in depth: no convergence in {PICARD_LIMIT} iterations")


def size_of(X: Array) -> float:
    """Return the largest entry; 1 if all are rounding errors."""
    size = float(np.abs(X).max())
    return size if size > ROUNDING else 1.0


# Beginnings and ends


def residual_constants(problem: Problem, steps: int) -> Residual:
    """Read the problem dictionary of a residual network of finite depth."""
    network = problem["network"]
    if network["kind"] != "resnet" or math.isinf(network["depth"]):
        raise ValueError(f"network: a resnet of finite depth, got {network!r}")
    con = chain_constants(problem, steps, int(network["depth"]))
    constant = branch_scaling(network) == "constant"
    b = float(network["branch"]) / (1.0 if constant else math.sqrt(con.depth))
    return Residual(**vars(con), branch=b)


def continuum_constants(problem: Problem, steps: int, nodes: int) -> Continuum:
    """Read the problem dictionary of a residual network of infinite depth."""
    network = problem["network"]
    if network["kind"] != "resnet" or not math.isinf(network["depth"]):
        raise ValueError(f"network: a resnet of infinite depth, got {network!r}")
    if branch_scaling(network) != "depth":
        raise ValueError("network.branch_scaling: infinite depth takes 'depth' only")
    con = chain_constants(problem, steps, 2)  # weight arrays: input, hidden, readout
    tables = vars(con) | {"depth": nodes, "branch": float(network["branch"])}
    return Continuum(**tables, **collocation(nodes))


def chain_constants(problem: Problem, steps: int, depth: int) -> Constants:
    """Return the constants that do not depend on the architecture, for depth + 1 weight arrays."""
    network = problem["network"] | {"kind": "mlp", "depth": depth}
    return constants(problem | {"network": network}, steps)


def branch_scaling(network: Problem) -> str:
    """Return the scaling of the branches with depth."""
    scaling = str(network.get("branch_scaling", "depth"))
    if scaling not in {"depth", "constant"}:
        raise ValueError(f"network.branch_scaling: 'depth' or 'constant', got {scaling!r}")
    return scaling


def collocation(nodes: int) -> dict[str, Any]:
    """Chebyshev-Lobatto nodes of [0, 1] and the integrals from 0 to, and to 1 from, each node."""
    x = -np.cos(np.pi * np.arange(nodes) / (nodes - 1))
    cardinal = inverse(
        chebyshev.chebvander(x, nodes - 1).astype(float)
    )  # column j: coefficients of node j
    ahead = chebyshev.chebvander(x, nodes) @ chebyshev.chebint(cardinal, lbnd=-1) / 2
    return {"tau": (1 + x) / 2, "ahead": ahead, "behind": ahead[-1] - ahead}


def blank(con: Constants, layers: int) -> dict[str, Array]:
    """Fields of a `State` before the first step."""
    T = len(con.E)
    sizes = {"C_h": layers + 1, "R_hr": layers + 1, "C_g": layers + 2, "R_gu": layers + 2}
    stacks = {name: np.zeros((size, T, T)) for name, size in (sizes | {"terms": 3}).items()}
    stacks["C_g"][-1] = 1.0
    return (
        stacks | {"R_delta": np.eye(T)} | {k: np.zeros((T, T)) for k in ("C_e", "C_v", "C_delta")}
    )


def chain_state(con: Constants) -> ChainState:
    """State of a chain before the first step."""
    shape = (con.depth + 1, *con.E.shape)
    sweeps = {name: np.zeros(shape) for name in ("E", "F", "S_a", "S_b", "A", "B")}
    return ChainState(**blank(con, con.depth), **sweeps)


def results(con: Constants, state: ChainState) -> dict[str, Array]:
    """Return the result of `solve_residual`, in the original variables."""
    layers = slice(1, con.depth + 1)
    names = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
    values = [*diagonal(np.stack([state.C_v, *state.terms]))]
    values.insert(1, train_loss(con, state))
    return {
        **dict(zip(names, values, strict=True)),
        "feature_norm": diagonal(state.C_h[layers]),
        "gradient_norm": diagonal(state.C_g[layers]),
        "C_v": state.C_v,
        "C_delta": state.C_delta,
        "C_e": state.C_e,
        "R_delta": state.R_delta,
        "C_h": state.C_h,
        "C_g": state.C_g[layers],
        "R_hr": con.gamma0 * state.R_hr,
        "R_gu": con.gamma0 * state.R_gu[layers],
        "chain": np.array([*chain_network(con, state), chain_data(con, state)]),
    }


def chain_network(con: Constants, state: ChainState) -> Array:
    """<g^l h^l>(t, t), (L, T), from h = (I - E F)^-1 (a + E b), g = (I - F E)^-1 (b + F a)."""
    E, F, S_a, S_b = state.E[1:], state.F[1:], state.S_a[1:], state.S_b[1:]
    h_g = joint(con, E, F) @ (S_a @ transpose(F) + E @ S_b) @ transpose(joint(con, F, E))
    return con.gamma0 * diagonal(h_g)
