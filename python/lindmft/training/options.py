"""The options that calls of training have in common; ``train`` says what each of them means."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from numpy.typing import ArrayLike

from lindmft import _core
from lindmft._internal.options import check_spectrum, converted
from lindmft._internal.types import Callback, Number, Numbers
from lindmft._internal.validation import integer, is_list, refuse
from lindmft.problem.averages import Average, average_or_none, shares
from lindmft.results.statistics import checked_dtype
from lindmft.training.seeds import seed_list

__all__ = [
    "AllTrainOptions",
    "NetworkOptions",
    "SampleOptions",
    "TrainManyOptions",
    "TrainOptions",
]


class NetworkOptions(TypedDict, total=False):
    """Options of ``train`` that say which networks are trained."""

    dim: int | None
    seeds: int | Sequence[int]
    seed: int
    dtype: str


class SampleOptions(TypedDict, total=False):
    """Options of ``train`` that give samples in the place of random ones."""

    X: ArrayLike | None
    y: ArrayLike | None
    X_test: ArrayLike | None
    y_test: ArrayLike | None
    test_fraction: float | None
    test_split: int


class TrainManyOptions(NetworkOptions, SampleOptions, total=False):
    """Options of ``train_many``, each as in ``train``."""

    updates: bool
    modes: bool
    average: Average | None
    noise_draw: int | Sequence[int]
    threads: int | None
    memory_limit: float | None
    progress: bool | Callback | None


class TrainOptions(TrainManyOptions, total=False):
    """Options of ``train`` that other calls have, too."""

    kernels: bool
    weights: bool
    spectrum_at: Number | Numbers | None
    lanczos: int | None


class AllTrainOptions(TrainOptions, total=False):
    """Options of ``check_train`` and ``estimate_train_memory``: those of every kind of training.

    Each is as in ``train``; ``k_init`` and ``k_data`` are as in ``train_replicas``.
    """

    k_init: int | None
    k_data: int | None


OWN = ("dim", "seeds", "noise_draw", "average")
"""Options that are converted by separate functions."""
PLAIN = tuple(entry for entry in _core.TrainOptions.table if entry["name"] not in OWN)


def checked_options(
    given: Mapping[str, Any], dim: int, steps: int, problems: int | None = None
) -> dict[str, Any]:
    """Return options in the compiled module's terms; bad ones are a ``BadInput`` that names them.

    ``dim`` is the dimension that was settled, and ``problems`` the number of problems in a list.
    """
    for name in ("k_init", "k_data"):
        if name in given:
            integer(given[name], name)  # None is no number of replicas
    options = converted(PLAIN, given) | {"dim": dim, "precision": checked_dtype(given["dtype"])}
    check_spectrum(options, steps=True)
    if options.get("spectrum_at"):
        options.setdefault("lanczos", min(_core.TrainOptions().lanczos, dim))
    if (average := average_or_none(given.get("average"))) is not None:
        options["average"] = shares(average, steps)
    if "noise_draw" in given:
        options["noise_draw"] = _draws(given["noise_draw"], problems)
    return options | {"seeds": seed_list(given["seeds"], given.get("seed", 0))}


def _draw(value: Any, field: str) -> int:
    draw = integer(value, field)
    if draw < 0:
        refuse(field, "0, 1, ...", value)
    return draw


def _draws(value: Any, count: int | None) -> list[int]:
    """Return one draw for all problems, or of a list of problems one a problem."""
    if count is None or not is_list(value):
        return [_draw(value, "noise_draw")]
    if len(value) != count:
        refuse("noise_draw", f"one number, or one for each of the {count} problems", value)
    return [_draw(entry, f"noise_draw[{i}]") for i, entry in enumerate(value)]
