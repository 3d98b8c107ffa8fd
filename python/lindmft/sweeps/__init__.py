"""Sweeps over grids of problems: plan, stages, blocks, store, engines, loop.

A *plan* has axes, and one or two *stages*: theory and training. A stage's grid of points is cut
into *blocks*, rectangles of neighbouring points. A block is what an *engine* computes at a time and
what a *store* keeps in one chunk of every array, with a mark written last.
"""

from lindmft.sweeps.options import SweepOptions
from lindmft.sweeps.sweep import open_sweep, sweep, sweep_summary

__all__ = ["SweepOptions", "open_sweep", "sweep", "sweep_summary"]
