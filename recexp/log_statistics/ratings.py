"""What people rate how."""

import numpy as np

from recexp.data import Interactions

MOST = 12
"""Distinct ratings that a scale may have for its shares to be listed one by one."""


def ratings(rows: Interactions) -> dict[str, float]:
    """Return the mean rating, and the share of each value by its name, rating_4.5, where the scale is short."""
    known = rows.values[~np.isnan(rows.values)]
    values, counts = np.unique(known, return_counts=True)
    found = {"rating_mean": float(known.mean(dtype=np.float64))} if len(known) else {}
    if len(values) <= MOST:
        found |= {f"rating_{value:g}": float(count / len(known)) for value, count in zip(values, counts)}
    return found
