"""Dense oracle: the mean-field equations of a perceptron, transcribed matrix by matrix.

It is written to be read beside theory.md and to be obviously correct, not to be fast. Every
two-time function is one T x T array, every formula one line, in the regular (hatted) variables of
theory.md section 8, where ``R_hr = gamma0 R^_hr``, ``R_gu = gamma0 R^_gu``, ``A = gamma0 A^``, ``B
= gamma0 B^``: only gamma0^2 and rho = 1/(gamma0^2 nu_L) appear, which are finite at infinite width
and in the lazy limit.

No fixed point is guessed. For n = 1..T the leading n x n blocks are evaluated once in the causal
order g^L..g^1 -> v -> Delta -> u -> h^1..h^L (theory.md section 3): values that are not known yet
are in row n - 1 and are only multiplied by a strictly causal matrix, whose last column is zero.

Time is counted in optimizer steps; row t, column s of a response is d(.)(t) / d(.)(s). With C
outputs that share modes the index is the pair (step, output), and T below counts pairs (section
16).
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

STORED = {"full_batch", "multi_pass", "epochs"}
Array = NDArray[np.float64]
Problem = dict[str, Any]


@dataclass(frozen=True)
class Constants:
    """Constants of a problem, before the first step (L = depth, T = steps, k modes)."""

    depth: int
    gamma0: float  # effective richness: gamma0, or gamma0/sqrt(nu_L) in the NTK parameterization
    rho: float  # 1/(gamma0^2 nu_L)
    ratio: list[float]  # nu_1/nu_L, nu_{l+1}/nu_l for l = 1..L-1, 1 (readout)
    K: Array  # (L+1, T, T) propagator of each weight array                    theory.md section 7
    D: Array  # (L+1, T, T) diagonal, decay of each initial weight array       theory.md section 7
    E: Array  # (T, T) decay as the predictor sees it (D[0] unless centered)   theory.md section 1
    mode: str  # data.kind
    inv_alpha: float
    batches_of_steps: Array  # (T, T) factor of inv_alpha where batches of one pass change in time
    selection: Array  # (T, T) covariance of the samples' weights, zero if all are used
    earlier: Array  # (T, T) whether s is in an earlier epoch than t; without epochs an earlier step
    batches: int  # number of batches in an epoch
    noise: Array  # (T, T) covariance of the label noise
    lam: Array  # (k, 1, 1) eigenvalues
    power: Array  # (k, T, T) inner products of targets, w*_k w*_k^T
    weight: Array  # (k, 1, 1) mode weights p_k
    outputs: int  # C


@dataclass
class State:
    """Two-time functions, (T, T) each, stacked over layers so that index l is layer l."""

    C_h: Array  # (L+1, T, T), l = 0..L
    R_hr: Array  # (L+1, T, T), hatted
    C_g: Array  # (L+2, T, T), l = 1..L+1 (index 0 unused; L+1 is the readout: ones by output)
    R_gu: Array  # (L+2, T, T), hatted
    R_delta: Array
    C_e: Array  # weighted residuals that drive u_hat ~ GP(0, C_e/alpha)       theory.md section 6
    C_v: Array
    C_delta: Array
    terms: Array  # (3, T, T): the parts of C_v from target, initial weights, finite data


def solve(problem: Problem, steps: int) -> dict[str, Array]:
    """Solve a perceptron problem (schema of the package) for the times t = 0..T-1, T = steps.

    Shapes, with L = depth: `test_loss`, `train_loss`, `term_target`, `term_init`, `term_data` (T,);
    `feature_norm`, `gradient_norm` (L, T), row l - 1 is layer l; `C_v`, `C_delta`, `C_e`, `R_delta`
    (T, T); `C_h`, `R_hr` (L+1, T, T), index l = 0..L; `C_g`, `R_gu` (L, T, T), index l - 1 for
    l = 1..L, responses in the original variables; `chain` (L+1, T): (nu_l/nu_L) <g^l h^l>(t, t) for
    l = 1..L, then (gamma0/D) w_hat.h^0, all equal (theory.md section 12, item 8).

    `C_delta` is the correlation of the residuals, with the training loss on its diagonal: of the
    fixed samples (full batch, multi-pass), of a fresh batch each step (one pass: diagonal), of one
    fresh sample (population).
    """
    return outputs(*solved(problem, steps))


def solve_modes(problem: Problem, steps: int) -> dict[str, Array]:
    """Solve as `solve` does, and return the learning curves of the modes; see `modes`."""
    return modes(*solved(problem, steps))


def solved(problem: Problem, steps: int) -> tuple[Constants, State]:
    """Return the constants and all two-time functions."""
    con = constants(problem, steps)
    steps *= con.outputs
    sizes = (con.depth + 1, con.depth + 1, con.depth + 2, con.depth + 2, 3)
    C_h, R_hr, C_g, R_gu, terms = (np.zeros((size, steps, steps)) for size in sizes)
    C_e, C_v, C_delta = np.zeros((3, steps, steps))
    C_g[-1] = np.kron(np.ones((steps // con.outputs,) * 2), np.eye(con.outputs))
    state = State(C_h, R_hr, C_g, R_gu, np.eye(steps), C_e, C_v, C_delta, terms)
    for n in range(1, steps + 1):
        for layer in range(con.depth, 0, -1):
            backward(con, state, layer, n)
        data_side(con, state, n)
        for layer in range(1, con.depth + 1):
            forward(con, state, layer, n)
    return con, state


def backward(con: Constants, state: State, layer: int, n: int) -> None:
    """Update C_g^l and R^_gu^l on the leading n x n block (theory.md sections 3 and 8)."""
    A, B, C_u, C_r = layer_inputs(con, state, layer, n)
    D_u, D_r = con.D[layer - 1 : layer + 1, :n, :n]
    C_u, C_r = D_u @ C_u @ D_u, D_r @ C_r @ D_r
    Q = inverse(np.eye(n) - con.gamma0**2 * B @ A)
    state.C_g[layer, :n, :n] = Q @ (C_r + con.gamma0**2 * B @ C_u @ B.T) @ Q.T
    state.R_gu[layer, :n, :n] = Q @ B @ D_u


def forward(con: Constants, state: State, layer: int, n: int) -> None:
    """Update C_h^l and R^_hr^l on the leading n x n block (theory.md sections 3 and 8)."""
    A, B, C_u, C_r = layer_inputs(con, state, layer, n)
    D_u, D_r = con.D[layer - 1 : layer + 1, :n, :n]
    C_u, C_r = D_u @ C_u @ D_u, D_r @ C_r @ D_r
    M = inverse(np.eye(n) - con.gamma0**2 * A @ B)
    state.C_h[layer, :n, :n] = M @ (C_u + con.gamma0**2 * A @ C_r @ A.T) @ M.T
    state.R_hr[layer, :n, :n] = M @ A @ D_r


def layer_inputs(
    con: Constants, state: State, layer: int, n: int
) -> tuple[Array, Array, Array, Array]:
    """A^_l, B^_l and the covariances of u^l and r^l (theory.md sections 3, 7 and 8).

    A_l belongs to weight array l - 1, B_l to array l: each uses the propagator and the decay of
    that array.
    """
    D_u, D_r = con.D[layer - 1 : layer + 1, :n, :n]
    C_u, C_g = state.C_h[layer - 1, :n, :n], state.C_g[layer + 1, :n, :n]
    A = D_u @ state.R_hr[layer - 1, :n, :n] + con.K[layer - 1, :n, :n] * C_u
    B = con.ratio[layer] * (D_r @ state.R_gu[layer + 1, :n, :n] + con.K[layer, :n, :n] * C_g)
    return A, B, C_u, con.ratio[layer] * C_g


def data_side(con: Constants, state: State, n: int) -> None:
    """Map C_g^1, R^_gu^1 to C_v, C_Delta, C_h^0, R^_hr^0 on a block (theory.md sections 3, 6)."""
    E, lam, p = con.E[:n, :n], con.lam, con.weight
    Bt, width_term = data_inputs(con, state, n)
    R, C_e = state.R_delta[:n, :n], state.C_e[:n, :n]  # row n - 1 not known yet, nor needed
    if con.mode in STORED:
        R_m = response(con, Bt, R) * con.earlier[:n, :n]
        R[:] = inverse(np.eye(n) - con.inv_alpha * R_m)
    H, G = transfer(lam, Bt, R)
    sources = (con.power[:, :n, :n], width_term, lam * con.inv_alpha * Bt @ C_e @ Bt.T)
    for term, source in zip(state.terms, sources, strict=True):
        term[:n, :n] = (p * lam * H @ source @ transpose(H)).sum(0)
    C_v = state.C_v[:n, :n] = state.terms[:, :n, :n].sum(0)
    C_e[:], state.C_delta[:n, :n] = residuals(con, C_v, R)
    S = con.power[:, :n, :n] + width_term
    C_u = G @ (lam * con.inv_alpha * C_e + lam**2 * R @ S @ R.T) @ transpose(G)
    state.C_h[0, :n, :n] = (p * C_u).sum(0)
    state.R_hr[0, :n, :n] = -con.rho * (p * lam * G @ R @ E).sum(0)


def response(con: Constants, Bt: Array, R: Array) -> Array:
    """R_vu (theory.md section 6)."""
    H = inverse(np.eye(len(R)) + con.lam * Bt @ R)
    return -np.asarray((con.weight * con.lam * H @ Bt).sum(0))


def data_inputs(con: Constants, state: State, n: int) -> tuple[Array, Array]:
    """Bt and the covariance of the initial weights' field, from C_g^1 and R^_gu^1 (section 8)."""
    D, E, C_g = con.D[0, :n, :n], con.E[:n, :n], state.C_g[1, :n, :n]
    Bt = con.ratio[0] * (D @ state.R_gu[1, :n, :n] + con.K[0, :n, :n] * C_g)
    return Bt, con.rho * con.ratio[0] * E @ C_g @ E.T


