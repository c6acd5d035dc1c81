"""Named random generators: one seed, independent streams, no global state."""

import zlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of the stream `names` under `seed`.

    The same seed and names give the same stream everywhere; different names give independent ones, so that a new
    consumer of randomness never shifts the draws of another.
    """
    words = [zlib.crc32(name.encode()) for name in names]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))
