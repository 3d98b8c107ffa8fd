"""The table of observables: every series and function that results hold, each declared once.

Everything that treats observables alike reads this table: files and datasets, interpolation in
time, the extension past a divergence, the checks of a start, means over networks, sweeps, the
messages about an observable that a call did not ask for, and the tables of the guide. Values of the
theory come from ``Solution::for_each_series`` in the core, values of training from
``Ensemble::for_each_series``, under the names of this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

__all__ = [
    "DIRECTIONS",
    "ENSEMBLE",
    "FUNCTIONS",
    "KERNELS",
    "LAYERED",
    "NORMS",
    "REPLICA_ENSEMBLE",
    "SOLUTION",
    "SPECTRUM",
    "TWO_TIME",
    "Observable",
    "Table",
    "long_name",
    "names",
    "resumed",
    "value_of",
]

TWO_TIME = ("time", "time_s")
"""Dimensions of a function of two times: row t, column s."""
SQUARES: Final = "squares"
"""A mean of squares, or a quotient of two. It is never negative; rounding below zero becomes 0."""
CORRELATION: Final = "correlation"
"""A correlation between two times, a polynomial in both of them on a coarse grid."""
RESPONSE: Final = "response"
"""A response. On a coarse grid its columns carry quadrature weights and belong to the nodes."""
ESTIMATE: Final = "estimate"
"""A measured number that may have either sign, or that is no observable of the theory."""


@dataclass(frozen=True)
class Observable:
    """An array of a result: its dimensions, its meaning, and how a call asks for it.

    ``units`` is the unit or the scale. ``asked`` is the argument that the call needs, empty if
    every result has the observable. ``part`` names the field that holds it, empty if the result
    itself does. ``undefined`` says where the value does not exist and is nan. ``layer_0`` is the
    meaning of layer 0, the data gradient, of a function that has this layer; a file keeps this
    layer as a separate array, with "0" at the end of the name. ``added`` is the version of lindmft
    that added an observable of every result; files of earlier versions do not have it.
    ``of_theory`` says that trained networks do not have it, though they have the others of its
    part.
    """

    name: str
    dims: tuple[str, ...]
    long_name: str
    units: str
    kind: str = SQUARES
    asked: str = ""
    part: str = ""
    undefined: str = ""
    layer_0: str = ""
    added: str = ""
    of_theory: bool = False

    @property
    def two_time(self) -> bool:
        """Whether it is a function of two times."""
        return TWO_TIME[1] in self.dims

    @property
    def layered(self) -> bool:
        """Whether it has a value for each layer."""
        return "layer" in self.dims

    @property
    def by_output(self) -> bool:
        """Whether it has a value for each output."""
        return "output" in self.dims

    @property
    def by_mode(self) -> bool:
        """Whether it has a value for each mode of the spectrum."""
        return "mode" in self.dims

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return the shape, given the sizes of the dimensions."""
        return tuple(sizes[dim] for dim in self.dims)


Table = Mapping[str, Observable]
"""Observables by name."""


def _table(*observables: Observable) -> Table:
    return {one.name: one for one in observables}


def _loss(name: str, long_name: str, *more_dims: str, **options: Any) -> Observable:
    return Observable(name, (*more_dims, "time"), long_name, "y^2", **options)


def _norm(name: str, long_name: str, **options: Any) -> Observable:
    return Observable(name, ("layer", "time"), long_name, "per hidden unit", **options)


def _kernel(name: str, direction: str, **options: Any) -> Observable:
    text = f"neural tangent kernel in {direction}"
    return Observable(
        name, ("time",), text, "per unit of learning rate", asked="kernels=True", **options
    )


RATE = "1 / learning rate"
"""Unit of eigenvalues of the Hessian."""


def _at_times(name: str, long_name: str, **options: Any) -> Observable:
    return _of_spectrum(name, (), long_name, RATE, **options)


def _of_ritz(name: str, long_name: str, units: str) -> Observable:
    return _of_spectrum(name, ("ritz",), long_name, units, undefined="nan where the method ended")


