"""Training finite-size networks: ``train`` and ``train_many``.

Time is counted in optimizer steps; an entry at t is before the update of step t.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Unpack

from numpy.typing import ArrayLike

from lindmft import _core
from lindmft._internal.options import options_like, with_defaults
from lindmft._internal.types import Callback, Number, Numbers, Path, TrainDict
from lindmft._internal.validation import check_progress, conflict, flag, integer
from lindmft.problem.averages import Average
from lindmft.problem.problem import Problem, Problems, as_problem, listed_problems
from lindmft.problem.scales import warn_of_sizes, warn_of_sizes_among
from lindmft.progress import reporting
from lindmft.results.ensemble import Ensemble, Series, ensemble_from_core
from lindmft.results.replica_ensemble import ReplicaEnsemble
from lindmft.results.statistics import DOUBLE, TrainStats
from lindmft.training.checkpoints import (
    SMALL,
    Training,
    checked_checkpoint,
    train_with_checkpoints,
)
from lindmft.training.options import AllTrainOptions, TrainManyOptions, checked_options
from lindmft.training.own_samples import all_settled, settled
from lindmft.training.replicas import train_replicas

PAIRS = ("k_init", "k_data")
"""Options that make a training one of replicas, if they are given."""

__all__ = [
    "Ensemble",
    "ReplicaEnsemble",
    "Series",
    "TrainStats",
    "check_train",
    "estimate_train_memory",
    "train",
    "train_many",
    "train_replicas",
]


def train(
    problem: Problem | Mapping[str, Any],
    steps: int,
    *,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    seed: int = 0,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    kernels: bool = False,
    spectrum_at: Number | Numbers | None = None,
    lanczos: int | None = None,
    updates: bool = False,
    modes: bool = False,
    average: Average | None = None,
    noise_draw: int = 0,
    dtype: str = DOUBLE,
    weights: bool = False,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    X_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    test_fraction: float | None = None,
    test_split: int = 0,
    checkpoint: Path | None = None,
    checkpoint_every: int | None = None,
) -> Ensemble:
    """Train finite-size networks, one for each seed, for ``steps`` steps.

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
        The number of networks, or a list of their seeds.
    seed
        Which stream of networks, if ``seeds`` is a number: 0, 1, ... Different streams share no
        network, weight or sample; network k of stream s has the seed ``2**32 s + k``. The same
        seed in another call gives the same random numbers.
    threads
        Threads to use; None: the allowed physical cores. A seed's trajectory does not depend on it.
    memory_limit
        Bytes the call may take; None: four fifths of the free memory.
    progress
        None, True for a progress bar, or a callable ``(done, total)``; see ``lindmft.progress``.
    kernels
        Also record the neural tangent kernel's ``kernel_gradient``, ``kernel_target`` and
        ``kernel_scale``, at the cost of two more forward passes a step. One target only.
    spectrum_at
        A step, or a list of steps, before whose updates to compute the spectrum of every network's
        Hessian: ``Ensemble.spectrum``. None: none. One target only.
    lanczos
        Steps of Lanczos' method for each spectrum, 2 to ``dim``; None: 24, or ``dim`` if that is
        less. With ``dim`` of them the random start gives all nonzero eigenvalues.
    updates
        Also record ``feature_update`` and ``gradient_update``: how far h^l and g^l have moved since
        initialization.
    modes
        Also record the learning curve of each mode of the spectrum, ``mode_loss`` and
        ``mode_learned``.
    average
        Also record the test loss of averaged weights, ``average_loss``: ``lm.EMA``,
        ``lm.TailAverage`` or ``lm.CheckpointAverage``. It costs another set of weights for each
        network, and up to twice the time.
    noise_draw
        Which independent draw of the label noise, on the same weights and inputs: 0, 1, ...
    dtype
        "float64", or "float32" for weights, data and signals in single precision: the same random
        numbers, rounded, and half the memory. Observables are doubles either way.
    weights
        Also keep the trained weights of all networks, ``Ensemble.weights``, and their predictors,
        ``Ensemble.predictor``. Files of ensembles do not hold them.
    X
        (P, D), samples to train on in the place of random ones, one in each row; nothing is
        centered or rescaled.
        Networks of different seeds then differ in their initial weights, and with ``MultiPass`` and
        ``Epochs`` in their batches. From the problem's data only the kind, the number of outputs
        and the number of samples are used: ``data.samples`` (or alpha D) must be the number of
        samples to train on. With a trace-class spectrum, such as ``lm.from_data`` returns,
        h^1 = W^0 x, and with others h^1 = W^0 x / sqrt(D).
    y
        (P,) or (P, C), the labels of the samples.
    X_test, y_test
        Samples that are held out and their labels, as ``X`` and ``y``: ``test_loss`` is their mean
        squared error, the label noise included.
    test_fraction
        Between 0 and 1, in the place of ``X_test``: this fraction of the samples is held out.
    test_split
        Which random split of the samples, with ``test_fraction``: 0, 1, ...
    checkpoint
        A file to save to after each segment of the computation. If it exists, the computation
        resumes from it; it must be of the same problem, steps, dim, seeds, dtype and records. Once
        all is done, it is the file of the ensemble.
    checkpoint_every
        Steps of a segment; None: a tenth of all steps, but at least 100, and no file is written
        after a segment that took less than ten times the time of a save.

    Returns
    -------
    Ensemble
        Losses and norms of every network at every step, with ``mean`` and ``sem``.

    Raises
    ------
    ValueError
        Bad input; the message names the field. Also a checkpoint that cannot be resumed, found
        before any work.
    MemoryError
        Refused before allocating; see ``estimate_train_memory``.

    Notes
    -----
    With ``Epochs``, batches differ by at most one sample where the samples cannot be divided
    equally.

    Weights and predictors are in the scaling of theory section 1, with f(x) = predictor . x.
    Without ``X``, inputs are in the basis of the modes.

    A step costs P D + sum N_l N_{l+1} operations for each output. How weights are kept depends on
    sizes and steps (``stats.method``), and the last bits with it. Theory sections 2, 4, 8 and 11.

    With a checkpoint, networks are trained in blocks: as many as there are threads, or as fit into
    64 MiB. The file holds the series of all networks, and of the block in progress the weights,
    with momentum twice. A resumed call gives bit for bit what an uninterrupted one gives, with
    checkpoints or without, on any number of threads; on a machine with other instruction sets, up
    to rounding.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.OnePass(alpha=0.5), lm.SGD(lr=0.1))
    >>> lm.train(problem, steps=10, dim=32, seeds=[3, 5]).seeds
    (3, 5)

    Networks that are trained on given samples, and predict new ones:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 10))
    >>> y = X @ np.ones(10)
    >>> data = lm.FullBatch(samples=80, spectrum=lm.from_data(X, y))
    >>> problem = lm.Problem(lm.MLP(hidden=50), data, lm.SGD(lr=0.05))
    >>> runs = lm.train(problem, 60, X=X, y=y, test_fraction=0.2, weights=True, seeds=2)
    >>> runs.samples, runs.test_samples, runs.weights[0].shape
    (80, 20, (2, 50, 10))
    >>> bool(abs(runs.predictor[0] @ np.ones(10) - 10.0) < 1.0)
    True
    """
    given = locals()
    problem = as_problem(problem)
    core, size, samples = settled(problem, given)
    count = integer(steps, "steps")
    if checkpoint is not None and flag(weights, "weights"):
        why = "files do not hold the weights"
        conflict("weights", "checkpoint", why, "Leave one of them out")
    file, every = checked_checkpoint(checkpoint, checkpoint_every)
    options = checked_options(given, size, count) | samples
    warn_of_sizes(problem)
    with reporting(progress, "train") as callback:
        if file is None:
            result = _core.train(core, count, _core.TrainOptions(**options), progress=callback)
            return ensemble_from_core(problem, result, average)
        block = _block(core, count, options)
        segment = partial(_segment, core, count, options)
        training = Training(problem, count, options, block, segment, average)
        return train_with_checkpoints(training, file, every, callback)


def _block(core: _core.Problem, steps: int, options: dict[str, Any]) -> int:
    """Networks between whose steps a checkpoint may be: one a thread, or more if they are small."""
    one = _core.TrainOptions(**{**options, "seeds": [0], "threads": 1})
    bytes_of_one = _core.estimate_train_memory(core, steps, one)
    threads = options.get("threads") or _core.config()["threads"]
    return max(threads, int(SMALL / bytes_of_one))


def _segment(
    core: _core.Problem,
    steps: int,
    options: dict[str, Any],
    seeds: list[int],
    stop: int,
    start: list[bytes],
    progress: Callback | None,
    changes: Mapping[str, Any],
) -> TrainDict:
    """Train these networks up to a step, from their states, with changes of the options."""
    own = {"seeds": seeds, "stop": stop, "keep_state": True, "start": start, **changes}
    return _core.train(core, steps, _core.TrainOptions(**(options | own)), progress=progress)


@options_like(TrainManyOptions, train)
def train_many(
    problems: Problems, steps: int, **options: Unpack[TrainManyOptions]
) -> list[Ensemble]:
    """Train the networks of many problems, those with the same weights and data together.

    Problems whose networks have the same initial weights and inputs, seed by seed, share them: each
    array is multiplied with the signals of all of them in one product, which is many times faster
    than one problem after the other. They may differ in the optimizer, gamma0, parameterization,
    init_scale, centering, branches and label noise. Others are trained beside them.

    Parameters
    ----------
    problems
        Problems or their dictionary forms, in any iterable; ``Problem.vary`` makes grids of them.
    steps
        As in ``train``, the same for all problems.
    **options
        ``TrainManyOptions``, the same for all problems: each as in ``train``, except for these.
        ``noise_draw`` may also be a list, of one number a problem. Where ``memory_limit`` asks for
        that, fewer networks are trained at a time.

    Returns
    -------
    list of Ensemble
        In the order of the problems: up to rounding what ``train`` gives for each. To the last bit
        the same on any number of threads.

    Raises
    ------
    ValueError
        Bad input, found before any work; ``problems[3]: ...`` where it is that of one problem.
    MemoryError
        Not even one network fits into the memory allowed; see ``estimate_train_memory``.

    Notes
    -----
    Networks that diverge end alone: ``Ensemble.diverged_at``. Theory section 11.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> runs = lm.train_many(problem.vary({"optimizer.lr": [0.05, 0.1]}), 20, dim=64, seeds=4)
    >>> [float(run.mean().test_loss[-1].round(1)) for run in runs], runs[0].stats.method
    ([0.4, 0.2], 'shared')
    """
    given = with_defaults(train_many, options)
    listed = listed_problems(problems)
    warn_of_sizes_among(listed, "problems[{}]".format)
    core, size, samples = all_settled(listed, given)
    steps = integer(steps, "steps")
    checked = _core.TrainOptions(**checked_options(given, size, steps, len(listed)) | samples)
    if not listed:
        return []
    with reporting(given["progress"], "train_many") as callback:
        results = _core.train_many(core, steps, checked, progress=callback)
    return [
        ensemble_from_core(problem, result, given["average"])
        for problem, result in zip(listed, results, strict=True)
    ]


@options_like(AllTrainOptions, train, train_replicas, k_init=None, k_data=None)
def estimate_train_memory(
    problem: Problem | Mapping[str, Any] | Problems, steps: int, **options: Unpack[AllTrainOptions]
) -> float:
    """Bytes that ``train`` with the same arguments takes at its peak.

    Or ``train_replicas``, if ``k_init`` or ``k_data`` is given (the other one is then 2, as it is
    there); or ``train_many``, of a list of problems, if that much is free: with less it trains
    fewer networks at a time.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form, or any iterable of them.
    steps
        As in ``train``.
    **options
        ``AllTrainOptions``: each as in ``train``; ``k_init`` and ``k_data`` as in
        ``train_replicas``.

    Returns
    -------
    float
        Bytes.

    Raises
    ------
    ValueError
        Bad input; the message names the field.

    Notes
    -----
    Theory section 11: weights, or the initial ones and a factor a step; and P x D samples. With a
    checkpoint, twice the size of the states that it holds comes on top.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
    >>> lm.estimate_train_memory(problem, steps=100, dim=100) < 1e9
    True
    """
    kind, *call = _prepared(problem, steps, with_defaults(estimate_train_memory, options))
    estimates: dict[str, Any] = {
        "train": _core.estimate_train_memory,
        "train_many": _core.estimate_train_many_memory,
        "train_replicas": _core.estimate_replicas_memory,
    }
    return float(estimates[kind](*call))


@options_like(AllTrainOptions, train, train_replicas, k_init=None, k_data=None)
def check_train(
    problem: Problem | Mapping[str, Any] | Problems, steps: int, **options: Unpack[AllTrainOptions]
) -> None:
    """Refuse everything that ``train`` would refuse, without training.

    Or what ``train_many`` would refuse, of a list of problems; or ``train_replicas``, if ``k_init``
    or ``k_data`` is given.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form, or any iterable of them.
    steps
        As in ``train``.
    **options
        ``AllTrainOptions``: each as in ``train``; ``k_init`` and ``k_data`` as in
        ``train_replicas``.

    Raises
    ------
    ValueError
        Bad input: a ``BadInput``, of a list of problems with the ``index`` of the first bad one.

    Notes
    -----
    Memory is not checked: see ``estimate_train_memory``. Theory section 11.

    Examples
    --------
    >>> import math
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
    >>> lm.check_train(problem, 100, dim=64)
    >>> try:
    ...     lm.check_train([problem, problem.replace(network__width=math.inf)], 100)
    ... except lm.BadInput as error:
    ...     print(error.index, error.field)
    1 network.width
    """
    kind, *call = _prepared(problem, steps, with_defaults(check_train, options))
    check: Any = _core.check_replicas if kind == "train_replicas" else _core.check_train
    if call[0]:
        check(*call)


def _prepared(
    problem: Any, steps: Any, given: dict[str, Any]
) -> tuple[str, Any, int, _core.TrainOptions]:
    """Return the name of the call that options of all kinds make, and its arguments."""
    check_progress(given["progress"])
    crossed = [name for name in PAIRS if given[name] is not None]
    given = {name: v for name, v in given.items() if v is not None or name not in PAIRS}
    count = integer(steps, "steps")
    if isinstance(problem, Problem | Mapping):
        core, size, samples = settled(as_problem(problem), given)
        kind = "train_replicas" if crossed else "train"
        options = checked_options(given, size, count) | samples
        return kind, core, count, _core.TrainOptions(**options)
    listed = listed_problems(problem)
    if crossed:
        conflict(
            crossed[0],
            "a list of problems",
            "replicas are trained of one problem",
            "Leave it out, or give one problem",
        )
    cores, size, samples = all_settled(listed, given)
    options = checked_options(given, size, count, len(listed)) | samples
    return "train_many", cores, count, _core.TrainOptions(**options)
