"""The infinite-size theory: ``solve`` and its result.

Time is counted in optimizer steps; an entry at t is before the update of step t. Two-time arrays
have row t and column s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lindmft import _core, _files
from lindmft._gate import (
    bytes_or_default,
    describe,
    flag,
    integer,
    one_of,
    refuse,
    threads_or_default,
)
from lindmft._provenance import provenance
from lindmft._schema import brief
from lindmft._types import Array, Callback, Number, Numbers, Path, SolveDict
from lindmft.depth import interpolate
from lindmft.problem import Problem, as_problem
from lindmft.progress import reporting
from lindmft.replicas import Replicas
from lindmft.targets import channels

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FUNCTIONS", "Layers", "Solution", "SolveStats", "estimate_memory", "solve"]

NORMS = ("feature_norm", "gradient_norm")
RESOLVED = 1e-6
"""A ``depth_error`` up to which profiles over depth count as resolved."""
LAYERED = ("C_h", "C_g", "R_hr", "R_gu")
FUNCTIONS = (*LAYERED, "C_v", "C_delta", "R_delta")
"""Names of the two-time functions that ``solve(save=...)`` can keep."""


class Layers(dict[int, Array]):
    """Two-time functions by layer number; asking for one that was not kept says how to keep it."""

    def __init__(
        self, name: str, arrays: Iterable[Array] = (), *, in_channels: bool = False
    ) -> None:
        # Forward functions start at the data gradient h^0, backward ones at the first layer.
        super().__init__(enumerate(arrays, 0 if name in {"C_h", "R_hr"} else 1))
        self.name = name
        self.in_channels = in_channels

    def __missing__(self, layer: int) -> Array:
        if self.in_channels:
            raise KeyError(f"{self.name} of several outputs is that of their channels[j]")
        kept = (
            f"has layers {min(self)} to {max(self)}"
            if self
            else f"was not kept: solve(..., save=[{self.name!r}])"
        )
        raise KeyError(f"{self.name} {kept}; asked for layer {layer!r}")


@dataclass(frozen=True)
class SolveStats:
    """The work that a solution took.

    ``nodes`` time points on ``panels`` panels (``rejected_panels`` of them tried again),
    ``sweeps`` sweeps over a panel, ``row_sweeps`` rows swept; ``flops`` floating-point operations
    in matrix products; wall-clock ``seconds`` on ``threads`` threads. ``chain_residual`` is a
    self-check: the largest relative violation of an exact identity between layers that the solver
    does not use (theory section 12, item 8). ``depth_error``, at infinite depth: the estimated
    relative error of the profiles over depth (the losses are right to about its square).
    """

    nodes: int
    panels: int
    rejected_panels: int
    sweeps: int
    row_sweeps: float
    flops: float
    seconds: float
    threads: int
    chain_residual: float
    depth_error: float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """The training dynamics of an infinitely large network at the times t = 0 .. n - 1.

    Attributes
    ----------
    problem
        What was solved.
    time
        (n,), in steps.
    test_loss
        (n,), C_v(t, t): the excess over the irreducible sigma^2, in units of y^2 (with isotropic
        inputs, of the target power).
    train_loss
        (n,), C_Delta(t, t), noise included.
    term_target, term_init, term_data
        (n,), the three terms of the test loss: the target not learned yet (the bias), the initial
        weights at finite width, and the finite data.
    test_loss_by_output, train_loss_by_output
        (C, n), the losses of each output; everything else is the sum over outputs.
    depth
        (L,), the layers 1 .. L. At infinite depth, collocation nodes tau = l/L from 0 to 1, which
        take the place of the layers everywhere; ``profile`` interpolates between them.
    feature_norm, gradient_norm
        (L, n), C_h^l(t, t) and C_g^l(t, t) for l = 1 .. L: squared norms per hidden unit.
    C_h, R_hr
        By layer number 0 .. L, (m, m) each, if kept: correlation of h^l and response
        dh^l(t)/dr^l(s).
    C_g, R_gu
        By layer number 1 .. L, (m, m) each, if kept: correlation of g^l, response dg^l(t)/du^l(s).
        Responses to the source of a residual branch carry its factor b; at infinite depth, where b
        vanishes, they are given divided by it.
    C_v, C_delta, R_delta
        (m, m) or None: correlations of the discrepancy v and of the training errors Delta, and
        their response.
    irreducible
        C sigma^2 (C outputs), to be added to ``test_loss`` for the loss on noisy labels.
    diverged_at
        The first step whose loss passes 1e12 times the larger of 1 and its start; None if there is
        none. Entries from there on are inf, and two-time functions have m = diverged_at instead of
        n rows. At infinite depth also the first step that cannot be resolved, once the loss is
        past ten times its start or where a finite network diverges within three steps.
    replicas
        ``Replicas`` or None: overlaps of networks that share initial weights, data or neither;
        for ``ensemble_loss`` and the split of the test loss into bias and variances.
    kernel_scale, kernel_target, kernel_gradient
        (n,) or None: x . K x / x . x of the predictor's neural tangent kernel K (D x D: a small
        step of gradient descent moves w_hat by lr K u, u the data gradient), for random x (the
        mean eigenvalue), for x = Lambda w*, and for x = u; 0 where x = 0.
    channels
        With several outputs, the ``Solution`` of each channel, which has the two-time functions
        and kernels (those of the sum are empty). Channels are the outputs, or of a Gram matrix its
        eigenvectors. Else empty.
    stats
        The work it took, and a self-check.
    provenance
        Versions, libraries, threads and time of the computation.

    Notes
    -----
    Theory sections 3 to 8; Bordelon and Pehlevan (2025), equation 13 for the three terms.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> theory = lm.solve(problem, steps=10, save=["C_h"])
    >>> print(f"{theory.test_loss[-1]:.4f}, {theory.C_h[1].shape}")
    0.2976, (10, 10)
    """

    problem: Problem
    time: Array
    test_loss: Array
    train_loss: Array
    term_target: Array
    term_init: Array
    term_data: Array
    feature_norm: Array
    gradient_norm: Array
    irreducible: float
    diverged_at: int | None
    stats: SolveStats
    provenance: Mapping[str, str]
    test_loss_by_output: Array
    train_loss_by_output: Array
    depth: Array
    C_h: Layers = field(default_factory=lambda: Layers("C_h"))
    C_g: Layers = field(default_factory=lambda: Layers("C_g"))
    R_hr: Layers = field(default_factory=lambda: Layers("R_hr"))
    R_gu: Layers = field(default_factory=lambda: Layers("R_gu"))
    C_v: Array | None = None
    C_delta: Array | None = None
    R_delta: Array | None = None
    replicas: Replicas | None = None
    kernel_scale: Array | None = None
    kernel_target: Array | None = None
    kernel_gradient: Array | None = None
    channels: tuple["Solution", ...] = ()

    @property
    def kernel_alignment(self) -> Array | None:
        """(n,), kernel_target / kernel_scale: 1 for a kernel that knows nothing of the target."""
        if self.kernel_target is None or self.kernel_scale is None:
            return None
        valid = np.isfinite(self.kernel_scale)
        return np.divide(
            self.kernel_target, self.kernel_scale, out=np.full_like(self.time, np.inf), where=valid
        )

    def ensemble_loss(self, k_init: float = 1, k_data: float = 1) -> Array:
        """Test loss (n,) of the prediction averaged over k_init x k_data networks.

        Of k_init initial weights and k_data data sets, every pair is trained; ``inf`` is allowed.

        Raises
        ------
        ValueError
            If replicas were not solved for, or a number is not a whole one of at least 1.

        Examples
        --------
        >>> import lindmft as lm
        >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.5), lm.SGD(lr=0.1))
        >>> theory = lm.solve(problem, 20, replicas=True)
        >>> print(f"{theory.test_loss[-1]:.3f}, averaged {theory.ensemble_loss(k_init=4)[-1]:.3f}")
        0.267, averaged 0.205
        """
        if self.replicas is None:
            raise ValueError(
                "ensemble_loss needs the overlaps of replicas: solve(..., replicas=True)"
            )
        return self.replicas.ensemble_loss(k_init, k_data)

    @property
    def valid(self) -> int:
        """The number of valid steps: all n, or ``diverged_at``."""
        return len(self.time) if self.diverged_at is None else self.diverged_at

    def profile(self, name: str, tau: Number | Numbers) -> Array:
        """A function of depth at tau = l/L in [0, 1], at infinite depth.

        ``name`` is "feature_norm", "gradient_norm" ((n,) for each tau) or a layered two-time
        function that was kept ((m, m) for each tau).

        Raises
        ------
        ValueError
            At finite depth, for other names, and for tau outside [0, 1].
        A function that was not kept is a ``KeyError`` that says how to keep it.

        Examples
        --------
        >>> import lindmft as lm
        >>> network = lm.ResNet(depth=float("inf"))
        >>> problem = lm.Problem(network, lm.Population(), lm.SGD(lr=0.05))
        >>> lm.solve(problem, 10).profile("gradient_norm", [0.0, 0.5, 1.0]).shape
        (3, 10)
        """
        if self.problem.network.depth != np.inf:
            raise ValueError(
                f"profile needs network.depth = inf, got {describe(self.problem.network.depth)}"
            )
        if name in NORMS:
            # Past a divergence all is inf, which interpolation would make NaN.
            profile = interpolate(self.depth, getattr(self, name)[:, : self.valid], tau)
            rest = [(0, 0)] * (profile.ndim - 1) + [(0, len(self.time) - self.valid)]
            return np.pad(profile, rest, constant_values=np.inf)
        if name not in LAYERED:
            raise ValueError(f"name must be {one_of((*NORMS, *LAYERED))}, got {describe(name)}")
        layers: Layers = getattr(self, name)
        nodes = range(1, len(self.depth) + 1)
        return interpolate(self.depth, np.stack([layers[node] for node in nodes]), tau)

    @property
    def status(self) -> str:
        """One sentence: what came out, and what to do about it if it is not what was wanted."""
        if self.stats.depth_error > RESOLVED:
            return (
                f"Solved {self.valid} steps with too few nodes in depth: profiles are right to "
                f"{self.stats.depth_error:.0e}, losses to about its square. Leave out depth_nodes, "
                f"or use more than {len(self.depth)}."
            )
        if self.diverged_at is None:
            check = f"the self-check holds to {self.stats.chain_residual:.0e}"
            return f"Solved {len(self.time)} steps; {check}."
        return (
            f"Diverged at step {self.diverged_at} of {len(self.time)}: entries from there on are "
            f"inf. Lower optimizer.lr (now {describe(self.problem.optimizer.lr)}) or layer_lr to "
            "train stably."
        )

    def __repr__(self) -> str:
        kept = ", ".join(name for name in FUNCTIONS if self.has(name)) or "none"
        last = max(0, self.valid - 1)
        ends = f"test {self.test_loss[last]:.4g}, train {self.train_loss[last]:.4g}"
        return (
            f"<Solution of {brief(self.problem)}\n {self.status}\n"
            f" At t = {last}: {ends}. Two-time functions kept: {kept}.>"
        )

    def has(self, name: str) -> bool:
        """Whether the two-time function of this name was kept, here or in the channels."""
        value = getattr(self, name)
        kept = value is not None and len(value) > 0
        return kept or any(channel.has(name) for channel in self.channels)

    def to_xarray(self) -> "xr.Dataset":
        """The same as an ``xarray.Dataset``, the problem and the provenance as attributes.

        Dimensions are ``time``, ``layer`` (1 .. L) and ``time_s``, the second time of two-time
        functions; those of the data gradient h^0 are ``C_h0`` and ``R_hr0``. Needs xarray.
        """
        from lindmft._dataset import solution_to_dataset

        return solution_to_dataset(self)

    def save(self, path: Path) -> None:
        """Write a NetCDF4 file, replacing one that is there only once the new one is complete.

        Needs xarray and h5netcdf. The file carries the problem, the provenance and a format
        version.
        """
        _files.write(self.to_xarray(), path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that ``save`` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, is no solution, or was written by a newer version of the format.
        """
        from lindmft._dataset import solution_from_dataset

        with _files.reading(path, _files.SOLUTION) as dataset:
            return cls(**solution_from_dataset(dataset))