def transfer(lam: Array, Bt: Array, R: Array) -> tuple[Array, Array]:
    """Transfer functions H_k, G_k of every mode, (k, n, n) each (theory.md section 6)."""
    return inverse(np.eye(len(R)) + lam * Bt @ R), inverse(np.eye(len(R)) + lam * R @ Bt)


def inverse(stack: Array) -> Array:
    """Invert every matrix of a stack."""
    return np.asarray(np.linalg.inv(stack), float)


def transpose(stack: Array) -> Array:
    """Transpose every matrix of a stack."""
    return stack.swapaxes(-1, -2)


def residuals(con: Constants, C_v: Array, R: Array) -> tuple[Array, Array]:
    """C_e, which drives u_hat, and C_Delta (table of theory.md section 6)."""
    n = len(C_v)
    fresh = C_v + con.noise[:n, :n]
    if con.mode == "population":
        return np.zeros_like(C_v), fresh
    if con.mode == "one_pass":
        step = np.arange(n) // con.outputs
        diagonal = fresh * (step[:, None] == step[None, :])
        return diagonal * con.batches_of_steps[:n, :n], diagonal
    memory = R - np.eye(n)
    clean = R @ fresh @ R.T
    unvisited, selection = clean, con.selection[:n, :n]
    for _ in range(n):  # causal over steps or epochs, so that this many iterations are exact
        unvisited = clean + memory @ (selection * unvisited) @ memory.T
    return clean + R @ (selection * unvisited) @ R.T, unvisited


