"""Random numbers that depend only on their position, not on the order of computation."""

import numpy as np

from recexp.kernels import jit


@jit
def mixed(x):
    """SplitMix64's output function on a uint64 (Steele, Lea and Flood 2014, figure 5)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@jit
def uniform(start, stop, seed, users, out):
    """Fill rows start..stop of float32 `out` with uniform numbers in [0, 1) fixed by (seed, user, item)."""
    step = np.uint64(0x9E3779B97F4A7C15)
    for r in range(start, stop):
        state = mixed(np.uint64(seed) + np.uint64(users[r] + 1) * step)
        for item in range(out.shape[1]):
            state += step
            out[r, item] = np.float32(mixed(state) >> np.uint64(40)) * np.float32(2.0**-24)