def solve(
    problem: Problem | Mapping[str, Any],
    steps: int,
    *,
    save: Iterable[str] | str = (),
    replicas: bool = False,
    kernels: bool = False,
    depth_nodes: int | None = None,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
) -> Solution:
    """Solve the theory for ``steps`` exact steps.

    Parameters
    ----------
    problem
        A ``Problem``, or its dictionary form.
    steps
        n, the number of times t = 0 .. n - 1.
    save
        Names of the two-time functions to keep (``FUNCTIONS``), or "all". Each n x n array takes
        8 n^2 bytes; the layered ones, that much per layer.
    replicas
        Also solve for pairs of networks that share initial weights, data or neither:
        ``Solution.replicas`` and ``Solution.ensemble_loss``.
    kernels
        Also compute the neural tangent kernel: ``Solution.kernel_scale``, ``kernel_target``,
        ``kernel_gradient`` and ``kernel_alignment``.
    depth_nodes
        At infinite depth, the number of collocation nodes in depth, 2 to 64; None: as many as an
        error estimate asks for.
    threads
        Threads to use; None: the allowed physical cores. The result does not depend on it.
    memory_limit
        Bytes the call may take; None: four fifths of the free memory.
    progress
        None, True for a progress bar, or a callable ``(done, total)``; see ``lindmft.progress``.

    Raises
    ------
    ValueError
        Bad input; the message names the field.
    MemoryError
        It would take more memory than allowed, asked before it is allocated. See
        ``estimate_memory``; infinite depth may need more, for nodes that it adds.
    NotConverged
        A step did not converge, or its profiles over depth are not resolved; the message says
        where, and what to change.

    Notes
    -----
    Divergence is a result, not an error: see ``Solution.diverged_at``. Cost grows like L n^3,
    memory like L n^2. Theory sections 3 and 10.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> lm.solve(problem, steps=3).test_loss.round(4).tolist()
    [2.0, 1.2284, 0.9347]
    """
    problem = as_problem(problem)
    with reporting(progress, "solve") as callback:
        result = _core.solve(
            problem.as_core(),
            integer(steps, "steps"),
            save=_names(save),
            depth_nodes=_nodes_or_default(depth_nodes),
            replicas=flag(replicas, "replicas"),
            kernels=flag(kernels, "kernels"),
            threads=threads_or_default(threads),
            memory_limit=bytes_or_default(memory_limit),
            progress=callback,
        )
    return _solution(problem, result)


