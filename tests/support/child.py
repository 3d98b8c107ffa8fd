"""Python in a process of its own: what tests of signals, forks and environments start."""

import os
import subprocess
import sys

PATIENCE = 60
"""Seconds after which a child counts as hung; none needs more than a few."""


def command(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(code: str, *arguments: object, **environment: str) -> str:
    """What the code prints; it must end well and in time."""
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
    """The running process, with a pipe to read what it prints."""
    return subprocess.Popen(command(code, *arguments), stdout=subprocess.PIPE, text=True)
