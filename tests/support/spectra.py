"""Spectra of the Hessian with numbers of a known density, for tests of what is done with them."""

from collections.abc import Sequence

import numpy as np

from lindmft.results import HessianSpectrum


def hessian_spectrum(
    times: Sequence[float] = (0.0, 5.0),
    lanczos: int = 8,
    seeds: int | None = None,
    outlier: float = 0.0,
    ended: int | None = None,
) -> HessianSpectrum:
    """Return the Gauss rule of a constant density from 0 to 2, at every time, for every network.

    With an ``outlier``, half the weight of the target start is in an eigenvalue there. After
    ``ended`` Ritz values the target start has no more of them. Networks have no bulk edge.
    """
    nodes, weights = np.polynomial.legendre.leggauss(lanczos)
    ritz, weight = 1.0 + nodes[::-1], 0.5 * weights[::-1]
    target_ritz, target_weight = ritz.copy(), weight.copy()
    if outlier:
        inner, share = np.polynomial.legendre.leggauss(lanczos - 1)
        target_ritz = np.append(outlier, 1.0 + inner[::-1])
        target_weight = 0.5 * np.append(1.0, 0.5 * share[::-1])
    if ended is not None:
        target_ritz[ended:] = target_weight[ended:] = np.nan
        target_weight /= np.nansum(target_weight)
    leading = (len(times),) if seeds is None else (seeds, len(times))

    def everywhere(values: object) -> np.ndarray:
        row = np.asarray(values, float)
        return np.broadcast_to(row, (*leading, *row.shape)).copy()

    return HessianSpectrum(
        time=np.array(times, float),
        sharpness=everywhere(max(outlier, ritz[0])),
        sharpness_error=everywhere(0.01),
        bulk_edge=everywhere(2.0) if seeds is None else None,
        bulk_edge_error=everywhere(0.02) if seeds is None else None,
        target_ritz=everywhere(target_ritz),
        target_weight=everywhere(target_weight),
        random_ritz=everywhere(ritz),
        random_weight=everywhere(weight),
    )
