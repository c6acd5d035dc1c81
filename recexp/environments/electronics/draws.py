"""Random draws of one visitor, from a stream of their own: imported inside functions only.

A different click of one visitor changes nothing for another, however many threads work.
"""

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.kernels import jit

STEP = np.uint64(0x9E3779B97F4A7C15)
"""What the state of a stream grows by (SplitMix64)."""


@jit(inner=True)
def number(state):
    """Return the next number of a stream, uniform in [0, 1)."""
    state[0] += STEP
    return np.float64(mixed(state[0]) >> np.uint64(11)) * 2.0**-53


@jit(inner=True)
def normal(state):
    """Return a standard normal number (Box and Muller 1958)."""
    return np.sqrt(-2.0 * np.log(1.0 - number(state))) * np.cos(2.0 * np.pi * number(state))


@jit(inner=True)
def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


@jit
def alias(weights, chance, other):
    """Fill the alias table of `weights` (n,): `chance` to keep a place drawn uniformly, else `other` (Vose 1991)."""
    n, mean = len(weights), weights.sum() / len(weights)
    small, large, few, many = np.empty(n, np.int64), np.empty(n, np.int64), 0, 0
    for at in range(n):
        chance[at], other[at] = weights[at] / mean, at
        if chance[at] < 1.0:
            small[few] = at
            few += 1
        else:
            large[many] = at
            many += 1
    while few and many:
        few -= 1
        low, high = small[few], large[many - 1]
        other[low] = high
        chance[high] -= 1.0 - chance[low]
        if chance[high] < 1.0:
            many -= 1
            small[few] = high
            few += 1


@jit(inner=True)
def draw(state, chance, other, start, stop):
    """Return a place from start to stop - 1, drawn by an alias table whose `other` counts from start."""
    point = number(state) * (stop - start)
    at = int(point)
    return start + at if point - at < chance[start + at] else start + other[start + at]


@jit(inner=True)
def choose(state, weights, total):
    """Return a position of `weights` (n,), whose sum is `total`, drawn in proportion to them."""
    left = number(state) * total
    for at in range(len(weights) - 1):
        left -= weights[at]
        if left < 0.0:
            return at
    return len(weights) - 1
