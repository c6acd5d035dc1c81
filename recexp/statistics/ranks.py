"""Models over several datasets: ranks, Friedman's and Nemenyi's tests (Demsar, JMLR 2006, section 3.2)."""

import numpy as np

from recexp.statistics.paired import LEAST


def tied_ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks of float64 (m,), 1 for the lowest; equal values share their mean rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each model on each dataset, float64 (n, k), 1 for the highest value; ties share their mean.

    `values` are float64 (n, k): n datasets, k models.
    """
    return np.array([tied_ranks(-row) for row in values])


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return the mean rank of each model, float64 (k,), over the n datasets of `values`, float64 (n, k)."""
    return ranks(values).mean(axis=0)


def friedman(values: np.ndarray) -> tuple[float, float]:
    """Return chi-squared and p-value that k >= 3 models of float64 (n, k) rank alike; ties are corrected for."""
    from scipy.stats import friedmanchisquare

    if (values == values[:, :1]).all():
        return 0.0, 1.0
    found = friedmanchisquare(*values.T)
    return float(found.statistic), max(float(found.pvalue), LEAST)


def critical_difference(k: int, n: int, alpha: float) -> float:
    """Return how far the mean ranks of two of k models over n datasets must be apart to differ (Nemenyi 1963)."""
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - alpha, k, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(k * (k + 1) / (6 * n)))


def cliques(mean_ranks: np.ndarray, difference: float) -> list[list[int]]:
    """Return the largest groups of two or more models whose mean ranks, float64 (k,), are within `difference`."""
    order = np.argsort(mean_ranks, kind="stable")
    found, last = [], -1
    for start in range(len(order)):
        stop = int(np.searchsorted(mean_ranks[order], mean_ranks[order[start]] + difference, side="right"))
        if stop - start > 1 and stop > last:
            found.append(order[start:stop].tolist())
            last = stop
    return found
