"""Marks for tests that need a certain build of the core."""

import pytest

from lindmft import _core

needs_openmp = pytest.mark.skipif(
    _core.config()["openmp"] == "off", reason="a build without OpenMP"
)
