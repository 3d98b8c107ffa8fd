"""Configure what all tests share: signals, threads, random examples, and the number of workers.

``python -m pytest`` runs all tests but those marked ``long``, on up to eight cores; ``-m long``
runs those, and ``-m ""`` all. Named files run in one process, as do ``-n 0`` and ``--pdb``.
"""

import os
import re
import signal
from collections.abc import Iterator

import numpy as np  # noqa: F401 - loads the BLAS whose threads are limited
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

# A shell that runs the tests in the background hands an ignored SIGINT down to them, and they to
# the processes that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Several processes share the cores: threads that wait awake would take the time of those that work.
# OpenMP reads this once, when the compiled module is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Random tests take the same examples every time. Two profiles draw fresh ones, once a week (see
# .ci/weekly); what they find becomes an example of its test.
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("fresh", derandomize=False, deadline=None, print_blob=True)
settings.register_profile(  # fifty times as many, in the tests of hostile input
    "campaign", derandomize=False, max_examples=5000, deadline=None, print_blob=True
)
settings.load_profile("same")

MOST_WORKERS = 8
"""The largest number of worker processes: each one spends time on imports."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker per allowed core, or 0 (run in this process) if a test file is named."""
    asked = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    if asked:
        return int(asked)
    if any(re.search(r"^[^-].*\.py($|::)", word) for word in config.invocation_params.args):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MOST_WORKERS)


@pytest.fixture(scope="session", autouse=True)
def one_thread_of_blas() -> Iterator[None]:
    """Limit NumPy's BLAS to one thread: on busy cores, more take up to a hundred times longer.

    Processes that tests start have all threads.
    """
    with threadpool_limits(1, "blas"):
        yield
