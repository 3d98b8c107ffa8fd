"""The forms in which the compiled module takes several outputs.

With one mode, outputs are rotated to independent channels (theory section 8). Others share modes
(section 16).
"""

from typing import Any

import numpy as np

from lindmft._internal.types import Array
from lindmft.problem.mode_targets import grams
from lindmft.problem.spectrum import Discrete, Spectrum
from lindmft.problem.targets import Gram, Targets, channels


def as_outputs(
    spectrum: Spectrum, targets: Targets, covariance: Gram | None
) -> tuple[Any, Array, Array]:
    """Return spectrum, norms (C,) and rotation (C, C or none) as the compiled module takes them."""
    if isinstance(spectrum, Discrete) and spectrum.targets is not None and covariance is None:
        alone = len(spectrum.eigenvalues) == 1 and not spectrum.trace_class
        if alone and len(targets) == 1:
            gram = grams(spectrum.targets)[0]
            return Discrete(spectrum.eigenvalues, (1.0,), spectrum.weights), *channels(gram)
    norms, rotation = channels(targets)
    return spectrum, norms, rotation if np.ndim(targets) == 2 else np.empty(0)


def channel(data: Any, number: int) -> Any:
    """Return the data of one independent channel of outputs."""
    spectrum, norms, _ = as_outputs(data.spectrum, data.targets, data.noise_covariance)
    changes = {"spectrum": spectrum, "targets": [float(norms[number])]}
    return type(data)(**{**vars(data), **changes})


def noise_factor(covariance: Gram | None) -> Array:
    """Return F (C, C) with F F^T = covariance; empty if there is none."""
    if covariance is None:
        return np.empty(0)
    power, vectors = np.linalg.eigh(np.array(covariance))
    factor: Array = vectors * np.sqrt(np.maximum(power, 0.0))
    return factor
