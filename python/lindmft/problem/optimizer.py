"""The optimizer of a problem: learning rates, momentum, weight decay and multipliers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft import _core
from lindmft._internal.display import short_repr
from lindmft._internal.types import Number, Numbers
from lindmft._internal.validation import flag, number, number_or_numbers, settle, tuple_of_numbers


@dataclass(frozen=True)
class SGD:
    """Gradient descent with an optional schedule, momentum, weight decay and multipliers per layer.

    Parameters
    ----------
    lr
        eta, the scaled learning rate, of order one at every width, dimension and richness; or a
        list with the rate of every step (a list of one number is a constant rate).
    momentum
        Heavy-ball coefficient in [0, 1), PyTorch's convention; or a list with that of every step.
    nesterov
        Use Nesterov's form of the momentum.
    weight_decay
        The decay of weights, in units where a step multiplies every weight by 1 - lr weight_decay.
    layer_lr
        L + 1 multipliers of the gradient step, from the input weights W^0 to the readout w^L; None:
        all 1. Weight decay is not multiplied.

    Raises
    ------
    ValueError
        If a field has the wrong type or is out of range; the message names it.

    Notes
    -----
    *Scales.* The table has the meaning of the numbers, and the settings in PyTorch that give the
    same trajectory. The loss is ``(1/2P) sum Delta^2`` over P samples (``0.5 * mse``); N_l is the
    width of hidden layer l, and N_0 = D; gamma0 is the effective one: as given in muP, divided by
    sqrt(N_L / D) in NTK.

    ============  =======================  =========================  =============================
    here          meaning                  PyTorch, weights of        PyTorch, weights of
                                           variance 1 and scales in   ``nn.Linear`` (the forward
                                           the forward pass           pass is ``W h``)
    ============  =======================  =========================  =============================
    init_scale    standard deviation of    init_scale                 W^l: init_scale / sqrt(N_l);
                  the initial weights                                 w^L: init_scale sqrt(D) /
                  (1: every h^l of order                              (gamma0 N_L)
                  one)
    gamma0        richness: how far        f = sqrt(D) /              in the start of w^L (above)
                  features move            (gamma0 N_L) w^L . h^L
    lr            eta, the same at every   lr gamma0^2 N_L            W^l: lr gamma0^2 N_L / N_l;
                  D, N and gamma0                                     w^L: lr D / N_L
    layer_lr      multipliers of each      factors of these           factors of these
                  array's gradient step
    weight_decay  a step multiplies the    weight_decay lr / raw lr   weight_decay lr / raw lr
                  weights by               of the array               of the array
                  1 - lr weight_decay
    momentum      of the gradient steps    the same                   the same
    time          steps taken: entry t is  steps                      steps
                  before update t
    ============  =======================  =========================  =============================

    With a trace-class spectrum (``lm.PowerLaw``) put D = 1 in this table: h^1 = W^0 x, NTK divides
    gamma0 by sqrt(N_L), and lr is in units of 1 / lambda.

    At fixed D the last column is muP for SGD as in the ``mup`` library: raw learning rates are
    proportional to fan-out (input), constant (hidden) and proportional to 1 / fan-in (readout).

    The default of ``nn.Linear`` (variance 1 / (3 fan-in)) with one raw learning rate for all layers
    is NTK parameterization with gamma0 = 1, init_scale = 3 ** -0.5 and layer_lr = [1, N_1 / D, ...,
    N_L / D]; lr is then that raw rate. ``lm.transfer(..., scalings=["PyTorch"])`` sets these at
    every width.

    Theory sections 2 and 7. Momentum, decay, schedules and multipliers go beyond the paper.

    Examples
    --------
    >>> import lindmft as lm
    >>> warmup = [min(t / 10, 1.0) for t in range(100)]
    >>> lm.SGD(lr=warmup, momentum=0.9).lr[:3]
    (0.0, 0.1, 0.2)
    >>> lm.SGD(lr=0.1, momentum=lm.schedule("constant", 100, peak=0.9, warmup=3)).momentum[:4]
    (0.3, 0.6, 0.9, 0.9)
    """

    lr: Number | Numbers
    momentum: Number | Numbers = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    layer_lr: Numbers | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        settle(
            self,
            "optimizer",
            lr=number_or_numbers,
            momentum=number_or_numbers,
            nesterov=flag,
            weight_decay=number,
            layer_lr=_tuple_or_none,
        )
        _core.validate(self.as_core())

    def as_core(self) -> _core.Optimizer:
        """Return the compiled module's value type."""
        return _core.Optimizer(
            lr=self.lr if isinstance(self.lr, tuple) else (self.lr,),
            momentum=self.momentum if isinstance(self.momentum, tuple) else (self.momentum,),
            nesterov=self.nesterov,
            weight_decay=self.weight_decay,
            layer_lr=() if self.layer_lr is None else tuple(self.layer_lr),
        )


def has_momentum(optimizer: SGD) -> bool:
    """Whether some step has momentum."""
    return bool(np.any(np.asarray(optimizer.momentum) > 0))


def _tuple_or_none(value: Any, field: str) -> tuple[float, ...] | None:
    return None if value is None else tuple_of_numbers(value, field)
