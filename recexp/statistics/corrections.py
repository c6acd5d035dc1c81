"""Corrections of p-values for how many comparisons were made; NaN stands for no comparison, and stays.

`m` says how many there were where it is more than those given: others that could have been made, and were passed over
for their values, count as p = 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def holm(p: np.ndarray, m: int | None = None) -> np.ndarray:
    """Return adjusted p-values, float64 (c,): the chance of any false claim among them is held (Holm 1979)."""
    return _adjusted(p, m, lambda ascending, n: np.maximum.accumulate(ascending * np.arange(n, n - len(ascending), -1)))


def benjamini_hochberg(p: np.ndarray, m: int | None = None) -> np.ndarray:
    """Return adjusted p-values, float64 (c,): the share of false claims is held (Benjamini and Hochberg 1995)."""

    def adjust(ascending: np.ndarray, n: int) -> np.ndarray:
        return np.minimum.accumulate((ascending * n / np.arange(1, len(ascending) + 1))[::-1])[::-1]

    return _adjusted(p, m, adjust)


def _adjusted(p: np.ndarray, m: int | None, adjust: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    p = np.asarray(p, np.float64)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN comes last
    found = np.full(p.shape, np.nan)
    found[order] = np.minimum(1.0, adjust(p[order], len(order) if m is None else m))
    return found


@dataclass(frozen=True)
class Correction:
    """A correction and its name as people write it."""

    title: str
    adjust: Callable[[np.ndarray, int | None], np.ndarray]


CORRECTIONS = {"holm": Correction("Holm", holm), "bh": Correction("Benjamini-Hochberg", benjamini_hochberg)}
"""The corrections by name."""
