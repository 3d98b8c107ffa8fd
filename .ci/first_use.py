"""First steps of a user with an installed wheel and only NumPy; run it in an empty folder."""

import ctypes
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

import lindmft as lm

installed = {distribution.name for distribution in metadata.distributions()}
assert not installed & {"scipy", "xarray", "matplotlib", "click"}, "not a fresh environment"
assert Path(lm.__file__).is_relative_to(sys.prefix), lm.__file__
assert metadata.version("lindmft") == lm.__version__
lm.show_config()

problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
theory = lm.solve(problem, steps=50, save="all", threads=2)
runs = lm.train(problem, steps=50, dim=128, seeds=8, threads=2)
assert abs(lm.compare(theory, runs).test_loss.largest_z) < 6
flow = lm.flow(problem, time=100.0)
assert flow.diverged_at is None


def refusal(call: Callable[[], object]) -> str:
    """Return the message of a call that must fail."""
    try:
        call()
    except (ImportError, ValueError) as error:
        return str(error)
    raise AssertionError("not refused")


assert "steps" in refusal(lambda: lm.solve(problem, steps=-1))
assert "lindmft[io]" in refusal(lambda: theory.save("theory.nc"))


def loaded() -> set[str]:
    """Return the paths of the libraries in this process."""
    if sys.platform == "darwin":
        system = ctypes.CDLL(None)
        name = system._dyld_get_image_name
        name.restype = ctypes.c_char_p
        return {name(index).decode() for index in range(system._dyld_image_count())}
    maps = Path("/proc/self/maps").read_text()
    return {line.split()[-1] for line in maps.splitlines() if "/" in line}


(blas,) = {path for path in loaded() if "libscipy_openblas." in Path(path).name}
assert Path(blas).is_relative_to(sys.prefix), blas
print(f"works on Python {sys.version.split()[0]}, NumPy {np.__version__}, with {blas}")
