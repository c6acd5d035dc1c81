"""Random draws for one visitor from that visitor's own stream; import inside functions only.

A different click by one visitor does not affect any other visitor, for any number of threads.
"""

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.kernels import jit

STEP = np.uint64(0x9E3779B97F4A7C15)
"""What the state of a stream grows by (SplitMix64)."""


@jit(inner=True)
def number(s):
    """Return the next number of a stream, uniform in [0, 1)."""
    s.state += STEP
    return np.float64(mixed(s.state) >> np.uint64(11)) * 2.0**-53


@jit(inner=True)
def normal(s):
    """Return a standard normal number (Box and Muller 1958)."""
    return np.sqrt(-2.0 * np.log(1.0 - number(s))) * np.cos(2.0 * np.pi * number(s))


@jit(inner=True)
def draw(s, table, start, stop):
    """Return an index in start..stop - 1, drawn with an alias table whose `other` is relative to start."""
    point = number(s) * (stop - start)
    at = int(point)
    return start + at if point - at < table[start + at].chance else start + table[start + at].other


@jit(inner=True)
def choose(s, weights, total):
    """Return an index into `weights` (n,), drawn with probability proportional to them; `total` is their sum."""
    left = number(s) * total
    for at in range(len(weights) - 1):
        left -= weights[at]
        if left < 0.0:
            return at
    return len(weights) - 1
