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
# $f(x) \propto w^L \cdot W^{L-1} \cdots W^1 W^0 x$, but it learns like a network: all layers change
# together, step by step, from random weights. How fast and how well it learns depends on its
# width, its depth, the data and the learning rate.
#
# In the limit of large sizes this can be calculated. Let $D$ be the input dimension, $N = \nu D$
# the width and $P = \alpha D$ the number of samples. For $D \to \infty$ at fixed $\nu$ and
# $\alpha$, the loss at every step does not depend on the random weights and data any more. It
# follows from closed equations. `lindmft` solves them, and trains the finite networks that they
# describe.

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
# The network has two hidden layers as wide as the input ($\nu = 1$). There are twice as many
# samples as dimensions ($\alpha = 2$), and their labels have noise of standard deviation
# $\sigma = 0.3$: $y = w^* \cdot x/\sqrt{D} + \sigma \epsilon$. A learning rate of order one works
# at every size, because `lindmft` includes the powers of width and dimension.

# %%
problem = lm.Problem(
    network=lm.MLP(depth=2, width=1.0, gamma0=1.0),
    data=lm.FullBatch(alpha=2.0, noise=0.3),
    optimizer=lm.SGD(lr=0.1),
)

# %% [markdown]
# ## Theory and training
#
# `solve` returns the loss of the infinite network. `train` draws weights and data, and trains
# networks of finite size, one for each seed.

# %%
theory = lm.solve(problem, steps=STEPS)
runs = lm.train(problem, steps=STEPS, dim=DIM, seeds=SEEDS)
print(theory)
print(runs)

# %% [markdown]
# Lines are theory. Points are the mean over networks with its standard error, and bands are one
# standard deviation of a single network. Nothing was fitted.

# %%
lm.plotting.compare(theory, runs)
plt.show()

# %% [markdown]
# How well do they agree? A $z$-score is the difference of theory and mean in units of the standard
# error, and should be of order one. The mean of finite networks deviates from the theory by order
# $1/D$.

# %%
print(lm.compare(theory, runs).summary())

# %% [markdown]
# ## Where the loss comes from
#
# The test loss is a sum of three terms: the part of the target that is not learned yet (the bias),
# a term of the random initial weights at finite width, and a term of the finite data. The last one
# remains: for $\alpha > 1$ the test loss converges to $\sigma^2/(\alpha - 1)$, at every width and
# depth.

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
limit = 0.3**2 / (2 - 1)
print(f"at the last step {theory.test_loss[-1]:.4f}, in the limit {limit:.4f}")

# %% [markdown]
# ## Memory of earlier steps
#
# The equations are equations for *two-time functions*: $C_h^l(t, s)$ is the overlap of the features
# of layer $l$ at step $t$ with those at step $s$. `save` selects the functions to keep. Divided by
# $\sqrt{C_h^l(t, t)\, C_h^l(s, s)}$ it is the cosine of the angle between the features: 1 if they
# have the same direction.

# %%
kept = lm.solve(problem, steps=30, save=["C_h"])
size = np.sqrt(kept.feature_norm[1])
figure, ax = plt.subplots()
image = ax.imshow(kept.C_h[2] / np.outer(size, size), origin="lower", vmax=1)
ax.set(xlabel="step s", ylabel="step t", title="features of layer 2: cosine")
figure.colorbar(image)
plt.show()

# %% [markdown]
# Next: what happens if the network is four times as wide,
# `problem.replace(**{"network.width": 4.0})`? Does a deeper network learn faster? Change the
# problem and run the cells again.
