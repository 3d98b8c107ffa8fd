"""``PyTorchLoop``: the training loop that solves a problem, in the conventions of PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array
from lindmft._internal.validation import choice, refuse
from lindmft.problem.frameworks.batches import whole_number
from lindmft.problem.frameworks.finite import batches_of, rate_and_schedule, sizes_of
from lindmft.problem.frameworks.layers import layers_of, rounded
from lindmft.problem.frameworks.modes import modes_of, number_of_inputs
from lindmft.problem.frameworks.raw import raw_options
from lindmft.problem.frameworks.script import script
from lindmft.problem.frameworks.summary import table
from lindmft.problem.problem import Problem, as_problem

__all__ = ["PyTorchLoop", "to_pytorch"]

Floats = tuple[float, ...]


@dataclass(frozen=True, eq=False, repr=False)
class PyTorchLoop:
    """Result of ``to_pytorch``: a training loop of ``nn.Linear`` layers without biases.

    Attributes
    ----------
    problem
        The problem that the loop trains.
    inputs, hidden, outputs
        Sizes: D, the hidden widths (N_1 .. N_L), C.
    init_std
        (L + 1,), standard deviations of the initial weights of the layers, the readout last.
    lr, weight_decay
        (L + 1,), options of ``torch.optim.SGD`` for the weights of each layer.
    schedule
        Factors of the learning rates in each step; None: 1.
    momentum, nesterov
        Options of ``torch.optim.SGD``.
    reduction, half
        The loss: that of ``nn.MSELoss`` with this reduction, times 1/2 if ``half``.
    samples, batch
        P, and the number of samples in a batch; None: fresh samples, or all samples.
    order
        The way in which batches are drawn, as in ``from_pytorch``.
    branch
        The factor b of hidden layers h + b W h after the first one; None: hidden layers W h.
    centered
        Whether the predictor at initialization is subtracted from the predictor.
    input_std
        (D,), standard deviations of the inputs; None: 1.
    target
        The noiseless labels are x @ w. (D, C), the weights w up to a random sign of each row; or
        (D, 1), the sizes of weights with independent signs in the columns, which ``mixing``
        combines; None: 1 / sqrt(D).
    mixing
        (C, C), the columns of w are those with independent signs times its transpose; None where
        ``target`` has C columns.
    noise
        (C, C), a root of the covariance of the label noise.

    Notes
    -----
    Theory sections 2 and 8.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2, width=2.0), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> loop = lm.to_pytorch(problem, inputs=100, half=True)
    >>> loop.hidden, loop.samples, [round(lr, 3) for lr in loop.lr]
    ((200, 200), 400, [0.2, 0.1, 0.05])
    >>> print(loop.summary())
    layer   weights  init std      lr  weight decay
        0  200, 100       0.1     0.2             0
        1  200, 200   0.07071     0.1             0
        2    1, 200      0.05    0.05             0
    loss 0.5 * nn.MSELoss(), torch.optim.SGD, all of 400 samples in every step
    >>> "torch.optim.SGD" in loop.code(steps=50)
    True
    >>> again = lm.from_pytorch(**loop.arguments(), parameterization="mup")
    >>> again.network.gamma0, again.optimizer.lr
    (1.0, 0.1)
    """

    problem: Problem
    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    init_std: Floats
    lr: Floats
    weight_decay: Floats
    schedule: Floats | None
    momentum: float
    nesterov: bool
    reduction: str
    half: bool
    samples: int | None
    batch: int | None
    order: str
    branch: float | None
    centered: bool
    input_std: Array | None
    target: Array | None
    mixing: Array | None
    noise: Array

    __repr__ = short_repr
    _repr_html_ = field_table

    def summary(self) -> str:
        """Return a table of the layers, and the loss, the optimizer and the batches."""
        return table(self)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments with which ``from_pytorch`` returns a problem of the same training.

        Ratios of sizes are those of the whole numbers here.
        """
        names = (
            *("hidden", "lr", "weight_decay", "schedule", "momentum", "nesterov", "reduction"),
            *("half", "samples", "batch", "order", "branch", "centered", "inputs"),
        )
        kept = ("spectrum", "targets", "noise", "noise_covariance")
        return {
            **{name: getattr(self, name) for name in names},
            "init": self.init_std,
            **{name: getattr(self.problem.data, name) for name in kept},
        }

    def code(self, *, framework: str = "torch", steps: int = 100, networks: int = 8) -> str:
        """Return a script that trains networks and prints their mean test loss before each step.

        Parameters
        ----------
        framework
            "torch", or "numpy" for the same loop without PyTorch.
        steps, networks
            The numbers of steps and of networks.

        Raises
        ------
        ValueError
            If an argument is something else.
        """
        used = choice("torch", "numpy")(framework, "framework")
        return script(self, used, whole_number(steps, "steps"), whole_number(networks, "networks"))


