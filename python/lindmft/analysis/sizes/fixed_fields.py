"""Warnings of fields that depend on a size in most training loops but stay fixed here."""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence

from lindmft.analysis.sizes.parameterizations import PYTORCH_SCALE
from lindmft.problem.network import MLP, ResNet, as_tuple
from lindmft.problem.problem import Problem

__all__ = ["ScalingWarning"]

WIDTHS = ("network.width", "network.hidden")
DEPTH = "network.depth"
USUAL_SCALES = (1.0, PYTORCH_SCALE)
"""Initial scales that are usual at every width: variance 1 / fan-in, and that of ``nn.Linear``."""


class ScalingWarning(UserWarning):
    """Warning that a size varies, but a field that usually follows it stays fixed.

    ``transfer``, ``coordinate_check``, ``compute_optimal``, ``wider_is_better`` and
    ``edge_of_stability`` warn with this category; the first two repeat the text
    in the ``cautions`` of their result. A scaling that sets the field, also to a constant, gives no
    warning.

    Notes
    -----
    Theory sections 2 and 8: how the raw learning rates and initial weights of a training loop
    depend on the width.

    Examples
    --------
    >>> import warnings
    >>> import lindmft as lm
    >>> warnings.simplefilter("ignore", lm.ScalingWarning)  # where the field is meant to be fixed
    """


def width_path(problem: Problem) -> str:
    """Return the path of the width: a ratio, or the number of units where that is given."""
    return "network.width" if problem.network.hidden is None else "network.hidden"


def cautions(problem: Problem, path: str, changed: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return a sentence for each field that stays fixed, and warn of each.

    ``changed`` has the paths that each scaling sets.
    """
    found = []
    for fields, text in _suspects(problem, path).items():
        names = [name for name, paths in changed.items() if not _sets(paths, fields.split(", "))]
        if names:
            where = "" if names == ["as given"] else f" (in {', '.join(names)})"
            found.append(text.format(where=where))
    for text in found:
        warnings.warn(text, ScalingWarning, stacklevel=3)
    return tuple(found)


def _sets(paths: Iterable[str], fields: Sequence[str]) -> bool:
    """Whether one of the paths is one of the fields, or a part of the problem with such a field."""
    return any(f"{field}.".startswith(f"{path}.") for path in paths for field in fields)


def _suspects(problem: Problem, path: str) -> dict[str, str]:
    """Sentences by field that stays fixed; of several fields, setting one is enough."""
    if path in WIDTHS:
        return _of_widths(problem, path.rpartition(".")[2])
    return _of_depths(problem) if path == DEPTH else {}


def _of_widths(problem: Problem, size: str) -> dict[str, str]:
    rates, scales = problem.optimizer.layer_lr, _scales(problem)
    found = {}
    if rates is not None and len(set(rates)) > 1:
        shown = ", ".join(f"{rate:.4g}" for rate in rates)
        found["optimizer.layer_lr"] = (
            f"optimizer.layer_lr stays [{shown}] at every {size}{{where}}. If it was chosen for "
            f"one {size}, as that of a loop with one raw learning rate for all layers is, give it "
            "as a function of the size in scalings, or take a built-in scaling such as 'PyTorch'."
        )
    if not all(any(math.isclose(scale, usual) for usual in USUAL_SCALES) for scale in scales):
        variances = ", ".join(f"{scale**2:.3g}" for scale in scales)
        found["network.init_scale"] = (
            f"network.init_scale stays {_shown(scales)} at every {size}{{where}}: initial weights "
            f"keep the variance {variances} / fan-in. If those of your training loop depend on the "
            "width in another way, give it as a function of the size in scalings."
        )
    return found


def _of_depths(problem: Problem) -> dict[str, str]:
    network, found = problem.network, {}
    scales = _scales(problem)
    if isinstance(network, MLP) and not all(math.isclose(scale, 1.0) for scale in scales):
        found["network.init_scale"] = (
            f"network.init_scale stays {_shown(scales)} at every depth{{where}}: signals "
            "at initialization change by this factor in every layer. If it was chosen for one "
            "depth, give it as a function of the size in scalings."
        )
    if isinstance(network, ResNet) and network.branch_scaling == "constant":
        found["network.branch, network.branch_scaling"] = (
            f"network.branch stays {network.branch:.4g} at every depth{{where}}: the variance of "
            f"signals grows by the factor {1 + network.branch**2:.3g} in every layer. Give it as a "
            "function of the size in scalings, or take the built-in scaling '1/sqrt(depth)'."
        )
    return found


def _scales(problem: Problem) -> tuple[float, ...]:
    """Initial scales of the weight arrays, without those that are zero at every size."""
    return tuple(scale for scale in as_tuple(problem.network.init_scale) if scale > 0)


def _shown(scales: tuple[float, ...]) -> str:
    return ", ".join(f"{scale:.4g}" for scale in scales)
