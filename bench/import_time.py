"""Time of ``import lindmft`` in fresh processes, and the part of it that is NumPy.

python bench/import_time.py [processes]
"""

import re
import statistics
import subprocess
import sys
from collections import defaultdict

MOST = 0.3
"""Largest time in seconds that the package promises."""
PACKAGES = {"numpy", "lindmft"}
TIMED = """
import time
wall, cpu = time.perf_counter(), time.process_time()
import {}
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def seconds(module: str) -> tuple[float, float]:
    """Return wall-clock time and processor time; the latter is better on a busy machine."""
    command = [sys.executable, "-c", TIMED.format(module)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    clock, processor = map(float, printed.split())
    return clock, processor


def shares() -> dict[str, float]:
    """Return the seconds spent in the modules of each package, in one process."""
    command = [sys.executable, "-X", "importtime", "-c", "import lindmft"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    spent: dict[str, float] = defaultdict(float)
    for own, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)", lines):
        top = module.partition(".")[0]
        # not in the list, since a call imports it
        name = (
            "the compiled module, BLAS and OpenMP" if module == "lindmft._internal.loading" else top
        )
        spent[name if top in PACKAGES else "Python's own"] += int(own) / 1e6
    return spent


def main(processes: int) -> int:
    seconds("lindmft")  # loads files into the disk cache
    rounds = [(seconds("lindmft"), seconds("numpy")) for _ in range(processes)]
    print(f"seconds, median (least to most) of {processes} fresh processes, by turns:")
    medians = {}
    for name, column in zip(("lindmft", "numpy"), zip(*rounds, strict=True), strict=True):
        for kind, values in zip(("clock", "processor"), zip(*column, strict=True), strict=True):
            medians[name, kind] = statistics.median(values)
            spread = f"({min(values):.3f} to {max(values):.3f})"
            print(f"    import {name:<7} {kind:<9} {medians[name, kind]:.3f} {spread}")
    print("of one import lindmft (-X importtime):")
    for name, spent in sorted(shares().items(), key=lambda item: -item[1]):
        print(f"    {spent:.3f} s  {name}")
    return 0 if medians["lindmft", "clock"] < MOST else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 11))
