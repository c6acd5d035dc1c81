"""How unevenly counts are spread."""

import numpy as np


def gini(counts: np.ndarray) -> float:
    """Return sum over j = 1..n of (2 j - n - 1) p(j) / (n - 1), p ascending shares: 0 is even, 1 is one alone.

    `counts` are (n,) and not negative; NaN where all are 0.
    """
    ascending = np.sort(counts)
    n, total = len(ascending), ascending.sum()
    if not total:
        return float("nan")
    return float((2 * np.arange(1, n + 1) - n - 1) @ ascending / total / max(1, n - 1))


def top_share(amounts: np.ndarray, share: float) -> float:
    """Return what part of the sum of `amounts` (n,) the largest have: that `share` of n, rounded up; NaN where it is 0.

    >>> round(top_share(np.array([1.0, 5.0, 2.0, 1.0, 1.0]), 0.2), 3)
    0.5
    """
    descending = np.sort(amounts)[::-1]
    total = descending.sum()
    return float(descending[: int(np.ceil(share * len(descending)))].sum() / total) if total else float("nan")
