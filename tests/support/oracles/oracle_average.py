"""Dense oracle of averaged weights: one time after the others, with K and d of the average.

``oracle`` solves the problem. Every time of the average is added as a last time, whose weights are
``sum_s M(t, s) W(s)``: its rows of K and d are those of M K and M d (theory.md section 18). One
backward pass of the oracle and its data side then give the row of C_v.
"""

from dataclasses import replace
from typing import cast

import numpy as np
import oracle
from oracle import Array, Constants, Problem, State
from oracle_residual import ChainState, Continuum, Residual, march_any, right_flow, right_sweep

import lindmft as lm
from lindmft.problem.averages import Average


def matrix(average: Average, steps: int) -> Array:
    """M, (T, T): row t has the shares of the weights of the steps in the average at t."""
    M = np.zeros((steps, steps))
    for t in range(steps):
        if isinstance(average, lm.EMA):
            M[t, : t + 1] = (1 - average.decay) * average.decay ** np.arange(t, -1, -1.0)
            M[t, 0] = average.decay**t
        elif isinstance(average, lm.TailAverage):
            M[t, min(average.start, t) : t + 1] = 1 / max(1, t - average.start + 1)
        else:
            merged = [int(step) for step in average.steps if step <= t] or [t]
            M[t, merged] = 1 / len(merged)
    return M


def average_loss(problem: Problem, steps: int, average: Average, nodes: int = 8) -> Array:
    """Return (T,) the test loss of averaged weights, summed over outputs.

    ``nodes`` are those in depth, at infinite depth.
    """
    perceptron = problem["network"]["kind"] == "mlp"  # only these have outputs that share modes
    con, state = oracle.solved(problem, steps) if perceptron else march_any(problem, steps, nodes)
    M = np.kron(matrix(average, steps), np.eye(con.outputs))
    return np.array([_loss(con, state, M, t) for t in range(steps)])


def _loss(con: Constants, state: State, M: Array, t: int) -> float:
    """The test loss with the rows M[t] of every output as additional times."""
    added = slice(t * con.outputs, (t + 1) * con.outputs)
    longer = _with_average(con, M[added])
    own = replace(state, **{name: _padded(x, con.outputs) for name, x in vars(state).items()})
    pairs = longer.D.shape[-1]
    own.C_g[-1] = np.kron(np.ones((pairs // con.outputs,) * 2), np.eye(con.outputs))
    own.R_delta[-con.outputs :, -con.outputs :] = np.eye(con.outputs)
    _backward(longer, own, pairs)
    oracle.data_side(longer, own, pairs)
    return float(np.trace(own.C_v[-con.outputs :, -con.outputs :]))


def _backward(con: Constants, state: State, n: int) -> None:
    """The backward pass of the network's kind."""
    if isinstance(con, Continuum):
        right_flow(con, cast("ChainState", state), n)
    elif isinstance(con, Residual):
        right_sweep(con, cast("ChainState", state), n)
    else:
        for layer in range(con.depth, 0, -1):
            oracle.backward(con, state, layer, n)


def _with_average(con: Constants, rows: Array) -> Constants:
    """Return the constants with the times of the average at the end; nothing responds to these."""
    extended = {
        name: _padded(getattr(con, name), con.outputs)
        for name in ("K", "D", "E", "batches_of_steps", "selection", "earlier")
    }
    n = con.D.shape[-1]
    decay = np.diagonal(con.D, axis1=-2, axis2=-1) @ rows.T  # (L+1, outputs)
    # Rows of K are the same for all outputs of a step, and so are the shares.
    extended["K"][:, n:, :n] = np.einsum("ts,lsr->ltr", rows, con.K)
    extended["D"][:, n:, n:] = decay[:, :, None] * np.eye(con.outputs)
    extended["E"][n:, n:] = np.diag(decay[0])
    centered = con.E - con.D[0]
    extended["E"][n:, :n] = rows @ centered
    extended["earlier"][n:, :n] = 1.0
    wider = {name: _repeated(getattr(con, name), con.outputs) for name in ("noise", "power")}
    return replace(con, **extended, **wider)


def _padded(x: Array, rows: int) -> Array:
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, rows)] * 2)


def _repeated(x: Array, rows: int) -> Array:
    """Add a time to covariances that are the same at all times."""
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, rows)] * 2, mode="wrap")
