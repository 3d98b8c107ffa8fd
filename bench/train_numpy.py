"""Peer: the collapsed training loop of theory.md section 2 in optimized NumPy.

No sample passes through the network: a step has two products with the samples, two with each
weight array, and a rank-one update of it in place. The update is BLAS's dger, or NumPy's outer
product into a buffer that is added. The caller measures which is quicker, and the best number of
threads of BLAS.
"""

import numpy as np
from arrays import Array, Sizes, Start
from scipy.linalg.blas import dger


class Collapsed:
    """A training loop with a copy of the weights; ``run`` continues from its end."""

    def __init__(self, sizes: Sizes, start: Start, ger: bool) -> None:
        self.sizes, self.ger = sizes, ger
        self.W = [w.copy() for w in start.W]
        self.readout = start.readout.copy()
        self.X, self.y = start.X, start.y
        self.buffers = [np.empty_like(w) for w in self.W] if not ger else []

    def run(self, steps: int) -> Array:
        """Train, and return the train losses before each of the steps."""
        s, W = self.sizes, self.W
        root = np.sqrt(s.layers)
        losses = np.empty(steps)
        for t in range(steps):
            g = [self.readout]  # g^L .. g^1
            for i in range(s.depth - 1, 0, -1):
                g.append(W[i].T @ g[-1] / root[i])
            g.reverse()
            w_hat = (root[0] / (s.gamma0 * s.layers[-1])) * (W[0].T @ g[0])
            errors = self.y - self.X @ w_hat / root[0]
            losses[t] = errors @ errors / s.samples
            h = self.X.T @ errors * (root[0] / s.samples)  # u = h^0
            for i in range(s.depth):
                forward = W[i] @ h / root[i]
                self.update(i, (s.lr * s.gamma0 / root[i]) * g[i], h)
                h = forward
            self.readout = self.readout + s.lr * s.gamma0 * h
        return losses

    def update(self, i: int, g: Array, h: Array) -> None:
        """Update the weights: W^l += g h^T, l = i."""
        if self.ger:
            dger(1.0, h, g, a=self.W[i].T, overwrite_a=1)  # the transpose has Fortran's order
        else:
            self.W[i] += np.multiply.outer(g, h, out=self.buffers[i])