def to_pytorch(
    problem: Problem | Mapping[str, Any],
    *,
    inputs: int | None = None,
    order: str = "subsets",
    reduction: str = "mean",
    half: bool = False,
) -> PyTorchLoop:
    """Return the training loop in the conventions of PyTorch that solves a problem.

    ``from_pytorch`` is the way back.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form, of finite sizes.
    inputs
        D, the number of inputs. None: ``data.inputs``, or 256; with a trace-class spectrum all
        modes, of a power law at most the first 1024.
    order
        The order of the random batches of ``MultiPass``: "subsets" or "replacement", as in
        ``from_pytorch``.
    reduction
        The loss of the loop: "mean" or "sum", that of ``nn.MSELoss``.
    half
        Whether the loss has the factor 1/2.

    Returns
    -------
    PyTorchLoop
        Sizes, initial weights, learning rates, loss and batches; ``code()`` has a script.

    Raises
    ------
    ValueError
        If the problem has no loop: infinite sizes, the lazy limit, layers with weight decay and
        without a learning rate, lists of momentum or batches, a readout that starts at zero.

    Notes
    -----
    Theory sections 2 and 8: raw weights and rates. Sizes are rounded as in ``train``. Weights are
    normal.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=1, gamma0=2.0), lm.OnePass(alpha=0.5), lm.SGD(lr=0.1))
    >>> loop = lm.to_pytorch(problem, inputs=64)
    >>> loop.batch, loop.samples, [round(std, 4) for std in loop.init_std]
    (32, None, [0.125, 0.0625])
    """
    problem = as_problem(problem)
    data, optimizer = problem.data, problem.optimizer
    _refuse_lists(problem)
    sizes = sizes_of(problem, number_of_inputs(data, inputs))
    drawn = choice("subsets", "replacement")(order, "order")
    samples, batch, used = batches_of(data, sizes, drawn)
    rate, schedule = rate_and_schedule(optimizer)
    layers = layers_of(problem, sizes, rate)
    in_loss = float(batch or samples or 0)
    modes = modes_of(data, sizes.inputs)
    lr, weight_decay = raw_options(layers, reduction, half, in_loss, data.outputs)
    return PyTorchLoop(
        problem=problem,
        inputs=sizes.inputs,
        hidden=sizes.hidden,
        outputs=data.outputs,
        init_std=_floats(layers.std),
        lr=_floats(lr),
        weight_decay=_floats(weight_decay),
        schedule=schedule,
        momentum=float(optimizer.momentum),  # type: ignore[arg-type]  # no list
        nesterov=optimizer.nesterov,
        reduction=reduction,
        half=half,
        samples=samples,
        batch=batch,
        order=used,
        branch=layers.branch,
        centered=problem.network.centered,
        input_std=modes.std,
        target=modes.target,
        mixing=modes.mixing,
        noise=modes.noise,
    )


def _refuse_lists(problem: Problem) -> None:
    """Refuse what a loop does not have: lists of momentum or batches, a second target."""
    data = problem.data
    lists = {
        "optimizer.momentum": problem.optimizer.momentum,
        "data.alpha": getattr(data, "alpha", None),
        "data.batch": getattr(data, "batch", None),
    }
    for name, value in lists.items():
        if isinstance(value, tuple):
            refuse(name, "a number to write a loop (the script has no schedule of it)", value)
    if data.switch_at is not None:
        refuse("data.switch_at", "None to write a loop (the script has one target)", data.switch_at)


def _floats(values: Array) -> Floats:
    return tuple(map(rounded, values.tolist()))
