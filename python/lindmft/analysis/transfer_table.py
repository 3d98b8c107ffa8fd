"""The result of ``transfer``: best rates by size, the losses with carried rates, and scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.display import field_table
from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Mask
from lindmft.problem.axes import MEANINGS, short
from lindmft.problem.problem import Problem
from lindmft.problem.schema import to_json_line
from lindmft.results.netcdf import TRANSFER

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Transfer"]

RAW = (
    "raw lr: rate of every layer in a loop on the weights of nn.Linear without biases, for 0.5 * "
    "mse; half of it with nn.MSELoss."
)
"""Sentence on the raw learning rates in a table."""


@dataclass(frozen=True, eq=False)
class Transfer:
    """Optimal learning rates by size, and the losses with one rate carried over to other sizes.

    Attributes
    ----------
    problem, path, steps, objective
        The arguments of the call; ``path`` is the size that varies, such as "network.width".
    scalings
        (S,), names of the scalings.
    sizes
        (m,), values of the size, as given.
    lr, loss
        (S, m), the best rate at every size, and its loss after ``steps`` steps, or the accuracy of
        the solver where that is larger.
    plateau
        (S, m, 2), the lowest and the highest rate tried whose losses are at the accuracy of the
        solver. Between them the best rate is not determined, and ``lr`` is in the middle. Both are
        ``lr`` where it is determined.
    raw_lr
        Arrays (m,) by name, for the scalings in which one raw learning rate serves all layers of a
        PyTorch model: the best one, in a training loop on the weights of ``nn.Linear`` without
        biases, for the loss ``0.5 * mse``; half of it with ``nn.MSELoss``.
    edge
        (S, m), the largest stable rate, by the criterion "bounded" of ``largest_stable_lr``.
    carried
        (S, m, m), the loss at size j with the rate that is best at size i, in row i; inf where it
        diverges. Its diagonal is ``loss``.
    base
        The index of the size at which one would tune.
    solves
        Runs of all searches together.
    cautions
        Sentences on fields that most training loops choose by the size, but that stay fixed here.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: loss against learning rate by size.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2, gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    >>> table = lm.transfer(problem, "network.width", [1, 4], steps=20)
    >>> table.lr.shape, bool((table.score[0] < table.score[1]))
    ((2, 2), True)
    >>> print(table.summary().splitlines()[0])
    20 steps, tuned at width = 1
    >>> table.to_xarray().lr.dims
    ('scaling', 'width')
    """

    problem: Problem
    path: str
    steps: int
    objective: str
    scalings: tuple[str, ...]
    sizes: Array
    lr: Array
    loss: Array
    edge: Array
    carried: Array
    base: int
    solves: int
    plateau: Array
    raw_lr: Mapping[str, Array]
    cautions: tuple[str, ...] = ()

    @property
    def determined(self) -> Mask:
        """(S, m), whether the best rate is determined: its loss is above the solver's accuracy."""
        found: Mask = self.plateau[..., 0] == self.plateau[..., 1]
        return found

    _repr_html_ = field_table

    @property
    def given_up(self) -> Array:
        """(S, m), log10 of the ratio of the loss with the base's rate to the best loss.

        0 at the base, and wherever transfer is perfect; inf where it diverges.
        """
        carried = self.carried[:, self.base]
        logs = np.full(carried.shape, np.inf)
        known = np.isfinite(carried) & (self.loss > 0)
        # A difference of logarithms does not overflow.
        logs[known] = np.maximum(np.log10(carried[known]) - np.log10(self.loss[known]), 0.0)
        return logs

    @property
    def score(self) -> Array:
        """(S,), the mean of ``given_up`` over the other sizes: orders of magnitude of the loss.

        0 is perfect transfer; inf means that the base's rate diverges at some size. Where best
        losses are at the accuracy of the solver (see ``determined``), the score may be larger.
        """
        others = np.arange(len(self.sizes)) != self.base
        scores: Array = self.given_up[:, others].mean(axis=1)
        return scores

    @property
    def drift(self) -> Array:
        """(S,), the largest ratio of two of the best rates."""
        ratios: Array = self.lr.max(axis=1) / self.lr.min(axis=1)
        return ratios

    def summary(self) -> str:
        """A table for each scaling, the verdict, and cautions."""
        name = self.path.rpartition(".")[2]
        lines = [f"{self.steps} steps, tuned at {name} = {short(self.sizes[self.base])}"]
        for s, scaling in enumerate(self.scalings):
            least = "" if self.determined[s].all() else " or more"
            lines.append(f"{scaling}: loss given up, in powers of ten: {self.score[s]:.3g}{least}")
            lines += self._table(s, name)
        if self.raw_lr:
            lines.append(RAW)
        return "\n".join([*lines, self.verdict, *self.cautions])

    def _table(self, s: int, name: str) -> list[str]:
        """The lines of one scaling, with raw rates where one rate serves all layers."""
        raw = self.raw_lr.get(self.scalings[s])
        columns = {
            "best lr": [f"{lr:.4g}" for lr in self.lr[s]],
            "raw lr": None if raw is None else [f"{lr:.4g}" for lr in raw],
            "stable up to": [f"{lr:.4g}" for lr in self.edge[s]],
            "best loss": [f"{loss:.3g}" for loss in self.loss[s]],
            "with base lr": [f"{loss:.3g}" for loss in self.carried[s, self.base]],
        }
        columns = {name: [short(size) for size in self.sizes], **columns}
        shown = {title: values for title, values in columns.items() if values is not None}
        spaces = [max(10, len(title) + 2) for title in shown]
        rows = [list(shown), *zip(*shown.values(), strict=True)]
        return ["".join(f"{x:>{n}}" for x, n in zip(row, spaces, strict=True)) for row in rows]

    @property
    def verdict(self) -> str:
        """A sentence on the change of the best rate, and one on rates that are not determined."""
        name = self.path.rpartition(".")[2]
        said = [f"{self.drift[s]:.3g} in {label}" for s, label in enumerate(self.scalings)]
        text = (
            f"Over these values of {name} the best learning rate moves by a factor "
            f"{', '.join(said)}."
        )
        vague = [
            f"between {low:.3g} and {high:.3g} at {name} = {short(self.sizes[i])} in {label}"
            for s, label in enumerate(self.scalings)
            for i, (low, high) in enumerate(self.plateau[s])
            if not self.determined[s, i]
        ]
        if vague:
            text += (
                " But several rates reach the solver's accuracy, and the best one is not determined"
                f" {'; '.join(vague)}: take fewer steps."
            )
        return text

    def __repr__(self) -> str:
        return f"<Transfer: {self.verdict}>"

    def to_xarray(self) -> "xr.Dataset":
        """Return the same as a dataset with dimensions for the scaling, the size, and the base."""
        name = self.path.rpartition(".")[2]
        arrays = {
            "lr": (("scaling", name), self.lr, "best learning rate"),
            "loss": (("scaling", name), self.loss, f"{self.objective} at the best learning rate"),
            "edge": (
                ("scaling", name),
                self.edge,
                "largest stable learning rate (bounded)",
            ),
            "given_up": (("scaling", name), self.given_up, "log10 of the loss given up"),
            "carried": (("scaling", "tuned_at", name), self.carried, "loss with a carried rate"),
            "determined": (
                ("scaling", name),
                self.determined,
                "whether the best rate is determined",
            ),
        }
        coords: dict[str, Any] = {"scaling": list(self.scalings), name: self.sizes}
        coords |= {"tuned_at": self.sizes}
        if self.raw_lr:
            raw = np.array(list(self.raw_lr.values()))
            arrays["raw_lr"] = (("raw_scaling", name), raw, "best raw rate of all layers, 0.5 mse")
            coords["raw_scaling"] = list(self.raw_lr)
        dataset: xr.Dataset = optional("xarray", "io").Dataset(
            {
                key: (dims, values, {"long_name": text, "units": "1"})
                for key, (dims, values, text) in arrays.items()
            },
            coords,
            {
                "format": TRANSFER,
                "format_version": 1,
                "cautions": " ".join(self.cautions),
                "problem": to_json_line(self.problem),
                "path": self.path,
                "steps": self.steps,
                "base": float(self.sizes[self.base]),
            },
        )
        dataset[name].attrs = {"long_name": MEANINGS.get(self.path, self.path), "units": "1"}
        return dataset
