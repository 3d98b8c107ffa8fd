"""What all tests need before they start: signals, threads, random examples, and how many at once.

``python -m pytest`` runs all tests but those marked ``long``, on all cores; ``-m long`` runs those,
and ``-m ""`` all. A run of named files stays in one process, as do ``-n 0`` and ``--pdb``.
"""

import os
import signal

import pytest
from hypothesis import settings

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
"""More processes spend their time on imports."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One for each core that is allowed, but none beside this process for a few tests."""
    chosen = any(".py" in argument for argument in config.invocation_params.args)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return 0 if chosen else min(cores or 1, MOST_WORKERS)
