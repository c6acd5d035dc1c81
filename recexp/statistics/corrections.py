"""Corrections of p-values for how many comparisons were made; NaN stands for no comparison, and stays."""

from collections.abc import Callable

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Return adjusted p-values, float64 (c,): the chance of any false claim among them is held (Holm 1979)."""
    return _adjusted(p, lambda rising, m: np.maximum.accumulate(rising * np.arange(m, 0, -1)))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return adjusted p-values, float64 (c,): the share of false claims is held (Benjamini and Hochberg 1995)."""

    def adjust(rising: np.ndarray, m: int) -> np.ndarray:
        return np.minimum.accumulate((rising * m / np.arange(1, m + 1))[::-1])[::-1]

    return _adjusted(p, adjust)


def _adjusted(p: np.ndarray, adjust: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    p = np.asarray(p, np.float64)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN comes last
    found = np.full(p.shape, np.nan)
    found[order] = np.minimum(1.0, adjust(p[order], len(order)))
    return found


CORRECTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"holm": holm, "bh": benjamini_hochberg}
"""The corrections by name."""
