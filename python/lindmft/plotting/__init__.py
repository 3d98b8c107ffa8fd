"""Pictures of losses, sources, exponents, depth, stability, sweeps, verification; style.

Theory is drawn as lines, training as points with error bars. Everything needs matplotlib, which is
imported when a picture is drawn.
"""

from lindmft.plotting.compute import compute_optimal
from lindmft.plotting.coordinates import coordinates
from lindmft.plotting.edge import edge_of_stability
from lindmft.plotting.exponents import exponents
from lindmft.plotting.kernels import kernels
from lindmft.plotting.losses import compare, losses
from lindmft.plotting.modes import mode_curves
from lindmft.plotting.profiles import profile
from lindmft.plotting.rates import optimum_over_time
from lindmft.plotting.spectrum import spectrum
from lindmft.plotting.stability import stability
from lindmft.plotting.style import style
from lindmft.plotting.sweep import sweep
from lindmft.plotting.transfer import transfer, transfer_rates
from lindmft.plotting.variances import variances
from lindmft.plotting.verification import verification
from lindmft.plotting.wider import wider_is_better

__all__ = [
    "compare",
    "compute_optimal",
    "coordinates",
    "edge_of_stability",
    "exponents",
    "kernels",
    "losses",
    "mode_curves",
    "optimum_over_time",
    "profile",
    "spectrum",
    "stability",
    "style",
    "sweep",
    "transfer",
    "transfer_rates",
    "variances",
    "verification",
    "wider_is_better",
]
