"""Compiled counter-based random numbers, determined by key, purpose and place; import inside functions only."""

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.kernels import jit

STEP = np.uint64(0x9E3779B97F4A7C15)
"""What the state of a stream grows by (SplitMix64)."""


@jit(inner=True)
def luck(key, purpose, place):
    """Return a uniform number in (0, 1) for a key, a purpose (>= 0) and a place (>= -1)."""
    state = mixed(key + np.uint64(purpose + 1) * STEP) + np.uint64(place + 2) * STEP
    return (np.float64(mixed(state) >> np.uint64(12)) + 0.5) * 2.0**-52


@jit(inner=True)
def key_of(start, number):
    """Return the key derived from `start` and a number >= 0."""
    return mixed(start + np.uint64(number + 1) * STEP)


@jit
def key_rows(start, visitors, steps, keys):
    """Fill `keys` (b,) with one key for each pair of visitor and step."""
    for r in range(len(keys)):
        keys[r] = key_of(key_of(start, visitors[r]), steps[r])


@jit
def fill(start, stop, keys, purpose, numbers):
    """Fill rows start..stop of float64 `numbers` (b, n) with uniform numbers."""
    for r in range(start, stop):
        for place in range(numbers.shape[1]):
            numbers[r, place] = luck(keys[r], purpose, place)
