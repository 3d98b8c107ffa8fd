"""The result of ``solve`` and ``flow``: losses, norms and two-time functions over time.

Time is counted in optimizer steps, for gradient flow in learning rate times steps. An entry at t
is before the update of step t. Two-time arrays have row t and column s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.display import field_table
from lindmft._internal.types import Array, Number, Numbers, Path
from lindmft._internal.validation import choice, describe, flag
from lindmft.problem.averages import Average
from lindmft.problem.problem import Problem
from lindmft.problem.scales import divergence_remedy, scale_notes
from lindmft.problem.schema import brief
from lindmft.results import netcdf, self_check, stability
from lindmft.results.dataset import solution_to_dataset
from lindmft.results.dense_output import sample
from lindmft.results.depth import interpolate
from lindmft.results.layers import Layers
from lindmft.results.observables import (
    FUNCTIONS,
    LAYERED,
    NORMS,
    RESPONSE,
    SOLUTION,
    SPECTRUM_AT,
)
from lindmft.results.places import result_place
from lindmft.results.reading import solution_from_dataset
from lindmft.results.replicas import Replicas
from lindmft.results.result import (
    ON_REQUEST,
    NotRequested,
    Result,
    asking,
    why_missing,
    with_requests,
)
from lindmft.results.solve_stats import SolveStats
from lindmft.results.spectrum import HessianSpectrum
from lindmft.results.state import State

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Layers", "Solution", "SolveStats"]

RESOLVED = 1e-6
"""A ``depth_error`` up to which profiles over depth count as resolved."""


@with_requests
@dataclass(frozen=True, eq=False, repr=False)
class Solution(Result):
    """The training dynamics of an infinitely large network at n times.

    On an exact grid the times are 0 .. n - 1. On coarse grids (adaptive steps, gradient flow) they
    are nodes, between which ``at`` interpolates to the accuracy of the solution.

    Attributes
    ----------
    problem
        The problem that was solved.
    time
        (n,), in steps; for gradient flow, in learning rate times steps.
    test_loss
        (n,), C_v(t, t): the excess over the irreducible sigma^2, in units of y^2 (with isotropic
        inputs, of the target power). Losses, their terms and norms are never negative: values that
        rounding makes negative are set to 0. Values below 1e-12 of the loss at the start are
        rounding errors.
    train_loss
        (n,), C_Delta(t, t), with the noise.
    term_target, term_init, term_data
        (n,), the three terms of the test loss: the part of the target that is not learned yet (the
        bias), the effect of the initial weights at finite width, and that of finite data.
    test_loss_by_output, train_loss_by_output
        (C, n), the losses of each output. All other series are sums over outputs.
    depth
        (L,), the layers 1 .. L. At infinite depth, the collocation nodes tau = l/L from 0 to 1,
        which replace the layers in all arrays; ``profile`` interpolates between them.
    feature_norm, gradient_norm
        (L, n), C_h^l(t, t) and C_g^l(t, t) for l = 1 .. L: squared norms per hidden unit.
    C_h, R_hr
        By layer number 0 .. L, (m, m) each, if kept: correlation of h^l and response
        dh^l(t)/dr^l(s).
    C_g, R_gu
        By layer number 1 .. L, (m, m) each, if kept: correlation of g^l, response dg^l(t)/du^l(s).
        Responses to the source of a residual branch contain its factor b. At infinite depth, where
        b vanishes, they are divided by b.
    C_v, C_delta, R_delta
        (m, m) each, if kept: correlations of the discrepancy v and of the training errors Delta,
        and their response.
    irreducible
        C sigma^2 (C outputs), to be added to ``test_loss`` for the loss on noisy labels.
    diverged_at
        The first step whose loss exceeds 1e12 times the larger of 1 and its start; None if there is
        none. Entries from this step on are inf, and two-time functions have the m = ``valid`` rows
        before it instead of n. At infinite depth it is also the first step that cannot be resolved,
        if the loss exceeds ten times its start or a finite network diverges within three steps.
    unstable_at
        The time from which on learning rate times sharpness exceeds ``stability_threshold``, where
        that matters: on coarse grids, losses after it are those of the unstable branch, on which
        fast modes stay at rest, and which exact steps and networks leave; of exact steps it comes
        with ``predictable_until``. None if there is no such time.
    predictable_until
        Of exact steps, the last one before rounding errors, which an instability amplifies, change
        the losses visibly: losses after it are one possible continuation. None: all losses are
        predictable.
    replicas
        ``Replicas``, with ``replicas=True``: overlaps of networks that share initial weights, data
        or neither; for ``ensemble_loss`` and the split of the test loss into bias and variances.
    kernel_scale, kernel_target, kernel_gradient
        (n,), with ``kernels=True``: x . K x / x . x of the predictor's neural tangent kernel K (D x
        D: a small step of gradient descent moves w_hat by lr K u, u the data gradient), for random
        x (the mean eigenvalue), for x = Lambda w*, and for x = u. A value is nan where the
        direction does not exist: where x is zero, and where u is no larger than its rounding error.
    average_loss
        (n,), with ``average=...``: the test loss of averaged weights, at each time of the average
        up to there.
    average
        That average: ``EMA``, ``TailAverage`` or ``CheckpointAverage``; None without one.
    mode_loss, mode_learned
        (modes, n), with ``modes=True``, in the order of the eigenvalues of ``problem.data``: the
        terms of the test loss, and the part of the target that has been learned in the mean over
        networks, from 0 to 1 (it may overshoot; modes without a target have 0).
    first_task_loss
        (n,), with a second target (``switch_at`` of the data): the test loss on the first target,
        which tells how much of it is forgotten; before the switch it is ``test_loss``.
    spectrum
        ``HessianSpectrum``, with ``spectrum_at=[...]``: the sharpness, the edge of the bulk and
        Ritz values at these times, which ``at`` does not change.
    channels
        With several outputs, the ``Solution`` of each channel; otherwise empty. Two-time functions
        and kernels are those of the channels. Channels are the outputs, or the eigenvectors of a
        Gram matrix. On coarse grids each channel has separate times. ``spectrum`` is that of a
        channel, too.
    grid
        "exact": every step. "adaptive": steps on a coarse grid. "flow": gradient flow.
    panels
        The first node of each panel of a coarse grid, and the number of nodes. Panel i has the
        nodes panels[i] .. panels[i + 1] - 1. Empty for exact grids, and for a result of ``at``.
    rtol, atol
        The tolerances of a coarse grid, or None.
    state
        The arrays from which the solver can resume, if they were kept: see
        ``solve(continue_from=...)``.
    stats
        The work of the computation, and a self-check; of a continued solution from the first step.
    provenance
        Versions, libraries, threads and time of the computation.

    Raises
    ------
    NotRequested
        For an observable that the call did not ask for. The message says how to ask for it, and
        ``has`` tells without an error.

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
    >>> theory.has("C_h"), theory.has("R_delta"), theory.to_xarray().feature_norm.dims
    (True, False, ('layer', 'time'))
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     theory.save(f"{folder}/theory.nc")
    ...     loaded = lm.Solution.load(f"{folder}/theory.nc")
    >>> loaded.problem == problem, bool((loaded.C_h[1] == theory.C_h[1]).all())
    (True, True)
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
    C_v: Array = ON_REQUEST
    C_delta: Array = ON_REQUEST
    R_delta: Array = ON_REQUEST
    replicas: Replicas = ON_REQUEST
    kernel_scale: Array = ON_REQUEST
    kernel_target: Array = ON_REQUEST
    kernel_gradient: Array = ON_REQUEST
    average_loss: Array = ON_REQUEST
    mode_loss: Array = ON_REQUEST
    mode_learned: Array = ON_REQUEST
    first_task_loss: Array = ON_REQUEST
    spectrum: HessianSpectrum = ON_REQUEST
    channels: tuple["Solution", ...] = ()
    grid: str = "exact"
    panels: NDArray[np.int_] = field(default_factory=lambda: np.array([], int))
    rtol: float | None = None
    atol: float | None = None
    state: State = field(default_factory=State)
    unstable_at: float | None = None
    predictable_until: float | None = None
    average: Average | None = None

    observables = SOLUTION
    _call = "solve"
    _asked = {  # noqa: RUF012 - declared as a class variable by the base class
        "replicas": "replicas=True",
        "kernel_alignment": "kernels=True",
        "spectrum": SPECTRUM_AT,
    }
    _repr_html_ = field_table

    @property
    def kernel_alignment(self) -> Array:
        """(n,), kernel_target / kernel_scale: 1 for a kernel that does not depend on the target.

        It is there with ``kernels=True``. A value is nan where there is no target, and where the
        kernel is zero.
        """
        if not hasattr(self, "kernel_target"):
            raise NotRequested(self._why_missing("kernel_alignment"))
        valid = np.isfinite(self.kernel_scale)
        return np.divide(
            self.kernel_target,
            self.kernel_scale,
            out=np.where(valid, np.nan, np.inf),
            where=valid & (self.kernel_scale > 0),
        )

    def ensemble_loss(self, k_init: float = 1, k_data: float = 1) -> Array:
        """Return the test loss (n,) of the prediction averaged over k_init x k_data networks.

        All pairs of k_init initial weights and k_data data sets are trained; ``inf`` is allowed.

        Raises
        ------
        ValueError
            If a number is not a whole number of at least 1. Without ``replicas=True`` it is a
            ``NotRequested``.

        Examples
        --------
        >>> import lindmft as lm
        >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.5), lm.SGD(lr=0.1))
        >>> theory = lm.solve(problem, 20, replicas=True)
        >>> print(f"{theory.test_loss[-1]:.3f}, averaged {theory.ensemble_loss(k_init=4)[-1]:.3f}")
        0.267, averaged 0.205
        """
        return self.replicas.ensemble_loss(k_init, k_data)

    @property
    def valid(self) -> int:
        """The number of valid times: all n, or the number before a divergence."""
        if self.diverged_at is None:
            return len(self.time)
        return int(np.isfinite(self.test_loss).sum())

    def at(self, times: Number | Numbers) -> "Solution":
        """Return the solution at other times.

        On coarse grids losses, norms, replicas and kept correlations are the values of the solver's
        polynomials, accurate to the tolerances. Steps must be whole; times of gradient flow need
        not be. The three terms of the test loss are accurate to ``rtol`` times the test loss, which
        matters for a term much smaller than the loss. Kept responses are dropped: they are
        operators on functions of time, whose columns carry the grid's quadrature weights, and have
        no values between the nodes. On exact grids ``at`` selects steps and keeps everything.

        Parameters
        ----------
        times
            Increasing times within the range of the solution; past a divergence all values are inf.

        Returns
        -------
        Solution
            The solution at these times, without panels and state. Its ``at`` can only select among
            these times, and it cannot be continued.

        Raises
        ------
        ValueError
            If times are out of range, out of order, or between steps.

        Examples
        --------
        >>> import lindmft as lm
        >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
        >>> theory = lm.solve(problem, steps=10**6, grid="adaptive")
        >>> theory.at([0, 10, 999_999]).test_loss.round(4).tolist()
        [2.0, 0.3428, 0.09]
        """
        sampled: Solution = sample(self, times)
        return sampled

    def profile(self, name: str, tau: Number | Numbers) -> Array:
        """Return a function of depth at tau = l/L in [0, 1], at infinite depth.

        ``name`` is "feature_norm", "gradient_norm" ((n,) for each tau) or a layered two-time
        function that was kept ((m, m) for each tau).

        Raises
        ------
        ValueError
            At finite depth, for other names, and for tau outside [0, 1].
        KeyError
            A function that was not kept; the message says how to keep it.

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
        choice(*NORMS, *LAYERED)(name, "name")
        if name in NORMS:
            # Past a divergence all values are inf, which interpolation would turn into nan.
            profile = interpolate(self.depth, getattr(self, name)[:, : self.valid], tau)
            rest = [(0, 0)] * (profile.ndim - 1) + [(0, len(self.time) - self.valid)]
            return np.pad(profile, rest, constant_values=np.inf)
        layers: Layers = getattr(self, name)
        nodes = range(1, len(self.depth) + 1)
        return interpolate(self.depth, np.stack([layers[node] for node in nodes]), tau)

    @property
    def status(self) -> str:
        """One sentence about the outcome and its accuracy, with a remedy if there is a problem.

        Further sentences follow where steps are unstable, or where rounding decides.
        """
        return " ".join([self._outcome, *stability.cautions(self)])

    @property
    def _outcome(self) -> str:
        if self.stats.depth_error > RESOLVED:
            return (
                f"Solved {self._extent} with too few nodes in depth: profiles are accurate to "
                f"{self.stats.depth_error:.0e}, losses to about its square. Leave out depth_nodes, "
                f"or use more than {len(self.depth)}."
            )
        if self.diverged_at is None:
            return f"Solved {self._extent}; {self._checks}."
        return (
            f"Diverged at step {self.diverged_at} of {self.time[-1] + 1:.0f}: entries from there "
            f"on are inf. {divergence_remedy(self.problem)}"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Cautions about the scales of the problem: sizes like counts, an unusual target power."""
        return scale_notes(self.problem)

    @property
    def self_check_passed(self) -> bool:
        """Whether ``stats.chain_residual`` is as small as is usual for correct solutions.

        The limit is 1e-9. It is 1e-6 at infinite depth, and where an instability amplifies
        rounding errors; then only the times up to ``predictable_until`` count.
        """
        return self_check.passed(
            self.stats.chain_residual,
            float(self.problem.network.depth),
            amplified=self.predictable_until is not None,
            rtol=self.rtol or 0.0 if self._condensed else 0.0,
        )

    @property
    def _checks(self) -> str:
        check = self_check.verdict(
            self.stats.chain_residual,
            float(self.problem.network.depth),
            amplified=self.predictable_until is not None,
            rtol=self.rtol or 0.0 if self._condensed else 0.0,
        )
        if self.rtol is None:
            return check
        estimate = self.stats.error_estimate
        where = "within" if estimate <= self.rtol else "ABOVE"
        return f"error estimate {estimate:.0e}, {where} the rtol of {self.rtol:.0e}; {check}"

    @property
    def _condensed(self) -> bool:
        """Whether the past was represented by fewer numbers than there are steps."""
        return self.stats.active_nodes not in {0, self.stats.nodes}

    @property
    def _extent(self) -> str:
        """The range of times as text: "400 steps", "1000000 steps on 152 nodes"."""
        if self.sampled:
            return f"at {len(self.time)} times, on {self.stats.nodes} nodes"
        if self.grid == "exact":
            return f"{self.valid} steps"
        if self.every_step:
            return f"{self.valid} steps, with a past of at most {self.stats.active_nodes} numbers"
        flow = f"gradient flow to time {self.time[-1]:g}"
        end = flow if self.grid == "flow" else f"{self.time[-1] + 1:.0f} steps"
        return f"{end} on {len(self.time)} nodes"

    @property
    def sampled(self) -> bool:
        """Whether this is a result of ``at``, which has only some of the times."""
        return not len(self.panels) and not self.every_step

    @property
    def every_step(self) -> bool:
        """Whether each step has its row: exact steps, and adaptive steps with random batches."""
        consecutive = bool(self.time[-1] == len(self.time) - 1)
        return consecutive and not len(self.panels) and self.grid != "flow"

    def __repr__(self) -> str:
        kept = ", ".join(name for name in FUNCTIONS if self.has(name)) or "none"
        last = max(0, self.valid - 1)
        notes = "".join(f"\n Note: {note}" for note in self.notes)
        ends = f"test {self.test_loss[last]:.4g}, train {self.train_loss[last]:.4g}"
        return (
            f"<Solution of {brief(self.problem)}\n {self.status}\n"
            f" At t = {self.time[last]:g}: {ends}. Two-time functions kept: {kept}."
            f"{notes}>"
        )

    @property
    def state_bytes(self) -> int:
        """Size in bytes of ``state``, including that of the channels."""
        return self.state.nbytes + sum(channel.state.nbytes for channel in self.channels)

    def has(self, name: str) -> bool:
        """Return whether the observable ``name`` is there, here or in the channels.

        Parameters
        ----------
        name
            A series, a two-time function, or "replicas". An observable that the call did not ask
            for is not there, and ``NotRequested`` is raised where it is used.

        Raises
        ------
        ValueError
            If solutions never have an observable of this name.
        """
        return super().has(name) or any(channel.has(name) for channel in self.channels)

    def _why_missing(self, name: str) -> str:
        call = "flow" if self.grid == "flow" else "solve"
        one = SOLUTION.get(name)
        if one and one.kind == RESPONSE and self.sampled and self.grid != "exact":
            return f"{name} was left out by at(): responses have no values between the nodes"
        held = [c for c, channel in enumerate(self.channels) if hasattr(channel, name)]
        if held:
            return f"{name} of several outputs is that of a channel: channels[{held[0]}].{name}"
        message = why_missing(one, call) if one else asking(name, call, self._asked[name])
        return f"{message} in channels[j].{name}" if self._in_channels(name) else message

    def _in_channels(self, name: str) -> bool:
        one = SOLUTION.get(name)
        asked = one is not None and bool(one.asked) and not one.by_mode
        held = name in {"kernel_alignment", "spectrum"} or asked
        return bool(self.channels) and held

    def to_xarray(self) -> "xr.Dataset":
        """Return an ``xarray.Dataset`` with the problem and the provenance as attributes.

        Dimensions are ``time``, ``layer`` (1 .. L) and ``time_s``, the second time of two-time
        functions. The functions of the data gradient h^0 are ``C_h0`` and ``R_hr0``. Needs xarray.
        """
        return solution_to_dataset(self)

    def save(self, path: Path, *, state: bool | None = None, force: bool = False) -> None:
        """Write a NetCDF4 file with the problem, the provenance and a format version.

        Needs xarray and h5netcdf. An existing file of a solution is replaced, once the new one is
        complete.

        Parameters
        ----------
        path
            The file, with the ending .nc, .nc4, .h5, .hdf5 or none.
        state
            Whether to write the ``state_bytes`` that ``solve(continue_from=...)`` needs. None:
            write them if the solution kept them, as it does up to 64 MiB or with
            ``keep_state=True``.
        force
            Replace an existing file also if it is not that of a solution.

        Raises
        ------
        ValueError
            If the name has another ending, if a file of another kind exists, or if the solution
            does not have the state that is to be written.
        """
        place = result_place(path, "path", netcdf.SOLUTION, force=flag(force, "force"))
        kept = self.state_bytes > 0
        if state is not None and flag(state, "state") and not kept:
            raise ValueError(
                "state cannot be written, since the solution has none: solve(..., keep_state=True)"
            )
        kept = kept and state is not False
        netcdf.write(solution_to_dataset(self, state=kept), place)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file at ``path`` that ``save`` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, is not a solution, or has a newer version of the format.
        """
        with netcdf.reading(path, netcdf.SOLUTION) as dataset:
            return cls(**solution_from_dataset(dataset, cls))
