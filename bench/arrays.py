"""Weights, samples and labels of one seed: the same numbers that ``lindmft.train`` draws.

The counter-based random numbers (cpp/src/training: philox, normals, arrays, modes) are written
again in NumPy. Every peer of the training benchmark then starts from the same numbers as lindmft,
and its losses can be compared with those of lindmft digit by digit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bits = NDArray[np.uint64]

TARGET, INPUT, NOISE, WEIGHTS = 0, 1, 2, 16  # numbers of the streams
LOW = np.uint64(0xFFFFFFFF)
BLOCK = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """A problem of the reference kind: isotropic full batch, equal widths, plain descent."""

    dim: int
    depth: int
    width: float = 1.0
    alpha: float = 2.0
    noise: float = 0.3
    gamma0: float = 1.0
    lr: float = 0.1

    @property
    def samples(self) -> int:
        return round(self.alpha * self.dim)

    @property
    def layers(self) -> list[int]:
        """Sizes of all layers: D, N_1, ..., N_L."""
        return [self.dim] + [round(self.width * self.dim)] * self.depth


@dataclass(frozen=True)
class Start:
    """All arrays before the first step."""

    W: list[Array]  # l = 0 .. L-1 of (N_{l+1}, N_l)
    readout: Array  # (N_L,)
    X: Array  # (P, D)
    y: Array  # (P,)
    target: Array  # (D,) w*


def philox(seed: int, array: int, first: int, count: int) -> tuple[Bits, Bits]:
    """Return two 64-bit words for each counter first .. first + count - 1 (Philox4x32-10)."""
    counter = np.arange(first, first + count, dtype=np.uint64)
    c = [counter & LOW, counter >> np.uint64(32)]
    c += [np.full(count, array, np.uint64), np.zeros(count, np.uint64)]
    key0, key1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        product0, product1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [
            (product1 >> np.uint64(32)) ^ c[1] ^ np.uint64(key0),
            product1 & LOW,
            (product0 >> np.uint64(32)) ^ c[3] ^ np.uint64(key1),
            product0 & LOW,
        ]
        key0, key1 = (key0 + 0x9E3779B9) & 0xFFFFFFFF, (key1 + 0xBB67AE85) & 0xFFFFFFFF
    return c[1] << np.uint64(32) | c[0], c[3] << np.uint64(32) | c[2]


def one_to_two(bits: Bits) -> Array:
    return (bits >> np.uint64(12) | np.uint64(0x3FF0000000000000)).view(np.float64)


def normals(seed: int, array: int, size: int) -> Array:
    """Return normal numbers by the method of Box and Muller.

    The angle consists of two random signs and a position in a quadrant.
    """
    out = np.empty(size + size % 2)
    for first in range(0, len(out) // 2, BLOCK):
        even, odd = philox(seed, array, first, min(BLOCK, len(out) // 2 - first))
        radius = np.sqrt(-np.log(2.0 - one_to_two(even)))
        phi = (one_to_two(odd << np.uint64(2)) - 1.5) * (np.pi / 2)
        signs = [1.0 - 2.0 * (odd << np.uint64(k) >> np.uint64(63)).astype(float) for k in (0, 1)]
        block = out[2 * first : 2 * (first + len(odd))]
        block[0::2] = signs[0] * radius * (np.cos(phi) - np.sin(phi))
        block[1::2] = signs[1] * radius * (np.cos(phi) + np.sin(phi))
    return out[:size]


def uniforms(seed: int, array: int, size: int) -> Array:
    even, odd = philox(seed, array, 0, (size + 1) // 2)
    return np.stack([one_to_two(even), one_to_two(odd)], axis=1).ravel()[:size] - 1.0


def start(sizes: Sizes, seed: int = 0) -> Start:
    layers = sizes.layers
    W = [
        normals(seed, WEIGHTS + i, layers[i + 1] * layers[i]).reshape(layers[i + 1], layers[i])
        for i in range(sizes.depth)
    ]
    readout = normals(seed, WEIGHTS + sizes.depth, layers[-1])
    X = normals(seed, INPUT, sizes.samples * sizes.dim).reshape(sizes.samples, sizes.dim)
    target = np.where(uniforms(seed, TARGET, sizes.dim) < 0.5, 1.0, -1.0)
    y = X @ target / np.sqrt(sizes.dim) + sizes.noise * normals(seed, NOISE, sizes.samples)
    return Start(W, readout, X, y, target)
