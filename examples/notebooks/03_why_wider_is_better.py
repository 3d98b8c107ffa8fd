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
# # Why wider is better
#
# Train the same architecture twice, from different random weights, and you get two different
# networks. The part of the test loss that comes from this randomness is a *variance*. The part that
# comes from the random data is another variance. The rest is the *bias*: the error of the average
# over all networks.
#
# Let $v = w^* - \hat{w}$ be the error of the learned weights. For two networks $a$ and $b$ that
# share only the target, the overlap $\frac{1}{D} v^a \cdot v^b$ is the bias. If they share their
# initial weights, their data, or both, the overlap is larger. Four overlaps give all variances,
# exactly, and no network has to be trained.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import lindmft as lm

QUICK = os.environ.get("LINDMFT_QUICK") == "1"  # fewer widths and smaller networks
STEPS = 60
WIDTHS = np.geomspace(0.25, 16, 7 if QUICK else 19)
DIM, SEEDS = (64, 8) if QUICK else (256, 16)

data = lm.FullBatch(alpha=2.0, noise=0.5)
problem = lm.Problem(lm.MLP(depth=2, width=0.5), data, lm.SGD(lr=0.05))

# %% [markdown]
# ## Four parts of a loss
#
# The upper line of the picture is the test loss of one narrow network. Its bias vanishes as it
# learns. The variance of the initial weights is largest at the start and decays slowly; the
# variance of the noisy data keeps growing.

# %%
theory = lm.solve(problem, STEPS, replicas=True)
lm.plotting.variances(theory)
plt.show()

# %% [markdown]
# Do trained networks agree? For each seed, two initializations are trained on two data sets: four
# pairs.

# %%
runs = lm.train_replicas(problem, STEPS, dim=DIM, seeds=SEEDS, k_init=2, k_data=2)
names = ("bias", "variance_init", "variance_data", "variance_interaction")
print(f"{'at step ' + str(STEPS - 1):<22}{'theory':>9}{'training':>10}")
for name in names:
    exact = getattr(theory.replicas, name)[-1]
    measured = getattr(runs.replicas, name)[:, -1].mean()
    print(f"{name:<22}{exact:>9.4f}{measured:>10.4f}")

# %% [markdown]
# ## Against width
#
# Which part shrinks as the width grows, after a fixed number of steps? The variance of the initial
# weights falls fastest, then the interaction. The bias falls, too, because wide networks learn
# faster. The variance of noisy data exists at every width: only more data or early stopping reduce
# it.

# %%
problems = problem.vary({"network.width": WIDTHS})
solved = lm.solve_many(problems, STEPS, replicas=True)
figure, ax = plt.subplots()
for name in names:
    values = [getattr(one.replicas, name)[-1] for one in solved]
    ax.loglog(WIDTHS, values, label=name.replace("_", ", "))
ax.set(xlabel=r"width $\nu$", ylabel=f"test loss after {STEPS} steps, by source")
ax.legend()
plt.show()

# %% [markdown]
# ## One wide network, or many narrow ones?
#
# Averaging the predictions of $k$ networks with different initial weights divides the variance of
# these weights by $k$; $k = \infty$ removes it. The loss of such an ensemble follows from the same
# overlaps. A network of width $\nu$ has $(\nu + \nu^2) D^2$ weights. One can therefore compare one
# wide network with several narrow ones that have the same number of weights.

# %%
cost = WIDTHS + WIDTHS**2  # input weights and the one hidden array, over D^2
each = 0.5 + 0.5**2  # the same for a network of width 1/2
counts = np.unique(np.geomspace(1, cost[-1] / each, 12).round())
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for ax, noise in zip(axes, (0.0, 0.5), strict=True):
    noisy = problem.replace(**{"data.noise": noise})
    wider = lm.solve_many(noisy.vary({"network.width": WIDTHS}), STEPS)
    narrow = lm.solve(noisy, STEPS, replicas=True)
    averaged = [narrow.ensemble_loss(k_init=k)[-1] for k in counts]
    ax.loglog(cost, [one.test_loss[-1] for one in wider], label="one wider network")
    ax.loglog(each * counts, averaged, "o-", label="averages at width 1/2")
    ax.axhline(narrow.ensemble_loss(k_init=np.inf)[-1], color="0.6", linestyle=":")
    ax.set(xlabel="weights, over $D^2$", title=f"label noise {noise:g}")
axes[0].set_ylabel(f"test loss after {STEPS} steps")
axes[0].legend()
plt.show()

# %% [markdown]
# Without label noise, averages converge (dotted) to a loss far above that of the wide network: each
# narrow network learns from gradients that its random weights have disturbed, and no average can
# correct that. With noisy labels and the same number of steps the wide network is worse, because it
# has fitted more of the noise by then.
#
# ## Is wider always better?
#
# With the same learning rate and richness and with clean data: yes, at every step. With few noisy
# samples, wide networks also fit the noise sooner.

# %%
clean = problem.replace(data=lm.FullBatch(alpha=4.0))
few = problem.replace(data=lm.FullBatch(alpha=1.5, noise=0.7))
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
titles = ("clean data", "few noisy samples")
for ax, one, title in zip(axes, (clean, few), titles, strict=True):
    found = lm.wider_is_better(one, [0.25, 0.5, 1, 2, 4], steps=2 * STEPS)
    lm.plotting.wider_is_better(found, ax)
    ax.set_title(title)
    print(f"{title}: {found}")
plt.show()