def _of_spectrum(
    name: str, more_dims: tuple[str, ...], long_name: str, units: str, **options: Any
) -> Observable:
    dims = ("spectrum_time", *more_dims)
    asked, part = SPECTRUM_AT, "spectrum"
    return Observable(name, dims, long_name, units, ESTIMATE, asked, part, **options)


def _function(name: str, long_name: str, units: str, *more_dims: str, **options: Any) -> Observable:
    asked = f'save=["{name}"]'
    kind = RESPONSE if name.startswith("R") else CORRELATION
    return Observable(
        name, (*more_dims, *TWO_TIME), long_name, units, kind=kind, asked=asked, **options
    )


SPECTRUM_AT = "spectrum_at=[...]"
NO_DIRECTION = "nan where the direction does not exist"
OF_MODES: Any = {"asked": "modes=True"}
OF_AVERAGE: Any = {"asked": "average=lm.EMA(...)"}
IN_REPLICAS: Any = {"asked": "replicas=True", "part": "replicas"}

SOLUTION: Table = _table(
    _loss("test_loss", "test loss, excess over the irreducible noise"),
    _loss("train_loss", "training loss"),
    _loss("term_target", "test loss: target not learned yet"),
    _loss("term_init", "test loss: initial weights at finite width"),
    _loss("term_data", "test loss: finite data"),
    _norm("feature_norm", "squared norm of h per hidden unit"),
    _norm("gradient_norm", "squared norm of g per hidden unit"),
    _loss("test_loss_by_output", "test loss of each output", "output"),
    _loss("train_loss_by_output", "training loss of each output", "output"),
    _loss(
        "shared_init", "overlap of networks with the same initial weights and other data",
        **IN_REPLICAS,
    ),
    _loss(
        "shared_data", "overlap of networks with the same data and other initial weights",
        **IN_REPLICAS,
    ),
    _loss("independent", "overlap of networks that share neither: the bias", **IN_REPLICAS),
    _kernel("kernel_gradient", "the direction of the gradient", undefined=NO_DIRECTION),
    _kernel("kernel_target", "the direction of the target", undefined=NO_DIRECTION),
    _kernel("kernel_scale", "a random direction"),
    _loss("average_loss", "test loss of averaged weights", **OF_AVERAGE),
    _loss("mode_loss", "test loss of each mode", "mode", **OF_MODES),
    Observable(
        "mode_learned", ("mode", "time"), "part of the target of each mode that is learned", "1",
        ESTIMATE, **OF_MODES,
    ),
    _loss(
        "first_task_loss", "test loss on the first target, also after the switch to the second",
        asked="data.switch_at",
    ),
    _function(
        "C_h", "correlation of h", "per hidden unit", "layer",
        layer_0="correlation of the data gradient h^0",
    ),
    _function("C_g", "correlation of g", "per hidden unit", "layer"),
    _function(
        "R_hr", "response of h to r", "1", "layer",
        layer_0="response of the data gradient h^0 to r^0",
    ),
    _function("R_gu", "response of g to u", "1", "layer"),
    _function("C_v", "correlation of the discrepancy, weighted by the input covariance", "y^2"),
    _function("C_delta", "correlation of the training errors", "y^2"),
    _function("R_delta", "response of the training errors", "1"),
)  # fmt: skip
"""Observables of ``Solution``, and of its ``replicas``."""


def _measured(*observables: Observable) -> Table:
    """The observables of several networks or groups of networks, one for each seed."""
    return _table(*(replace(one, dims=("seed", *one.dims)) for one in observables))


def _shared(name: str, asked: str) -> Observable:
    return replace(SOLUTION[name], kind=ESTIMATE, asked=asked, part="")


ENSEMBLE: Table = _measured(
    *(SOLUTION[name] for name in ("test_loss", "train_loss")),
    Observable(
        "chain_residual", ("time",), "relative violation of the chain identity", "1", ESTIMATE
    ),
    *(one for one in SOLUTION.values() if one.layered and not one.two_time),
    *(one for one in SOLUTION.values() if one.by_output),
    SOLUTION["average_loss"],
    *(one for one in SOLUTION.values() if one.asked == "kernels=True" or one.by_mode),
    SOLUTION["first_task_loss"],
    _norm(
        "feature_update", "squared change of h since initialization per hidden unit",
        asked="updates=True",
    ),
    _norm(
        "gradient_update", "squared change of g since initialization per hidden unit",
        asked="updates=True",
    ),
)  # fmt: skip
"""Observables of ``Ensemble``; its means and standard errors have them without the seeds."""

