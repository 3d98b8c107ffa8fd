"""Parts of scripts. A line with the mark ``#? NAME`` belongs to loops of this kind alone."""

HEAD_TORCH = '''"""Linear networks in PyTorch, trained like a problem of lindmft."""

import copy  #? centered
  #? centered
import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)

'''
HEAD_NUMPY = '''"""Linear networks in NumPy, trained like a problem of lindmft."""

from itertools import pairwise

import numpy as np

'''

DATA = '''

def draw_target(rng):
    """Return the weights (inputs, outputs) of the noiseless labels."""
    signs = rng.choice([-1.0, 1.0], size=(INPUTS, {columns}))
    return {target}


def draw(rng, count, target):
    """Return inputs and their noisy labels."""
    x = rng.standard_normal((count, INPUTS)){scaled}
    return x, x @ target + rng.standard_normal((count, OUTPUTS)) @ NOISE.T


def batches(rng, target):
    """Yield the inputs and the labels of each step."""
{batches}
'''
FRESH = """    while True:
        yield draw(rng, BATCH, target)"""
ALL = """    samples = draw(rng, SAMPLES, target)
    while True:
        yield samples"""
SHUFFLED = """    x, y = draw(rng, SAMPLES, target)
    while True:
        order = rng.permutation(SAMPLES)
        for chosen in order.reshape(-1, BATCH):
            yield x[chosen], y[chosen]"""
REPLACEMENT = """    x, y = draw(rng, SAMPLES, target)
    while True:
        chosen = rng.integers(SAMPLES, size=BATCH)
        yield x[chosen], y[chosen]"""
SUBSETS = """    x, y = draw(rng, SAMPLES, target)
    while True:
        chosen = rng.permutation(SAMPLES)[:BATCH]
        yield x[chosen], y[chosen]"""

MODEL_TORCH = '''
class Network(nn.Module):
    """Linear layers without biases."""

    def __init__(self):
        super().__init__()
        sizes = [INPUTS, *HIDDEN, OUTPUTS]
        self.layers = nn.ModuleList(
            nn.Linear(a, b, bias=False) for a, b in zip(sizes, sizes[1:])
        )
        for layer, std in zip(self.layers, INIT_STD):
            nn.init.normal_(layer.weight, std=std)

    def forward(self, x):
        first, *hidden, last = self.layers
        x = first(x)
        for layer in hidden:
            x = layer(x)  #? chain
            x = x + BRANCH * layer(x)  #? branch
        return last(x)

'''
TRAIN_TORCH = '''
def train(seed, steps=STEPS):
    """Return the test loss against noiseless labels before each step."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model = Network()
    start = copy.deepcopy(model).requires_grad_(False)  #? centered
    target = draw_target(rng)
    groups = [
        {"params": [layer.weight], "lr": lr, "weight_decay": decay}
        for layer, lr, decay in zip(model.layers, LR, WEIGHT_DECAY)
    ]
    optimizer = torch.optim.SGD(groups, momentum=MOMENTUM)  #? heavy
    optimizer = torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True)  #? nesterov
    optimizer = torch.optim.SGD(groups)  #? steep
    scheduler = torch.optim.lr_scheduler.LambdaLR(  #? schedule
        optimizer, lambda step: SCHEDULE[min(step, len(SCHEDULE) - 1)]  #? schedule
    )  #? schedule
    criterion = nn.MSELoss()  #? mean
    criterion = nn.MSELoss(reduction="sum")  #? sum
    losses = []
    for _, (x, y) in zip(range(steps), batches(rng, target)):
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        with torch.no_grad():
            predictor = model(torch.eye(INPUTS))  #? plain
            predictor = model(torch.eye(INPUTS)) - start(torch.eye(INPUTS))  #? centered
        error = target - predictor.numpy()
        error *= INPUT_STD[:, None]  #? std
        losses.append(float((error**2).sum()))
        output = model(x)  #? plain
        output = model(x) - start(x)  #? centered
        loss = criterion(output, y)  #? whole
        loss = 0.5 * criterion(output, y)  #? half
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()  #? schedule
    return losses

'''
MODEL_NUMPY = '''
def forward(weights, x):
    """Return the inputs of each layer, and the output at the end."""
    signals = [x, x @ weights[0].T]
    for w in weights[1:-1]:
        signals.append(signals[-1] @ w.T)  #? chain
        signals.append(signals[-1] + BRANCH * signals[-1] @ w.T)  #? branch
    return [*signals, signals[-1] @ weights[-1].T]


def gradients(weights, signals, back):
    """Return the gradients of the weights from that of the output."""
    found = [back.T @ signals[-2]]
    back = back @ weights[-1]
    for w, x in zip(weights[-2:0:-1], signals[-3:0:-1], strict=True):
        found.append(back.T @ x)  #? chain
        back = back @ w  #? chain
        found.append(BRANCH * back.T @ x)  #? branch
        back = back + BRANCH * back @ w  #? branch
    return [*found, back.T @ signals[0]][::-1]

'''
TRAIN_NUMPY = '''
def train(seed, steps=STEPS):
    """Return the test loss against noiseless labels before each step."""
    rng = np.random.default_rng(seed)
    sizes = [INPUTS, *HIDDEN, OUTPUTS]
    weights = [
        std * rng.standard_normal((b, a))
        for std, (a, b) in zip(INIT_STD, pairwise(sizes), strict=True)
    ]
    start = forward(weights, np.eye(INPUTS))[-1]  #? centered
    target = draw_target(rng)
    velocity = [np.zeros_like(w) for w in weights]  #? momentum
    losses = []
    for step, (x, y) in zip(range(steps), batches(rng, target)):
        predictor = forward(weights, np.eye(INPUTS))[-1]  #? plain
        predictor = forward(weights, np.eye(INPUTS))[-1] - start  #? centered
        error = target - predictor
        error *= INPUT_STD[:, None]  #? std
        losses.append(float((error**2).sum()))
        signals = forward(weights, x)
        output = signals[-1]  #? plain
        output = signals[-1] - x @ start  #? centered
        back = 2 * (output - y) / y.size  #? whole mean
        back = 2 * (output - y)  #? whole sum
        back = (output - y) / y.size  #? half mean
        back = output - y  #? half sum
        forces = [
            gradient + decay * w
            for w, gradient, decay in zip(
                weights, gradients(weights, signals, back), WEIGHT_DECAY, strict=True
            )
        ]
        velocity = [MOMENTUM * v + f for v, f in zip(velocity, forces, strict=True)]  #? momentum
        updates = forces  #? steep
        updates = velocity  #? heavy
        updates = [f + MOMENTUM * v for f, v in zip(forces, velocity, strict=True)]  #? nesterov
        factor = SCHEDULE[step]  #? schedule
        updates = [factor * update for update in updates]  #? schedule
        weights = [w - lr * u for w, lr, u in zip(weights, LR, updates, strict=True)]
    return losses

'''
MAIN = """
if __name__ == "__main__":
    losses = np.mean([train(seed) for seed in range(NETWORKS)], axis=0)
    for step, loss in enumerate(losses):
        print(step, f"{loss:.6f}")
"""
