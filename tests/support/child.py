"""Python in child processes, for tests of signals, forks and environments."""

import os
import subprocess
import sys

PATIENCE = 60
"""Seconds after which a child counts as hung; every child needs a few at most."""


def command(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(code: str, *arguments: object, **environment: str) -> str:
    """Return what the code prints; it must end without an error and in time."""
    done = subprocess.run(
        command(code, *arguments),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Return the running process, with a pipe for its output."""
    return subprocess.Popen(command(code, *arguments), stdout=subprocess.PIPE, text=True)
