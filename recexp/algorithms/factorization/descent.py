"""What factorizations of ratings by stochastic gradient descent share."""

from collections.abc import Callable

import numpy as np

from recexp.algorithms.base import Report
from recexp.errors import ConfigError


def first_factors(codes: np.ndarray, n: int, factors: int, std: float, rng: np.random.Generator) -> np.ndarray:
    """Return float32 (n, factors) drawn from N(0, std), and zeros for codes that do not occur."""
    drawn = rng.normal(0, std, (n, factors)).astype(np.float32)
    drawn[np.bincount(codes, minlength=n) == 0] = 0
    return drawn


def descend(epoch: Callable[[], float], m: int, iterations: int, learning_rate: float, report: Report) -> None:
    """Call `epoch`, which returns the sum of m squared errors, and report each time their root mean.

    Raises ConfigError when they grow without bounds.
    """
    for step in range(iterations):
        squares = epoch()
        if not np.isfinite(squares):
            raise ConfigError(
                f"algorithm.learning_rate: {learning_rate} is too large for these ratings: errors grow without bounds"
            )
        report(step, {"rmse": float(np.sqrt(squares / m))})
