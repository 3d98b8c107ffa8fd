"""Work and self-checks of a solution."""

from dataclasses import dataclass

__all__ = ["SolveStats"]


@dataclass(frozen=True)
class SolveStats:
    """Work of a solution, and estimates of its errors.

    For a continued solution, or one with checkpoints, the numbers cover all segments.

    Attributes
    ----------
    nodes, panels, rejected_panels
        Numbers of time points, of panels of time points, and of panels that were repeated.
    active_nodes
        The largest number of numbers that stood for all times of a function: fewer than the time
        points where the past is condensed (adaptive steps with random batches). 0 in files of
        earlier versions.
    sweeps, row_sweeps
        Number of sweeps over a panel, and the number of rows summed over the sweeps.
    flops
        Floating-point operations in matrix products.
    seconds, threads
        Wall-clock time, summed over the segments, and the number of threads of the last one.
    chain_residual
        A self-check: the largest violation of an exact identity between layers that the solver
        does not use, relative to the largest terms that the identity compares. Usually below 1e-9
        (at infinite depth below 1e-6): ``Solution.self_check_passed``.
    depth_error
        At infinite depth, the estimated relative error of the profiles over depth (the losses are
        accurate to about its square); otherwise 0.
    error_estimate
        On coarse grids, the largest estimated relative error of a panel; with a condensed past, the
        estimated relative error of the losses; otherwise 0.

    Notes
    -----
    Theory section 10 for sweeps and panels; section 12, item 8 for the identity; section 19 for
    the condensed past.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> stats = lm.solve(problem, steps=10).stats
    >>> stats.nodes, stats.chain_residual < 1e-10
    (10, True)
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
    error_estimate: float = 0.0
    active_nodes: int = 0
