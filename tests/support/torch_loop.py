"""The loops of ``pytorch_loop.py`` as a user of PyTorch writes them. It needs torch."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset


class Chain(nn.Module):
    """Linear layers, with skip connections in hidden layers if the loop has branches."""

    def __init__(self, loop: dict[str, Any]) -> None:
        super().__init__()
        sizes = [loop["inputs"], *loop["hidden"], loop.get("outputs", 1)]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise(sizes))
        self.branch = loop.get("branch")
        init = loop.get("init", "linear")
        gain = {"gain": loop["gain"]} if "gain" in loop else {}
        for number, layer in enumerate(self.layers):
            name = init[number] if isinstance(init, list) else init
            if name == "xavier_uniform":
                nn.init.xavier_uniform_(layer.weight, **gain)
            elif name == "kaiming_normal":
                nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
            elif name != "linear":
                nn.init.normal_(layer.weight, std=name)

    def forward(self, x: Tensor) -> Tensor:
        first, *hidden, last = self.layers
        x = first(x)
        for layer in hidden:
            x = layer(x) if self.branch is None else x + self.branch * layer(x)
        return last(x)


def excess_losses(seed: int, steps: int, **loop: Any) -> list[float]:
    """Return the test loss against noiseless labels before each step of one network."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(seed)
    scale = loop.get("input_scale", 1.0)
    model = Chain(loop)
    target = torch.randn(loop["inputs"], 1)
    target /= target.norm() * scale
    rates = loop["lr"] if isinstance(loop["lr"], list) else [loop["lr"]] * len(model.layers)
    groups = [
        {"params": layer.parameters(), "lr": lr}
        for layer, lr in zip(model.layers, rates, strict=True)
    ]
    options = {
        name: loop[name] for name in ("momentum", "nesterov", "weight_decay") if name in loop
    }
    optimizer = torch.optim.SGD(groups, **options)
    factors = loop.get("schedule", [1.0])
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: factors[min(step, len(factors) - 1)]
    )
    criterion = nn.MSELoss(reduction=loop.get("reduction", "mean"))
    losses: list[float] = []
    while len(losses) < steps:
        for x, y in loader(target, loop, scale):
            error = target - model(torch.eye(len(target))).detach()
            losses.append(float((error**2).sum()) * scale**2)
            loss = criterion(model(x), y) * (0.5 if loop.get("half") else 1.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
    return losses[:steps]


def loader(target: Tensor, loop: dict[str, Any], scale: float) -> Any:
    """Return the batches of an epoch; the samples of a loop are drawn once."""
    fresh = "samples" not in loop
    if fresh or "dataset" not in loop:
        x = scale * torch.randn(loop.get("samples", loop.get("batch")), len(target))
        y = x @ target
        loop["dataset"] = TensorDataset(x, y + loop.get("noise", 0.0) * torch.randn_like(y))
    dataset = loop["dataset"]
    batch = loop.get("batch", len(dataset))
    if loop.get("order") == "replacement":
        sampler = RandomSampler(dataset, replacement=True, num_samples=len(dataset))
        return DataLoader(dataset, batch_size=batch, sampler=sampler)
    return DataLoader(dataset, batch_size=batch, shuffle=True)
