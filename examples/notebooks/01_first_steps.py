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
# # First steps
#
# A *deep linear network* computes a linear function of its input,
# $f(x) \propto w^L \cdot W^{L-1} \cdots W^1 W^0 x$, but it learns like a network: its layers move
# together, step by step, from random weights. How fast it learns, and how well, depends on its
# width, its depth, the data and the learning rate.
#
# In the limit of large sizes this can be calculated. Let $D$ be the input dimension, $N = \nu D$
# the width and $P = \alpha D$ the number of samples. For $D \to \infty$ at fixed $\nu$ and
# $\alpha$, the loss at every step no longer depends on the draw of weights and data, and follows
# from closed equations. `lindmft` solves them, and trains the finite networks they describe.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import lindmft as lm

QUICK = os.environ.get("LINDMFT_QUICK") == "1"  # smaller networks, for a fast look
DIM, SEEDS = (96, 4) if QUICK else (384, 16)
STEPS = 100

# %% [markdown]
# ## A problem
#
# Two hidden layers as wide as the input ($\nu = 1$). Twice as many samples as dimensions
# ($\alpha = 2$), whose labels carry noise of standard deviation $\sigma = 0.3$:
# $y = w^* \cdot x/\sqrt{D} + \sigma \epsilon$. A learning rate of order one works at any size,
# because all powers of width and dimension are taken care of.

# %%
problem = lm.Problem(
    network=lm.MLP(depth=2, width=1.0, gamma0=1.0),
    data=lm.FullBatch(alpha=2.0, noise=0.3),
    optimizer=lm.SGD(lr=0.1),
)

# %% [markdown]
# ## Theory and training
#
# `solve` gives the loss of the infinite network. `train` draws weights and data, and trains
# networks of a finite size, one for each seed.

# %%
theory = lm.solve(problem, steps=STEPS)
runs = lm.train(problem, steps=STEPS, dim=DIM, seeds=SEEDS)
print(theory)
print(runs)

# %% [markdown]
# Lines are theory, points the mean over networks with its standard error, bands one standard
# deviation of a single network. Nothing was fitted.

# %%
lm.plotting.compare(theory, runs)
plt.show()

# %% [markdown]
# How well do they agree? A $z$-score is the difference of theory and mean in units of the standard
# error. It should be of order one, while single networks still differ. Finite networks deviate from
# the theory by order $1/D$ in the mean.

# %%
print(lm.compare(theory, runs).summary())

# %% [markdown]
# ## Where the loss comes from
#
# The test loss is a sum of three terms: what is not learned yet (the bias), what random initial
# weights add at finite width, and what the finite data add. The last one stays: for $\alpha > 1$
# the test loss ends at $\sigma^2/(\alpha - 1)$, at every width and depth.

# %%
figure, ax = plt.subplots()
ax.stackplot(
    theory.time,
    theory.term_target,
    theory.term_init,
    theory.term_data,
    labels=["target", "initial weights", "data"],
    colors=["#0072B2", "#E69F00", "#009E73"],
)
ax.set(xlabel="step t", ylabel="test loss", xlim=(0, 40))
ax.legend(loc="upper right")
plt.show()
print(f"at the end {theory.test_loss[-1]:.4f}, for ever {0.3**2 / (2 - 1):.4f}")

# %% [markdown]
# ## Memory of earlier steps
#
# The equations are about *two-time functions*: $C_h^l(t, s)$ says how much the features of layer
# $l$ at step $t$ overlap with those at step $s$. Ask for them by name. Divided by
# $\sqrt{C_h^l(t, t)\, C_h^l(s, s)}$ it is the cosine of the angle between them: 1 if they point the
# same way.

# %%
kept = lm.solve(problem, steps=30, save=["C_h"])
size = np.sqrt(kept.feature_norm[1])
figure, ax = plt.subplots()
image = ax.imshow(kept.C_h[2] / np.outer(size, size), origin="lower", vmax=1)
ax.set(xlabel="step s", ylabel="step t", title="features of the second layer: cosine")
figure.colorbar(image)
plt.show()

# %% [markdown]
# From here: what happens if you make the network four times as wide,
# `problem.replace(**{"network.width": 4.0})`? Does a deeper one learn faster? Change the problem
# and run the cells again.