def estimate_memory(
    problem: Problem | Mapping[str, Any],
    steps: int,
    save: Iterable[str] | str = (),
    *,
    replicas: bool = False,
    kernels: bool = False,
    depth_nodes: int | None = None,
) -> float:
    """Bytes that ``solve`` with the same arguments takes at its peak.

    At infinite depth without ``depth_nodes``: for the number of nodes that it tries first.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
    >>> lm.estimate_memory(problem, steps=1000) < 1e9
    True
    """
    core = as_problem(problem).as_core()
    return _core.estimate_solve_memory(
        core,
        integer(steps, "steps"),
        save=_names(save),
        depth_nodes=_nodes_or_default(depth_nodes),
        replicas=flag(replicas, "replicas"),
        kernels=flag(kernels, "kernels"),
    )


def _solution(problem: Problem, result: SolveDict) -> Solution:
    fields: dict[str, Any] = {**result, **result["functions"]}
    for name in ("functions", "channel", "kernels"):
        del fields[name]
    several = bool(result["channel"])
    fields |= {name: Layers(name, fields.get(name, ()), in_channels=several) for name in LAYERED}
    fields |= {f"kernel_{name}": array for name, array in (result["kernels"] or {}).items()}
    fields["stats"] = SolveStats(**result["stats"])
    if result["replicas"] is not None:
        fields["replicas"] = Replicas(test_loss=result["test_loss"], **result["replicas"])
    distinct = [_solution(_channel_problem(problem, c), r) for c, r in _distinct(result)]
    fields["channels"] = tuple(distinct[c] for c in result["channel"])
    return Solution(problem=problem, provenance=provenance(fields["stats"].threads), **fields)


def _distinct(result: SolveDict) -> list[tuple[int, SolveDict]]:
    """Results of the distinct channels, each with the first target that has it."""
    return [(result["channel"].index(i), one) for i, one in enumerate(result["channels"])]


def _channel_problem(problem: Problem, channel: int) -> Problem:
    norms, _ = channels(problem.data.targets)
    return problem.replace(**{"data.targets": [float(norms[channel])]})


def _nodes_or_default(value: Any) -> int:
    """Depth nodes for the compiled module, where 0 is the default (None here)."""
    if value is None:
        return 0
    nodes = integer(value, "depth_nodes")
    if nodes < 2:
        refuse("depth_nodes", "between 2 and 64", value)
    return nodes


def _names(save: Any) -> tuple[str, ...]:
    listed = isinstance(save, Iterable) and not isinstance(save, str)
    names: tuple[Any, ...] = tuple(save) if listed else (save,)
    if not all(isinstance(name, str) for name in names):
        refuse("save", "names of two-time functions", save)
    return names
