"""Peers: training loops in JAX, compiled, in double precision.

* ``autograd``: ``jax.value_and_grad`` of the loss on all samples, one compiled step at a time;
* ``autograd, scan``: all steps in one compiled ``lax.scan``;
* ``collapsed``: the loop of theory.md section 2, all steps in one compiled ``lax.scan``. (Products
  are written ``g @ W``, not ``W.T @ g``, which takes XLA five times as long.)
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from arrays import Array, Sizes, Start

jax.config.update("jax_enable_x64", True)
Weights = list[Any]  # W^0 .. W^{L-1}, readout


def half_loss(sizes: Sizes, weights: Weights, X: Any, y: Any) -> Any:
    h = X
    for w, fan_in in zip(weights[:-1], sizes.layers, strict=False):
        h = h @ w.T / fan_in**0.5
    f = h @ weights[-1] * (sizes.dim**0.5 / (sizes.gamma0 * sizes.layers[-1]))
    return jnp.mean((f - y) ** 2) / 2


def autograd_step(sizes: Sizes, weights: Weights, X: Any, y: Any) -> tuple[Weights, Any]:
    loss, gradients = jax.value_and_grad(partial(half_loss, sizes))(weights, X, y)
    raw = sizes.lr * sizes.gamma0**2 * sizes.layers[-1]
    moved = [w - raw * gradient for w, gradient in zip(weights, gradients, strict=True)]
    return moved, 2 * loss


def collapsed_step(sizes: Sizes, weights: Weights, X: Any, y: Any) -> tuple[Weights, Any]:
    s, layers, root = sizes, sizes.layers, np.sqrt(sizes.layers)
    g = [weights[-1]]
    for i in range(s.depth - 1, 0, -1):
        g.append(g[-1] @ weights[i] / root[i])
    g.reverse()
    w_hat = root[0] / (s.gamma0 * layers[-1]) * (g[0] @ weights[0])
    errors = y - X @ w_hat / root[0]
    h = [errors @ X * (root[0] / s.samples)]
    for i in range(s.depth):
        h.append(weights[i] @ h[-1] / root[i])
    moved = [
        weights[i] + (s.lr * s.gamma0 / root[i]) * jnp.outer(g[i], h[i]) for i in range(s.depth)
    ]
    return [*moved, weights[-1] + s.lr * s.gamma0 * h[-1]], errors @ errors / s.samples


class Compiled:
    """A training loop; ``run`` continues it, and compiles for each new number of steps."""

    def __init__(self, sizes: Sizes, start: Start, kind: str) -> None:
        step = partial(collapsed_step if kind == "collapsed" else autograd_step, sizes)
        self.restart(start)
        self.X, self.y = jnp.asarray(start.X), jnp.asarray(start.y)
        self.scan = kind != "autograd"
        self.step = jax.jit(step, donate_argnums=0)
        self.many: Callable[..., Any] = jax.jit(partial(scanned, step), static_argnums=3)

    def restart(self, start: Start) -> None:
        self.weights = [jnp.array(w) for w in (*start.W, start.readout)]

    def run(self, steps: int) -> Array:
        """Train, and return the train losses before each of the steps."""
        if self.scan:
            self.weights, losses = self.many(self.weights, self.X, self.y, steps)
            return np.asarray(losses)
        seen = []
        for _ in range(steps):
            self.weights, loss = self.step(self.weights, self.X, self.y)
            seen.append(loss)
        return np.array([float(loss) for loss in seen])


def scanned(step: Callable[..., Any], weights: Weights, X: Any, y: Any, steps: int) -> Any:
    return jax.lax.scan(lambda w, _: step(w, X, y), weights, None, length=steps)
