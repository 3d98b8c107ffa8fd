"""Pictures: losses, sources, exponents, kernels, depth, stability, sweeps, coordinate checks.

Theory is drawn as lines, training as points with error bars. Everything needs matplotlib, which is
imported when a picture is drawn.
"""

from lindmft.plotting.coordinates import coordinates
from lindmft.plotting.exponents import exponents
from lindmft.plotting.kernels import kernels
from lindmft.plotting.losses import compare, losses
from lindmft.plotting.profiles import profile
from lindmft.plotting.stability import stability
from lindmft.plotting.sweep import sweep
from lindmft.plotting.variances import variances

__all__ = [
    "compare",
    "coordinates",
    "exponents",
    "kernels",
    "losses",
    "profile",
    "stability",
    "sweep",
    "variances",
]
