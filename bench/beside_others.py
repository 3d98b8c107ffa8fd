"""lindmft beside NumPy, SciPy and torch in one process: same bits, separate threads, no slow-down.

python bench/beside_others.py        needs threadpoolctl and SciPy, and torch for its rows

Each row is a fresh process that imports libraries in some order, lets them work on two threads,
and then solves and trains on two. ``cpu/wall`` of the calls of lindmft is below two if its threads
wait for those of other libraries. ``threads`` is the number of threads of the operating system.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from itertools import permutations

CHILD = """
import hashlib, json, os, sys, time
import numpy as np
import threadpoolctl

order = sys.argv[1].split()
threadpoolctl.threadpool_limits(2, "blas")

def of_numpy(pools):
    return [pool["num_threads"] for pool in pools if "numpy" in pool["filepath"]]

numpy_before = of_numpy(threadpoolctl.threadpool_info())

def threads():
    return len(os.listdir("/proc/self/task"))

def theirs():
    a = np.random.default_rng(0).standard_normal((600, 600))
    found = [float((a @ a).sum())]
    if "scipy" in order:
        import scipy.linalg
        found.append(float(np.abs(scipy.linalg.svdvals(a)).sum()))
    if "torch" in order:
        import torch
        t = torch.from_numpy(a)
        found += [float((t @ t).sum()), float(torch.nn.functional.relu(t).sum())]
    return found

for name in order:
    if name == "scipy":
        import scipy.linalg
    elif name == "torch":
        import torch
        torch.set_num_threads(2)
    else:
        before = threads()
        import lindmft as lm
        loading = threads() - before

problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
many = [problem.replace(**{"optimizer.lr": lr}) for lr in np.geomspace(0.02, 0.1, 32)]

def ours():
    solved = lm.solve_many(many, 200, threads=2)
    runs = lm.train(problem, 200, dim=256, seeds=16, threads=2)
    arrays = [one.test_loss for one in solved] + [runs.test_loss, runs.gradient_norm]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:12]

first, seen = theirs(), set()
ours()
started = threads()
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(3):
    seen.add(ours())
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
assert threads() == started, "threads are left behind"
for _ in range(3):
    again = theirs()
    seen.add(ours())
pools = threadpoolctl.threadpool_info()
print(json.dumps({
    "bits": sorted(seen), "theirs": np.allclose(first, again, rtol=1e-12), "cpu": cpu / wall,
    "seconds": wall / 3, "threads": threads(), "loading": loading,
    "numpy": numpy_before == of_numpy(pools),
    "pools": [
        [pool["user_api"], pool["num_threads"], pool["filepath"].split("site-packages/")[-1]]
        for pool in pools
    ],
}))
"""


def run(order: tuple[str, ...]) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, " ".join(order)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(order)} ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> int:
    others = [name for name in ("scipy", "torch") if find_spec(name)]
    orders = [("lindmft",), *(o for name in others for o in permutations(("lindmft", name)))]
    if len(others) == 2:
        orders += permutations(("lindmft", *others))
    print("| order of imports | bits | cpu/wall | seconds | threads | theirs unchanged |")
    print("|---|---|---|---|---|---|")
    bits, sound = set(), True
    for order in orders:
        found = run(order)
        bits |= set(found["bits"])  # type: ignore[call-overload]
        unchanged = bool(found["theirs"] and found["numpy"])
        sound &= unchanged
        print(
            f"| {', '.join(order)} | {' '.join(found['bits'])} | {found['cpu']:.2f} "  # type: ignore[attr-defined]
            f"| {found['seconds']:.2f} | {found['threads']} | {'yes' if unchanged else 'NO'} |",
            flush=True,
        )
    print(f"\nimport lindmft started {found['loading']} threads; pools of the last process:")
    for api, threads, path in found["pools"]:  # type: ignore[attr-defined]
        print(f"    {api:<7} {threads} {path}")
    same = len(bits) == 1
    print(f"the same bits in all: {'yes' if same else 'NO'}")
    return 0 if same and sound else 1


if __name__ == "__main__":
    sys.exit(main())
