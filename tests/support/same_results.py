"""Comparison of a result that was read with one that was computed today."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

import lindmft as lm

INEXACT = {"stats", "provenance", "chain_residual", "state"}
"""Fields that depend on the machine and the day, or that old files do not have."""


def expect_same(old: Any, new: Any, rtol: float = 1e-9) -> None:
    """Check that two results agree.

    Each entry of an array may differ by the fraction `rtol` of itself plus `rtol` / 1000 of the
    largest entry; in single precision `rtol` is 1e-5. Everything else is equal.
    """
    assert type(old) is type(new)
    if getattr(new, "dtype", None) == "float32":
        rtol = 1e-5
    if isinstance(new, dict):
        assert old.keys() == new.keys()
        for key, value in new.items():
            expect_same(old[key], value, rtol)
    elif isinstance(new, np.ndarray):
        scale = np.abs(new).max(initial=0.0)
        np.testing.assert_allclose(old, new, rtol=rtol, atol=1e-3 * rtol * scale)
    elif isinstance(new, tuple):
        assert len(old) == len(new)
        for a, b in zip(old, new, strict=True):
            expect_same(a, b, rtol)
    elif is_dataclass(new) and not isinstance(new, lm.Problem):
        for field in fields(new):
            if field.name not in INEXACT:
                expect_same(getattr(old, field.name), getattr(new, field.name), rtol)
    else:
        assert old == new
