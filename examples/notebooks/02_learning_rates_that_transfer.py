# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Learning rates that transfer
#
# Tuning the learning rate of a large network is expensive. Can one tune a small network instead,
# and use the same rate for the large one? That depends on the *parameterization*: the choice of the
# powers of the width. The output of a network of width $N = \nu D$ is
# $f = \frac{\sqrt{D}}{\gamma_0 N}\, w^L \cdot h^L$.
#
# * **muP** (maximal update): $\gamma_0$ is the same at every width. Features change by the same
#   amount.
# * **NTK** (neural tangent): $\gamma_0 \propto 1/\sqrt{\nu}$. The wider the network, the less its
#   features move, and the closer it is to a kernel method.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import lindmft as lm

QUICK = os.environ.get("LINDMFT_QUICK") == "1"  # fewer rates and smaller networks
STEPS = 40
WIDTHS = [0.5, 1, 2, 4, 8]
RATES = np.geomspace(0.004, 0.4, 13 if QUICK else 41)
DIM, SEEDS = (64, 4) if QUICK else (192, 8)

network = lm.MLP(depth=3, gamma0=4.0)
problem = lm.Problem(network, lm.FullBatch(alpha=4.0), lm.SGD(lr=0.03))

# %% [markdown]
# ## Loss against learning rate
#
# Every curve is the test loss after 40 steps at one width. `sweep` solves all points of the grid
# and returns a labelled dataset. A cross at the upper edge marks a rate that diverges.

# %%
dataset = lm.sweep(
    problem,
    {
        "network.parameterization": ["mup", "ntk"],
        "network.width": WIDTHS,
        "optimizer.lr": RATES,
    },
    steps=STEPS,
)
shape = {"figsize": (11, 4), "layout": "constrained"}
figure, axes = plt.subplots(1, 2, sharey=True, **shape)
for ax, name, title in zip(axes, ("mup", "ntk"), ("muP", "NTK"), strict=True):
    lm.plotting.sweep(dataset, "lr", "width", ax, select={"parameterization": name})
    ax.set_title(title)
plt.show()

# %% [markdown]
# In muP the minima are at nearly the same rate, and up to the minimum wider networks are better at
# every rate. In NTK parameterization the minimum moves to larger rates as the width grows: the rate
# that is best at width 1/2 is far too small at width 8.
#
# ## The best rate
#
# `optimal_lr` finds the minimum by a search on the theory, and `transfer` does this at every width.
# It also reports how much worse the loss is if all widths use the best rate of the smallest
# network.

# %%
print(lm.optimal_lr(problem, STEPS))
table = lm.transfer(problem, "network.width", WIDTHS, steps=STEPS)
print(table.summary())

# %%
figure, axes = plt.subplots(1, 2, **shape)
lm.plotting.transfer(table, tuple(axes))
plt.show()

# %% [markdown]
# ## Do finite networks agree?
#
# Train networks at three rates and two widths, and compare them with the theory.

# %%
rates, widths = [0.01, 0.02, 0.03], [1.0, 4.0]
grid = problem.vary({"network.width": widths, "optimizer.lr": rates})
solved = lm.solve_many(grid, STEPS)
trained = lm.train_many(grid, STEPS, dim=DIM, seeds=SEEDS)
print(f"{'width':>6}{'lr':>7}{'theory':>11}{'training':>11}")
for one, theory, runs in zip(grid, solved, trained, strict=True):
    width, lr = one.network.width, one.optimizer.lr
    losses = theory.test_loss[-1], runs.mean().test_loss[-1]
    print(f"{width:>6g}{lr:>7g}{losses[0]:>11.3g}{losses[1]:>11.3g}")

# %% [markdown]
# ## Why
#
# How much does learning change the network? The *coordinate check* measures updates against width.
# Look at the updates of the gradients: constant lines mean that layers learn equally at every
# width, falling lines mean that wide networks become lazy.

# %%
check = lm.coordinate_check(problem, widths=[1, 2, 4, 8, 16], steps=20)
lm.plotting.coordinates(check)
plt.show()
print(check.verdict)