def train_loss(con: Constants, state: State) -> Array:
    """Return the loss on all samples, of which an epoch has visited a part (section 17)."""
    g, nb, C = state.C_delta, con.batches, con.outputs
    losses = np.diag(g).copy()
    if nb == 1:
        return losses
    kick = nb * con.inv_alpha * response(con, data_inputs(con, state, len(g))[0], state.R_delta)
    for t in range(len(g)):
        for step in range(t // (nb * C) * nb, t // C):
            visited = slice(step * C, (step + 1) * C)
            push = kick[t, visited]
            losses[t] += (2 * push @ g[t, visited] + push @ g[visited, visited] @ push) / nb
    return losses


def outputs(con: Constants, state: State) -> dict[str, Array]:
    """Losses, diagonals and two-time functions in the original variables; shapes in `solve`."""
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


def modes(con: Constants, state: State) -> dict[str, Array]:
    """Terms of the test loss by mode, and <v_k w*_k> and (w*_k)^2, each (k, T) (section 6)."""
    Bt, width_term = data_inputs(con, state, len(con.E))
    H, _ = transfer(con.lam, Bt, state.R_delta)
    source = con.power + width_term + con.lam * con.inv_alpha * Bt @ state.C_e @ Bt.T
    return {
        "mode_loss": diagonal(con.weight * con.lam * H @ source @ transpose(H)),
        "mode_left": diagonal(H @ con.power),
        "mode_target": diagonal(con.power),
    }


def diagonal(stack: Array) -> Array:
    """Equal-time values (m, T) of a stack (m, T, T)."""
    return np.diagonal(stack, axis1=1, axis2=2).copy()


def chain_network(con: Constants, state: State) -> list[Array]:
    """(nu_l/nu_L) <g^l h^l>(t, t) for l = 1..L (theory.md section 12, item 8)."""
    values, eye = [], np.eye(len(con.E))
    width = con.ratio[0]  # nu_l/nu_L
    for layer in range(1, con.depth + 1):
        A, B, C_u, C_r = layer_inputs(con, state, layer, len(eye))
        M, Q = inverse(eye - con.gamma0**2 * A @ B), inverse(eye - con.gamma0**2 * B @ A)
        D_u, D_r = con.D[layer - 1 : layer + 1]
        h_g = M @ (D_u @ C_u @ D_u @ B.T + A @ D_r @ C_r @ D_r) @ Q.T
        values.append(con.gamma0 * width * np.diag(h_g))
        width *= con.ratio[layer]
    return values


def chain_data(con: Constants, state: State) -> Array:
    """(gamma0/D) w_hat(t).h^0(t), with w_hat = w* - v + w_hat(0) (theory.md section 12, item 8).

    v belongs to the centered predictor; the identity holds for the full one, so w_hat(0) is added.
    With z the field of the initial weights, w_hat(0) = d(0) z(0) = (D_0 - E) z and v sees E z.
    """
    n, R, lam = len(con.E), state.R_delta, con.lam
    Bt, width_term = data_inputs(con, state, n)
    H, G = transfer(lam, Bt, R)
    S = con.power + width_term
    target_u = con.power @ transpose(lam * G @ R)
    v_u = H @ (lam * S @ R.T - lam * con.inv_alpha * Bt @ state.C_e) @ transpose(G)
    initial = con.rho * con.ratio[0] * (con.D[0] - con.E) @ state.C_g[1] @ con.E.T
    initial_u = -initial @ transpose(lam * G @ R)
    return con.gamma0 * np.diag((con.weight * (target_u - v_u + initial_u)).sum(0))


def constants(problem: Problem, steps: int) -> Constants:
    """Read the problem dictionary."""
    network, data, optimizer = problem["network"], problem["data"], problem["optimizer"]
    if network["kind"] != "mlp":
        raise ValueError(f"network.kind: this oracle solves 'mlp' only, got {network['kind']!r}")
    depth, mode = int(network["depth"]), str(data["kind"])
    decay, K = propagator(optimizer, steps)
    D = initial_scales(network, depth)[:, None, None] * np.diag(decay)
    E = D[0].copy()
    if network.get("centered", False):
        E[:, 0] -= D[0, 0, 0]
    lam, grams, weight = spectrum(data)
    C = grams.shape[-1]
    pairs, ones = np.ones((C, C)), np.ones((steps, steps))
    D, E, K = np.kron(D, np.eye(C)), np.kron(E, np.eye(C)), np.kron(K, pairs)
    K = np.reshape(optimizer.get("layer_lr") or [1.0] * (depth + 1), (depth + 1, 1, 1)) * K
    listed = isinstance(data.get("alpha"), list | tuple)
    inv_alpha = 0.0 if mode == "population" else 1.0 if listed else 1.0 / data["alpha"]
    inverses = 1.0 / np.array(data["alpha"][:steps]) if listed else np.ones(steps)
    batches_of_steps = np.kron(np.diag(inverses), pairs)
    selection, earlier, batches = batching(data, steps)
    selection, earlier = np.kron(selection, pairs), np.kron(earlier, pairs)
    covariance = data.get("noise_covariance", np.eye(C) * data.get("noise", 0.0) ** 2)
    sampling = (inv_alpha, batches_of_steps, selection, earlier, batches, np.kron(ones, covariance))
    target = second_target(data, steps)
    target = target @ target.T
    modes = (lam, np.array([np.kron(target, gram) for gram in grams]), weight, C)
    return Constants(depth, *scales(network, depth), K, D, E, mode, *sampling, *modes)


def initial_scales(network: Problem, depth: int) -> Array:
    """Return (L+1,), the standard deviation of the initial weights of each array."""
    found = np.array(np.broadcast_to(network.get("init_scale", 1.0), depth + 1), float)
    if network.get("zero_readout", False):
        found[-1] = 0.0
    return found


def second_target(data: Problem, steps: int) -> Array:
    """Components (T, 2) of the target along the first one and across it (section 18)."""
    overlap, strength = data.get("switch_overlap", 0.0), data.get("switch_strength", 1.0)
    late = np.arange(steps) >= data.get("switch_at", steps)
    along = np.where(late, strength * overlap, 1.0)
    return np.stack([along, late * strength * math.sqrt(1.0 - overlap**2)], axis=1)


def batching(data: Problem, steps: int) -> tuple[Array, Array, int]:
    """Covariance of the samples' weights, earlier epochs, and batches of an epoch (17)."""
    batches = int(data["batches"]) if data["kind"] == "epochs" else 1
    epoch = np.arange(steps) // batches
    selection = np.zeros((steps, steps))
    if data["kind"] == "multi_pass":
        selection = np.eye(steps) * (1.0 / data["batch_fraction"] - 1.0)
    if batches > 1:
        selection = batches * np.eye(steps) - 1.0 * (epoch[:, None] == epoch[None, :])
    # Within single steps a response is zero, so that nothing is cut off.
    return selection, 1.0 * (epoch[:, None] > epoch[None, :]), batches


def scales(network: Problem, depth: int) -> tuple[float, float, list[float]]:
    """Effective gamma0, rho and the width ratios (theory.md sections 1 and 8)."""
    width, gamma0 = network.get("width", 1.0), float(network["gamma0"])
    nu = [float(w) for w in width] if isinstance(width, list | tuple) else [float(width)] * depth
    infinite = math.isinf(nu[-1])
    if len(nu) != depth or any(math.isinf(w) != infinite for w in nu):
        raise ValueError(f"network.width: {depth} widths, all finite or all infinite, got {nu}")
    nu = [1.0] * depth if infinite else nu  # infinite widths are equal: only ratios matter
    ratio = [nu[0] / nu[-1], *(after / before for before, after in pairwise(nu)), 1.0]
    if network.get("parameterization", "mup") == "ntk":
        return 0.0 if infinite else gamma0 / math.sqrt(nu[-1]), 1.0 / gamma0**2, ratio
    return gamma0, 0.0 if infinite else 1.0 / (gamma0**2 * nu[-1]), ratio


def propagator(optimizer: Problem, steps: int) -> tuple[Array, Array]:
    """Responses d (T,), K (T, T) to a weight's start and to a unit gradient (theory.md section 7).

    Runs PyTorch's SGD on T + 1 scalar weights at once: weight s gets a unit gradient at step s,
    the last one starts at 1 and gets none. Weight decay joins the gradient before the buffer.
    """
    lr = np.broadcast_to(np.asarray(optimizer["lr"], float), np.shape(optimizer["lr"]) or steps)
    momentum, decay = optimizer.get("momentum", 0.0), optimizer.get("weight_decay", 0.0)
    beta = np.broadcast_to(np.asarray(momentum, float), np.shape(momentum) or steps)
    weights, buffer = np.zeros(steps + 1), np.zeros(steps + 1)
    weights[steps] = 1.0
    history = [weights]
    for t in range(steps - 1):
        gradient = -decay * weights
        gradient[t] += 1.0
        buffer = beta[t] * buffer + gradient
        step = gradient + beta[t] * buffer if optimizer.get("nesterov", False) else buffer
        weights = weights + lr[t] * step  # not in place: history keeps the old array
        history.append(weights)
    table = np.array(history)
    return table[:, steps], table[:, :steps]


def spectrum(data: Problem) -> tuple[Array, Array, Array]:
    """Eigenvalues and weights of the modes (k, 1, 1), inner products of targets (k, C, C)."""
    table = data.get("spectrum", {"kind": "isotropic"})
    if table["kind"] not in {"isotropic", "discrete"}:
        raise ValueError(f"data.spectrum.kind: isotropic or discrete, got {table['kind']!r}")
    names = ("eigenvalues", "weights")
    lam, weight = (np.array(table.get(name, [1.0]), float)[:, None, None] for name in names)
    targets = np.array(table.get("targets", np.sqrt(table.get("target_power", [1.0]))), float)
    targets = targets[:, None] if targets.ndim == 1 else targets
    grams = targets[:, :, None] * targets[:, None, :] if targets.ndim == 2 else targets
    return lam, grams, weight
