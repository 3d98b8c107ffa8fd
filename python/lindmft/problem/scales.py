"""Cautions about scales: ratios that look like numbers of units, and targets far from unit power.

A problem with such scales is solved as it is given. Notes of the result explain the scales, because
the losses alone do not show that another problem was meant.
"""

import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from lindmft._internal.callers import called_by_the_package, level_of_the_user
from lindmft._internal.validation import describe
from lindmft.problem.network import widths
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import Isotropic, PowerLaw

LIKE_A_COUNT = 64
"""Smallest whole ratio that looks like a number of hidden units or samples."""
SMALLEST_COUNT = 8
"""Lists with a smaller width are taken for ratios, even if other widths look like numbers."""
UNUSUAL_POWER = 10.0
"""Factor by which the power of a target may differ from 1 without a note."""


class SizeWarning(UserWarning):
    """Warning about sizes of a problem that look like counts where ratios are meant.

    ``solve``, ``flow`` and ``train`` issue it; the attribute ``notes`` of their results says the
    same. ``solve_many``, ``flow_many``, ``train_many``, ``sweep`` and the searches for learning
    rates issue it once for all problems, and name the first. ``transfer``, ``coordinate_check``,
    ``compute_optimal``, ``wider_is_better`` and ``edge_of_stability`` issue it for the widths that
    they are given. ``warnings.simplefilter("ignore", lindmft.SizeWarning)`` turns it off.

    Notes
    -----
    Theory section 1: widths and numbers of samples as ratios to the input dimension.

    Examples
    --------
    >>> import warnings
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(width=1024), lm.FullBatch(alpha=5000), lm.SGD(lr=0.1))
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     theory = lm.solve(problem, steps=5)
    >>> caught[0].category.__name__, str(caught[0].message)[:44]
    ('SizeWarning', 'network.width = 1024 is the ratio of hidden ')
    """


def target_power(problem: Problem) -> float:
    """Return the mean square of the noiseless labels, of the output for which it is largest.

    It is (1/D) sum_k lambda_k (w*_k)^2, or with a trace-class spectrum the sum over modes itself.
    It multiplies gamma0^2: training on a target c w* with gamma0 is like training on w* with
    c gamma0, with losses that are c^2 times as large.
    """
    data = problem.data
    spectrum = data.spectrum
    power = 1.0
    if not isinstance(spectrum, Isotropic):
        listed = spectrum.binned() if isinstance(spectrum, PowerLaw) else spectrum
        weights = np.asarray(listed.weights, float)
        power = float(weights @ (np.asarray(listed.eigenvalues) * listed.target_power))
    return power * max(data.channel_norms) ** 2


def scale_notes(problem: Problem) -> tuple[str, ...]:
    """Return a note for every scale of the problem that is probably a mistake."""
    return tuple(note for note in (_size_note(problem), _power_note(problem)) if note)


def divergence_remedy(problem: Problem) -> str:
    """Return the sentence that says what to change so that training does not diverge.

    Labels of a large scale make networks rich, and rich networks need small learning rates. Where
    the target has an unusual power, this scale is the cause to name first.
    """
    rate = f"optimizer.lr (now {describe(problem.optimizer.lr)}) or layer_lr"
    power, gamma0 = target_power(problem), problem.network.gamma0
    if gamma0 == 0 or power <= UNUSUAL_POWER:
        return f"Lower {rate} to train stably."
    scale = math.sqrt(power)
    return (
        f"The power of the target is {power:.4g} (1 is usual). The richness that counts is gamma0 "
        f"times the scale of the labels, {gamma0:.3g} x {scale:.3g} = {gamma0 * scale:.3g}. Divide "
        f"the labels by {scale:.3g}, or set gamma0 = {gamma0 / scale:.3g}; or lower {rate}."
    )


def warn_of_sizes(problem: Problem) -> None:
    """Warn, at the line that called the public function, if sizes look like actual numbers."""
    if note := _size_note(problem):
        warnings.warn(note, SizeWarning, stacklevel=level_of_the_user())


def warn_of_sizes_among(problems: Sequence[Problem], label: Callable[[int], str]) -> None:
    """Warn once if sizes of some of these problems look like counts, and name the first of them.

    The warning is that of the function which calls this one. If the package itself called it, the
    function that the user called has warned.
    """
    if called_by_the_package(1):
        return
    for i, problem in enumerate(problems):
        if note := _size_note(problem):
            named = f" (First at {label(i)}.)" if len(problems) > 1 else ""
            warnings.warn(f"{note}{named}", SizeWarning, stacklevel=3)
            return


def warn_of_widths(problem: Problem, widths: Sequence[float]) -> None:
    """Warn, at the line that called the public function, if widths look like numbers of units."""
    finite = [width for width in widths if width < math.inf]
    if problem.data.spectrum.trace_class or not all(float(width).is_integer() for width in finite):
        return
    if not finite or min(finite) < SMALLEST_COUNT or max(finite) < LIKE_A_COUNT:
        return
    inputs = problem.data.inputs
    divisor = "the number of inputs" if inputs is None else f"data.inputs = {inputs}"
    warnings.warn(
        f"widths from {min(finite):g} to {max(finite):g} are ratios of hidden units to inputs. If "
        f"you mean actual numbers, divide them by {divisor}.",
        SizeWarning,
        stacklevel=3,
    )


def _size_note(problem: Problem) -> str:
    network, data = problem.network, problem.data
    if data.spectrum.trace_class or data.inputs is not None:
        return ""
    width = _like_a_count(widths(network))
    samples = _like_a_count(_listed(getattr(data, "alpha", None) or 0.0))
    said, meant = [], []
    if width:
        said.append(f"network.width = {width} is the ratio of hidden units to inputs")
        meant.append(f"hidden={width}")
    if samples:
        said.append(f"data.alpha = {samples} is the ratio of samples to inputs")
        meant.append(f"{'batch' if data.kind == 'one_pass' else 'samples'}={samples}")
    if not said:
        return ""
    return (
        f"{', and '.join(said)}. If you mean actual numbers, give {' and '.join(meant)} in the "
        "place of ratios, and give the number of inputs, data.inputs."
    )


def _listed(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _like_a_count(ratios: Sequence[float]) -> int:
    """Return the first finite ratio that looks like an actual number, or 0."""
    for ratio in ratios:
        if LIKE_A_COUNT <= ratio < math.inf and float(ratio).is_integer():
            return int(ratio)
    return 0


def _power_note(problem: Problem) -> str:
    power = target_power(problem)
    if power == 0 or 1 / UNUSUAL_POWER <= power <= UNUSUAL_POWER:
        return ""
    scale = math.sqrt(power)
    gamma0 = problem.network.gamma0
    if gamma0 == 0:
        return ""  # the lazy limit is linear in the target
    return (
        f"The power of the target is {power:.4g} (1 is usual), and it multiplies gamma0^2: "
        f"features move as with gamma0 = {gamma0 * scale:.3g} and a target of power 1, "
        f"{'which needs smaller learning rates' if scale > 1 else 'nearly as in the lazy limit'}. "
        f"For the usual richness divide the labels by {scale:.3g}, or set gamma0 = "
        f"{gamma0 / scale:.3g}."
    )
