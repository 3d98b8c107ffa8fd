"""Training of networks that share initial weights or data, in every pairing."""

from collections.abc import Mapping, Sequence
from typing import Any

from lindmft import _core
from lindmft._internal.provenance import provenance
from lindmft._internal.types import Callback
from lindmft._internal.validation import integer
from lindmft.problem.problem import Problem, as_problem
from lindmft.progress import reporting
from lindmft.results.replica_ensemble import ReplicaEnsemble
from lindmft.results.statistics import DOUBLE, common_fields
from lindmft.training.finite import finite
from lindmft.training.options import checked_options

__all__ = ["train_replicas"]


def train_replicas(
    problem: Problem | Mapping[str, Any],
    steps: int,
    *,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    seed: int = 0,
    k_init: int = 2,
    k_data: int = 2,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    dtype: str = DOUBLE,
) -> ReplicaEnsemble:
    """Train k_init initializations on k_data data sets, every pair of them, for each seed.

    The target is the seed's. Networks on the same data see the same samples, label noise and
    batches. The first network of a seed is the one that ``train`` trains.

    Parameters
    ----------
    problem
        A ``Problem`` of finite width and depth and positive gamma0, or its dictionary form.
    steps
        n, the number of times t = 0 .. n - 1.
    dim
        D, the input dimension; widths are round(width D), samples round(alpha D). None:
        ``data.inputs``, or 256. With a trace-class spectrum the number of leading modes that are
        kept, each as it is: the tail is dropped. None: all of them, of a power law at most the
        first 1024.
    seeds
        The number of such groups of networks, or a list of their seeds.
    seed
        Which stream of networks, if ``seeds`` is a number: 0, 1, ... Different streams share no
        network, weight or sample; network k of stream s has the seed ``2**32 s + k``. The same
        seed in another call gives the same random numbers.
    k_init, k_data
        Initializations and data sets, 1 to 256 of each.
    threads
        Threads to use; None: the allowed physical cores. Results do not depend on it.
    memory_limit
        Bytes the call may take; None: four fifths of the free memory.
    progress
        None, True for a progress bar, or a callable ``(done, total)``; see ``lindmft.progress``.
    dtype
        "float64" or "float32", as in ``train``.

    Returns
    -------
    ReplicaEnsemble
        The four overlaps of every seed, and ``replicas`` for bias and variances.

    Raises
    ------
    ValueError
        Bad input; the message names the field.
    MemoryError
        Refused before allocating; see ``estimate_train_memory``.

    Notes
    -----
    Theory section 3, replicas. The networks of a seed march together: memory for all of them at
    once, on one thread.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> runs = lm.train_replicas(problem, 10, dim=32, seeds=2, k_init=3, k_data=1)
    >>> runs.shared_data.shape, runs.has("shared_init")
    ((2, 10), False)
    """
    given = locals()
    problem = as_problem(problem)
    core, size = finite(problem, dim)
    steps = integer(steps, "steps")
    options = _core.TrainOptions(**checked_options(given, size, steps))
    with reporting(progress, "train") as callback:
        result = _core.train_replicas(core, steps, options, progress=callback)
    fields = common_fields(result)
    return ReplicaEnsemble(
        problem=problem, provenance=provenance(fields["stats"].threads), **fields
    )
