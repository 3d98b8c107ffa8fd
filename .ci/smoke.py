"""First results of a build of the Python package, wherever it lies: theory, training, a flow.

It needs only NumPy, and takes seconds also where the processor is emulated.
"""

import platform

import lindmft as lm

problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
theory = lm.solve(problem, steps=40, save="all", threads=2)
assert theory.self_check_passed
runs = lm.train(problem, steps=40, dim=64, seeds=8, threads=2)
z = lm.compare(theory, runs).test_loss.largest_z
assert abs(z) < 6, z
flow = lm.flow(problem, time=100.0)
assert flow.diverged_at is None
lm.show_config()
print(f"works on {platform.machine()} with Python {platform.python_version()}, z = {z:.2f}")
