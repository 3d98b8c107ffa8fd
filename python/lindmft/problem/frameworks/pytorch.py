"""``from_pytorch``: the problem that a training loop in PyTorch's conventions solves."""

from lindmft._internal.types import Number, Numbers
from lindmft._internal.validation import choice, conflict, flag, number
from lindmft.problem.frameworks.batches import ORDERS, read_data_of_loop, read_sizes
from lindmft.problem.frameworks.initial import Init
from lindmft.problem.frameworks.layers import network_and_rates
from lindmft.problem.frameworks.raw import RawLayers, scheduled
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import Isotropic, Spectrum, read_spectrum
from lindmft.problem.targets import Gram, Targets

__all__ = ["from_pytorch"]


def from_pytorch(
    *,
    hidden: Number | Numbers,
    lr: Number | Numbers,
    inputs: Number | None = None,
    depth: int | None = None,
    samples: Number | None = None,
    batch: Number | None = None,
    order: str = "shuffled",
    init: Init = "linear",
    gain: float | None = None,
    bias: bool = False,
    base_hidden: Number | Numbers | None = None,
    branch: float | None = None,
    centered: bool = False,
    reduction: str = "mean",
    half: bool = False,
    schedule: Numbers | None = None,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: Number | Numbers = 0.0,
    input_scale: float = 1.0,
    spectrum: Spectrum = Isotropic(),
    targets: Targets = (1.0,),
    noise: float = 0.0,
    noise_covariance: Gram | None = None,
    parameterization: str = "ntk",
) -> Problem:
    """Return the problem of a training loop that is given in the conventions of PyTorch.

    The network is a chain of ``nn.Linear`` layers without biases, and the optimizer
    ``torch.optim.SGD``. The defaults are those of PyTorch. ``to_pytorch`` is the way back.

    Parameters
    ----------
    hidden
        The number of hidden units, or a list with that of each hidden layer.
    lr
        The learning rate, or a list with that of each layer, the readout last.
    inputs
        D, the number of inputs. A trace-class spectrum has it already.
    depth
        L, the number of hidden layers, where ``hidden`` is one number; None: 1.
    samples
        P, the number of training samples; None: every step draws fresh ones.
    batch
        The number of samples in a batch; None: all samples.
    order
        The way in which a loop draws batches from its samples. "shuffled": a ``DataLoader`` with
        ``shuffle=True``; "replacement": a ``RandomSampler`` with ``replacement=True``; "subsets":
        different samples, drawn anew in every step.
    init
        "linear" is the default of ``nn.Linear``. The names of functions in ``nn.init`` are
        "xavier_normal", "xavier_uniform", "kaiming_normal" and "kaiming_uniform"; the last two with
        the ending "_fan_out" for that mode. "lecun_normal" has the variance 1 / fan-in. A number is
        the standard deviation, and 0 a layer that starts from zero. A list has one of these for
        each layer, the readout last.
    gain
        The factor of standard deviations in the functions of ``nn.init``; None: PyTorch's, which is
        1 for Xavier and sqrt(2) for Kaiming. ``nonlinearity="linear"`` is 1.
    bias
        Whether layers have biases, with which no problem is known.
    base_hidden
        The hidden widths of the base shapes of the ``mup`` library: the readout is a
        ``MuReadout``, the optimizer ``MuSGD``, and weights are initialized before
        ``set_base_shapes``. None: none of these.
    branch
        The factor b of hidden layers h + b W h after the first one; None: hidden layers W h.
    centered
        Whether the loop subtracts the predictor at initialization from the predictor.
    reduction
        "mean" or "sum", that of ``nn.MSELoss``; the mean is also one over outputs.
    half
        Whether the loss has the factor 1/2.
    schedule
        The factor of the learning rate in each step; None: 1.
    momentum, nesterov
        Those of ``torch.optim.SGD``, without dampening.
    weight_decay
        That of ``torch.optim.SGD``, or a list with that of each layer. The products with the
        learning rates of the layers have to be equal.
    input_scale
        A factor of the inputs that the spectrum does not have: the standard deviation of isotropic
        inputs.
    spectrum, targets, noise, noise_covariance
        The covariance of the inputs, the target and the label noise, as in ``FullBatch``. The
        targets do not change with ``input_scale``.
    parameterization
        The scale of which the initial weights of the problem are an expression. "ntk": gamma0 as
        in standard networks, and ``init_scale`` from the weights; "mup": ``init_scale`` 1, and
        gamma0 from the weights, the richness. The trajectory is the same.

    Returns
    -------
    Problem
        The same training in the scales of this package: a loop with these numbers has its test loss
        and training loss, up to corrections of finite size.

    Raises
    ------
    ValueError
        If an argument has the wrong type or is out of range, or if the loop has no counterpart:
        biases, different decays of layers, two layers that start from zero.

    Notes
    -----
    Theory sections 2, 6, 7, 8 and 17. Weights enter by their variance, which makes uniform and
    normal ones the same in wide networks. Layers whose initial scales differ are the same as layers
    with the geometric mean of the scales and other learning rates; a layer that starts from zero
    has the entry 0 in ``init_scale``.

    The loss of the problem is the mean of squared errors over samples, summed over outputs, where
    ``nn.MSELoss`` takes the mean. Batches that are drawn with replacement become ``MultiPass``
    with the fraction batch / (batch + samples), whose gradients have the same variance.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.from_pytorch(inputs=200, hidden=400, depth=2, samples=800, lr=0.05)
    >>> problem.network.init_scale, problem.optimizer.lr, problem.optimizer.layer_lr
    (0.57735026918963, 0.1, (1.0, 2.0, 2.0))
    >>> loop = {"inputs": 200, "hidden": [400, 400], "samples": 800, "batch": 100, "lr": 0.02}
    >>> lm.from_pytorch(**loop, momentum=0.9, init="xavier_normal", half=True).data.batches
    8
    >>> wide = lm.from_pytorch(**loop, base_hidden=100, parameterization="mup")
    >>> round(wide.network.gamma0, 3)
    7.348
    """
    if flag(bias, "bias"):
        conflict(
            "bias",
            "linear networks of this package",
            "they have no biases",
            "Give nn.Linear bias=False, and subtract the means of inputs and labels",
        )
    modes = read_spectrum(spectrum, "spectrum")
    sizes = read_sizes(inputs, hidden, depth, modes)
    given = {"targets": targets, "noise": noise, "noise_covariance": noise_covariance}
    used = choice(*ORDERS)(order, "order")
    data = read_data_of_loop(sizes, samples, batch, used, {"spectrum": modes, **given})
    in_loss = float(samples if batch is None else batch)  # type: ignore[arg-type]  # one is given
    raw = RawLayers.read(
        sizes, data.outputs, init=init, gain=gain, lr=lr, weight_decay=weight_decay
    )
    raw = raw.with_base(sizes, base_hidden).with_loss(reduction, half, in_loss, data.outputs)
    network, rates = network_and_rates(
        raw.with_inputs(input_scale).settled(branch),
        sizes,
        choice("ntk", "mup")(parameterization, "parameterization"),
        centered,
    )
    rates["lr"] = scheduled(rates["lr"], schedule)
    return Problem(
        network, data, SGD(**rates, momentum=number(momentum, "momentum"), nesterov=nesterov)
    )