REPLICA_ENSEMBLE: Table = _measured(
    SOLUTION["test_loss"],
    _shared("shared_init", "k_data=2"),
    _shared("shared_data", "k_init=2"),
    _shared("independent", "k_init=2, k_data=2"),
    _loss(
        "averaged_loss", "test loss of the prediction averaged over all networks of a seed"
    ),
)  # fmt: skip
"""Observables of ``ReplicaEnsemble``; its means and standard errors have them without the seeds."""

SPECTRUM: Table = _table(
    _at_times("sharpness", "largest eigenvalue of the Hessian"),
    _at_times("sharpness_error", "estimated error of the largest eigenvalue"),
    _at_times("bulk_edge", "upper edge of the continuous part of the spectrum", of_theory=True),
    _at_times("bulk_edge_error", "estimated error of the upper edge", of_theory=True),
    _of_ritz("target_ritz", "Ritz values, target as start", RATE),
    _of_ritz("target_weight", "weights of the Ritz values, target as start", "1"),
    _of_ritz("random_ritz", "Ritz values, random start", RATE),
    _of_ritz("random_weight", "weights of the Ritz values, random start", "1"),
)
"""Arrays of ``HessianSpectrum``; in the spectrum of an ``Ensemble`` with seeds before them."""

COORDINATES = {
    "time": "training time",
    "time_s": "training time, second time of two-time functions",
    "layer": "hidden layer; at infinite depth, number of the collocation node",
    "depth": "hidden layer l; at infinite depth, tau = l/L",
    "output": "output",
    "mode": "mode of the spectrum",
    "seed": "random seed of the network, its data and noise",
    "width": "hidden units",
    "diverged_at": "first diverged step, -1 for none",
    "spectrum_time": "training time of the spectrum of the Hessian",
    "ritz": "number of the Ritz value, in descending order",
    "undefined": "number of kernels whose direction does not exist",
}
"""Long names of coordinates, and of arrays that are no observables."""


def names(table: Table, **conditions: Any) -> tuple[str, ...]:
    """Return the names of the observables whose attributes have these values."""
    return tuple(
        one.name
        for one in table.values()
        if all(getattr(one, attribute) == value for attribute, value in conditions.items())
    )


def long_name(name: str) -> str:
    """Return the long name of an array of a dataset, or of a store of a sweep."""
    if name in COORDINATES:
        return COORDINATES[name]
    for table in (SOLUTION, ENSEMBLE, REPLICA_ENSEMBLE, SPECTRUM):
        if name in table:
            return table[name].long_name
    return SOLUTION[name.removesuffix("0")].layer_0


def value_of(result: Any, one: Observable) -> Any:
    """Return the value that a result holds of an observable; None if it has none."""
    holder = vars(result).get(one.part) if one.part else result
    value = None if holder is None else vars(holder).get(one.name)
    return None if isinstance(value, dict) and not value else value


def resumed(solution: Any) -> tuple[Observable, ...]:
    """Return the observables that the solver takes back to resume a solution."""
    return tuple(
        one
        for one in SOLUTION.values()
        if not one.asked or (one.asked.startswith("data.") and value_of(solution, one) is not None)
    )


FUNCTIONS = names(SOLUTION, two_time=True)
"""Names of the two-time functions that ``solve(save=...)`` can keep."""
LAYERED = names(SOLUTION, two_time=True, layered=True)
"""Names of the two-time functions that have an array for every layer."""
NORMS = names(SOLUTION, two_time=False, layered=True)
"""Names of the series that have a value for every layer."""
KERNELS = names(SOLUTION, asked="kernels=True")
"""Names of the series of the neural tangent kernel."""
DIRECTIONS = names(SOLUTION, undefined=NO_DIRECTION)
"""Names of the kernels that are nan where their direction does not exist."""
