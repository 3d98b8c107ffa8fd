"""Peer: the usual autograd loop in PyTorch, on the CPU, in double precision.

A module of L + 1 weight arrays through which all samples pass, ``loss.backward()``, and
``torch.optim.SGD`` with the raw learning rate lr gamma0^2 N_L of theory.md section 2.
"""

import numpy as np
import torch
from arrays import Array, Sizes, Start


class Network(torch.nn.Module):
    def __init__(self, sizes: Sizes, start: Start) -> None:
        super().__init__()
        self.layers, self.gamma0 = sizes.layers, sizes.gamma0
        self.hidden = torch.nn.ParameterList(
            [torch.nn.Parameter(torch.from_numpy(w.copy())) for w in start.W]
        )
        self.readout = torch.nn.Parameter(torch.from_numpy(start.readout.copy()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for w, fan_in in zip(self.hidden, self.layers, strict=False):
            x = x @ w.T / fan_in**0.5
        return x @ self.readout * (self.layers[0] ** 0.5 / (self.gamma0 * self.layers[-1]))


class Autograd:
    def __init__(self, sizes: Sizes, start: Start) -> None:
        self.model = Network(sizes, start)
        self.x, self.y = torch.from_numpy(start.X), torch.from_numpy(start.y)
        raw = sizes.lr * sizes.gamma0**2 * sizes.layers[-1]
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=raw)

    def run(self, steps: int) -> Array:
        """Train, and return the train losses before each of the steps."""
        losses = []
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = ((self.model(self.x) - self.y) ** 2).mean() / 2
            loss.backward()
            self.optimizer.step()
            losses.append(2 * loss.detach())
        return np.array([float(loss) for loss in losses])
