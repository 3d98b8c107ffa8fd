"""The machine of a measurement, with conditions that make measurements wrong."""

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from lindmft import _core

PRESET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
BUSY = 0.3
"""Load of a core by other programs from which times get a warning."""


@dataclass(frozen=True)
class Machine:
    """The machine of a measurement: hardware, libraries and load.

    Attributes
    ----------
    cpu, cores
        Name of the processor, and the number of physical cores that may be used.
    memory
        Memory in bytes; 0: unknown.
    blas, instruction_set
        The linear algebra in use, and the instructions of the compiled loops.
    load
        Average load of the last minute; None: unknown.
    versions
        Versions of libraries by name.
    warnings
        Conditions that make the numbers wrong, one sentence each.

    Examples
    --------
    >>> from lindmft.machine import benchmark
    >>> machine = benchmark.Machine("a processor", 2, 2.0**33, "a BLAS", "avx2", 0.1, {}, ())
    >>> machine.lines()[0]
    'machine          a processor, 2 cores, 8 GiB, load 0.10'
    """

    cpu: str
    cores: int
    memory: float
    blas: str
    instruction_set: str
    load: float | None
    versions: dict[str, str]
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return lines for people, one for each fact."""
        memory = f"{self.memory / 2**30:.0f} GiB" if self.memory else "unknown memory"
        load = "unknown" if self.load is None else f"{self.load:.2f}"
        return [
            f"{'machine':<16} {self.cpu}, {self.cores} cores, {memory}, load {load}",
            f"{'BLAS':<16} {self.blas}",
            f"{'instruction set':<16} {self.instruction_set}",
            f"{'versions':<16} {', '.join(f'{name} {v}' for name, v in self.versions.items())}",
            *(f"Warning: {warning}" for warning in self.warnings),
        ]


def machine(*libraries: str) -> Machine:
    """Return the machine as it is now, also with the versions of ``libraries``."""
    config, load = _core.config(), _load()
    cores = config["cores"]
    return Machine(
        cpu=_cpu(),
        cores=cores,
        memory=_memory(),
        blas=config["blas"],
        instruction_set=config["instruction_set"],
        load=load,
        versions={
            "lindmft": config["version"],
            "compiler": config["compiler"],
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            **{name: metadata.version(name) for name in libraries},
        },
        warnings=_warnings(load, cores),
    )


def _warnings(load: float | None, cores: int) -> tuple[str, ...]:
    found = [
        f"{name} is set ({os.environ[name]}), which may choose slow kernels; unset it."
        for name in PRESET
        if os.environ.get(name)
    ]
    if load is not None and load > BUSY * cores:
        found.append(f"other programs run (load {load:.2f} on {cores} cores): times are too long.")
    return tuple(found)


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _memory() -> float:
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        return 0.0
