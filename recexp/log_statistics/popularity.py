"""How clicks or purchases are spread over items."""

import numpy as np

from recexp.data import Interactions
from recexp.statistics.concentration import gini, top_share

FIRST_RANK, LEAST = 10, 5
"""The ranks and counts that the slope is fitted on: the head is a matter of a few items, the tail of chance."""


def popularity(rows: Interactions) -> dict[str, float]:
    """Return Gini, the share of the top 20 % of items, and the slope, of the items that have a row."""
    counts = np.sort(np.bincount(rows.items))[::-1]
    counts = counts[counts > 0]
    return {"gini": gini(counts), "top_20": top_share(counts, 0.2), "slope": slope(counts)}


def slope(counts: np.ndarray) -> float:
    """Return by which power counts fall with their rank: least squares of log count on log rank, int (n,) descending.

    Fitted on ranks from 10 on, counted from 1, with 5 rows or more; NaN where there are fewer than two such.
    """
    ranks = np.arange(1, len(counts) + 1)
    fitted = (ranks >= FIRST_RANK) & (counts >= LEAST)
    if fitted.sum() < 2:
        return float("nan")
    return -float(np.polyfit(np.log(ranks[fitted]), np.log(counts[fitted]), 1)[0])
