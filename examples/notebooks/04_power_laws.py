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
# # Power laws
#
# The losses of large networks often fall like a power of the training time. Linear networks show
# where such a law comes from: a few directions of the inputs are strong and many are weak, and the
# weak ones are learned later. Let direction $k$ have the variance $\lambda_k = k^{-a}$, and let the
# components of the target satisfy $(w^*_k)^2 \lambda_k = k^{-ab - 1}$. The *capacity* exponent $a$
# is the rate at which the variances of the inputs fall. The *source* exponent $b$ determines how
# much of the target is in weak directions (small $b$: much of it, a hard task).

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import lindmft as lm

QUICK = os.environ.get("LINDMFT_QUICK") == "1"  # shorter times and smaller networks
TIME = 1e3 if QUICK else 1e5
SEEDS = 4 if QUICK else 16

# %% [markdown]
# ## Ten million directions
#
# The theory needs fewer than a hundred nodes for ten million directions, because neighbouring
# directions are learned at nearly the same time.

# %%
spectrum = lm.PowerLaw(capacity=1.5, source=0.5, modes=10**7)
nodes = spectrum.binned()
print(f"{spectrum.modes} modes on {len(nodes.eigenvalues)} nodes")

# %% [markdown]
# ## Lazy and rich
#
# With infinite data and width, a lazy network (richness $\gamma_0 = 0$, a kernel method) learns
# direction $k$ at the fixed rate $\lambda_k$, and its loss falls like $t^{-b}$. The features of a
# rich network align with the target, and it learns faster and faster: $t^{-2b/(1+b)}$ for $b < 1$
# and one hidden layer. Deeper networks are even faster, see the theory, section 12.11.
# `flow` solves gradient flow, in which time is the learning rate times the number of steps.

# %%
curves = {}
for name, gamma0 in (("lazy", 0.0), ("rich", 30.0)):
    network = lm.MLP(depth=1, width=np.inf, gamma0=gamma0, centered=True)
    problem = lm.Problem(network, lm.Population(spectrum=spectrum), lm.SGD(lr=0.1))
    curves[name] = lm.flow(problem, time=TIME)
upper, lower = lm.plotting.exponents(curves)
plt.show()

# %% [markdown]
# The lower panel is the local exponent $d \log L / d \log t$. Grey lines are the two predictions.
# `compare_exponents` fits the exponent over the widest window in which it is nearly constant:

# %%
print(lm.compare_exponents(curves))

# %% [markdown]
# ## Finite width and finite data
#
# With finite sizes the power law ends. With $P$ samples or $N$ hidden units the loss reaches a
# plateau, which comes earlier for smaller numbers. Sizes are actual numbers here, not ratios.

# %%
figure, ax = plt.subplots()
for samples in (100, 1000, 10_000):
    finite = lm.Problem(
        lm.MLP(depth=1, hidden=1024, centered=True),
        lm.FullBatch(samples=samples, spectrum=spectrum),
        lm.SGD(lr=0.1),
    )
    theory = lm.flow(finite, time=TIME)
    shown = theory.time > 0
    time, loss = theory.time[shown], theory.test_loss[shown]
    ax.loglog(time, loss, label=f"{samples} samples")
ax.set(xlabel="time (learning rate x steps)", ylabel="test loss", xlim=(1e-2, TIME))
ax.legend()
plt.show()

# %% [markdown]
# ## Your data
#
# `from_data` computes the spectrum of a data set: the eigenvalues of its second moments, and the
# best linear fit of its labels. Replace `X` and `y` by your data. The inputs here are 200 positions
# of a random walk.

# %%
rng = np.random.default_rng(0)
count, size = 4000, 200
X = rng.standard_normal((count, size)).cumsum(axis=1) / np.sqrt(size)
y = X @ rng.standard_normal(size) / np.sqrt(size) + 0.2 * rng.standard_normal(count)

own = lm.from_data(X, y)
noise = lm.estimate_noise(X, y)
print(f"{len(own.eigenvalues)} directions, label noise {noise:.3f}")
figure, ax = plt.subplots()
ax.loglog(np.arange(1, size + 1), own.eigenvalues)
ax.set(xlabel="direction k", ylabel=r"variance $\lambda_k$")
plt.show()

# %% [markdown]
# How does a network learn from 300 such samples? Here are theory and training. The learning rate is
# in units of $1/\lambda_1$.

# %%
mine = lm.Problem(
    lm.MLP(depth=2, hidden=256, centered=True),
    lm.FullBatch(samples=300, noise=noise, spectrum=own),
    lm.SGD(lr=0.1 / own.eigenvalues[0]),
)
theory = lm.solve(mine, steps=150)
runs = lm.train(mine, steps=150, seeds=SEEDS)
lm.plotting.compare(theory, runs)
plt.show()
print(lm.compare(theory, runs).summary())
