"""Spectra of the Hessian of a training in segments, each of which has those of its steps."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lindmft.results.observables import SPECTRUM
from lindmft.results.spectrum import HessianSpectrum, spectrum_from

__all__ = ["add", "asked", "kept", "none_yet"]


def asked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the options of the compiled module ask for, for a comparison of checkpoints."""
    steps = [float(step) for step in options.get("spectrum_at", ())]
    return {"spectrum_at": steps, "lanczos": options["lanczos"]} if steps else {"spectrum_at": []}


def kept(spectrum: HessianSpectrum | None) -> dict[str, Any]:
    """Return what a checkpoint has, in the form of ``asked``."""
    if spectrum is None:
        return {"spectrum_at": []}
    return {"spectrum_at": spectrum.time.tolist(), "lanczos": spectrum.lanczos}


def none_yet(options: Mapping[str, Any], count: int) -> HessianSpectrum | None:
    """Return spectra of ``count`` networks with zeros; None if the options ask for none."""
    steps = np.array(options.get("spectrum_at", ()), float)
    if not len(steps):
        return None
    sizes = {"spectrum_time": len(steps), "ritz": options["lanczos"]}
    arrays = {
        one.name: np.zeros((count, *one.shape(sizes)))
        for one in SPECTRUM.values()
        if not one.of_theory
    }
    return spectrum_from({"spectrum_time": steps, **arrays})


def add(
    whole: HessianSpectrum,
    part: HessianSpectrum | None,
    places: tuple[int, int],
    steps: tuple[int, int],
    diverged: bool,
) -> None:
    """Write the spectra of one network at the steps of a segment into those of all networks.

    ``places`` are the numbers of the network, in ``whole`` and in ``part``. Once it has diverged,
    there are no later segments: the spectra of all later steps are inf.
    """
    i, row = places
    begin, stop = steps
    mine = (whole.time >= begin) & (whole.time < stop)
    later = (whole.time >= stop) & diverged
    for name in (one.name for one in SPECTRUM.values() if not one.of_theory):
        entries = getattr(whole, name)
        if part is not None:
            found = np.isin(part.time, whole.time[mine])
            entries[i, mine] = getattr(part, name)[row, found]
        entries[i, later] = np.inf
