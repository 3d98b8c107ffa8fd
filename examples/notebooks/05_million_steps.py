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
# # A million steps
#
# Training for a million steps takes a long time. The theory does not need every step: after the
# first steps little changes from one to the next, and a few nodes in time are enough. This is what
# `grid="adaptive"` does. The distances between nodes grow with time. The nodes are chosen such that
# the error is below a tolerance.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import lindmft as lm

QUICK = os.environ.get("LINDMFT_QUICK") == "1"  # fewer networks
STEPS = 10**6
DIM, SEEDS = (64, 4) if QUICK else (256, 16)

data = lm.FullBatch(alpha=1.2, noise=0.5)
problem = lm.Problem(lm.MLP(depth=2), data, lm.SGD(lr=0.05))

# %% [markdown]
# ## A few hundred nodes

# %%
theory = lm.solve(problem, STEPS, grid="adaptive", rtol=1e-6)
print(theory.status)
print(f"solved in {theory.stats.seconds:.2f} s")

# %% [markdown]
# Is the result correct? For $\alpha > 1$ the test loss must converge to $\sigma^2/(\alpha - 1)$.

# %%
print(f"{theory.test_loss[-1]:.10f} should be {0.5**2 / (1.2 - 1):.10f}")

# %% [markdown]
# ## Any steps
#
# Between its nodes the solution is as accurate as at the nodes: `at` returns it at any steps. The
# first few hundred steps can be compared with training.

# %%
shown = np.unique(np.geomspace(1, STEPS - 1, 120).round())
dense = theory.at(shown)
runs = lm.train(problem, 300, dim=DIM, seeds=SEEDS)
mean, error = runs.mean(), runs.sem()
at = [1, 3, 10, 30, 100, 299]
figure, ax = plt.subplots()
ax.loglog(dense.time, dense.test_loss, label="test, theory")
ax.loglog(dense.time, dense.train_loss, "--", label="train, theory")
points, bars = mean.test_loss[at], error.test_loss[at]
ax.errorbar(at, points, bars, fmt="o", label="test, networks")
ax.axhline(0.5**2 / (1.2 - 1), color="0.7", linestyle=":")
ax.set(xlabel="step t", ylabel="loss")
ax.legend()
plt.show()

# %% [markdown]
# ## Early stopping
#
# There are few samples, and they are noisy. The test loss has a minimum long before training ends,
# and then doubles while the training loss keeps falling. Which step was the best one to stop?

# %%
steps = np.arange(0, 1000)
losses = theory.at(steps).test_loss
best = int(losses.argmin())
print(f"best at step {best}: test loss {losses[best]:.3f}")
print(f"at the end: {theory.test_loss[-1]:.3f}")

# %% [markdown]
# With more samples, early stopping helps less.

# %%
alphas = np.geomspace(0.5, 8, 7 if QUICK else 15)
many = lm.solve_many(problem.vary({"data.alpha": alphas}), 10**5, grid="adaptive")
early = [one.at(steps).test_loss.min() for one in many]
late = [one.test_loss[-1] for one in many]
figure, ax = plt.subplots()
ax.loglog(alphas, late, "s-", label="after 100 000 steps")
ax.loglog(alphas, early, "o-", label="stopped at the best step")
ax.set(xlabel=r"samples per dimension $\alpha$", ylabel="test loss")
ax.set_xticks([0.5, 1, 2, 4, 8], ["0.5", "1", "2", "4", "8"])
ax.minorticks_off()
ax.legend()
plt.show()

# %% [markdown]
# Without early stopping, the loss has a peak where the numbers of samples and dimensions are equal
# ($\alpha = 1$). With early stopping, more data are never worse.
#
# ## Gradient flow
#
# For small learning rates $\eta$ only the time $\eta t$ matters. `flow` solves this limit directly,
# and `continue_from` continues a solution from its end.

# %%
flow = lm.flow(problem, time=1e3)
longer = lm.flow(problem, time=1e6, continue_from=flow)
print(longer.status)
figure, ax = plt.subplots()
for rate in (0.08, 0.04, 0.01):
    count = int(100 / rate)
    steps_of = problem.replace(**{"optimizer.lr": rate})
    run = lm.solve(steps_of, count, grid="adaptive")
    label = rf"steps, $\eta$ = {rate:g}"
    ax.semilogx(rate * run.time[1:], run.test_loss[1:], label=label)
past = longer.time > 1e-3
ax.semilogx(longer.time[past], longer.test_loss[past], "k:", label="gradient flow")
ax.set(xlabel=r"time $\eta t$", ylabel="test loss", xlim=(1e-2, 100))
ax.legend()
plt.show()
