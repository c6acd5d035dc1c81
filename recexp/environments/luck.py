"""Common random numbers: each depends only on its purpose, which exposes two policies to the same randomness."""

import numpy as np

from recexp import threads
from recexp.rng import generator


def keys_of(seed: int, name: str, visitors: np.ndarray, steps: np.ndarray | None = None) -> np.ndarray:
    """Return uint64 (b,): the key of each visitor (and step) in the stream `name` of a seed.

    Parameters
    ----------
    visitors, steps : int (b,).
    """
    from recexp.environments.kernels import key_rows

    start = generator(seed, name).integers(2**64, dtype=np.uint64)
    keys = np.empty(len(visitors), np.uint64)
    key_rows(start, visitors, np.zeros_like(visitors) if steps is None else steps, keys)
    return keys


class Luck:
    """Random numbers for a policy: a separate stream for each visitor and step, independent of the rest of the batch.

    Parameters
    ----------
    seed : seed of the run.
    visitors, steps : int (b,), the visitor who is shown a list, and its number among that visitor's lists.
    """

    def __init__(self, seed: int, visitors: np.ndarray, steps: np.ndarray) -> None:
        self._keys = keys_of(seed, "policy", visitors, steps)
        self._calls = 0

    def random(self, n: int) -> np.ndarray:
        """Return float64 (b, n), uniform in (0, 1); each call returns new numbers."""
        from recexp.environments.kernels import fill

        numbers = np.empty((len(self._keys), n))
        threads.map_rows(lambda start, stop: fill(start, stop, self._keys, self._calls, numbers), len(numbers))
        self._calls += 1
        return numbers
