"""Percentile bootstrap of means over users who may own several values (Efron and Tibshirani 1993, chapter 13)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

_BLOCK = 2**21
"""Weights (resamples x users) that exist at a time: 16 MiB."""


@dataclass(frozen=True)
class Means:
    """c means over queries, as ratios of sums over the users who own them.

    Attributes
    ----------
    users : int64 (u,), ascending places of those users among all that are resampled.
    sums, counts : float64 (u, c), each user's sum and number of values; counts may be (u, 1).
    """

    users: np.ndarray
    sums: np.ndarray
    counts: np.ndarray

    @staticmethod
    def of(values: np.ndarray, owners: np.ndarray, counts: np.ndarray | None = None) -> "Means":
        """Collect float64 (q, c) values of queries owned by int64 (q,) users; NaN is no value.

        With `counts`, (q, c), values are sums already, of that many.
        """
        users, number = np.unique(owners, return_inverse=True)
        if counts is None:
            counts = ~np.isnan(values)
            if counts.all():
                counts = counts[:, :1]
            else:
                values = np.where(counts, values, 0.0)
        if len(users) == len(owners):
            order = np.argsort(owners)
            return Means(users, values[order], counts[order].astype(np.float64))
        shape = (len(users), len(owners))
        collect = sp.csr_array((np.ones(len(owners)), (number, np.arange(len(owners)))), shape=shape)
        return Means(users, np.asarray(collect @ values), np.asarray(collect @ counts.astype(np.float64)))

    @property
    def values(self) -> np.ndarray:
        """float64 (c,): the means; NaN where there are no values."""
        sums, counts = (np.ascontiguousarray(part.T).sum(axis=1) for part in (self.sums, self.counts))
        return _ratio(sums, counts)  # of each column alone: along rows the order of a sum would depend on the others


def number_owners(users: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Number the users, int (b,), 0..u-1 by `lengths` of a query of theirs; each unknown one, -1, is one of its own."""
    known = np.where(users >= 0, users, -1 - np.arange(len(users)))
    _, first, owners = np.unique(known, return_index=True, return_inverse=True)
    rank = np.empty_like(first)
    rank[np.argsort(lengths[first], kind="stable")] = np.arange(len(first))
    return rank[owners]


def intervals(
    means: Sequence[Means], n_users: int, *, resamples: int, confidence: float, rng: np.random.Generator
) -> list[np.ndarray]:
    """Return float64 (2, c) for each of `means`: the bounds of their percentile intervals.

    Every resample draws `n_users` users with replacement, the same ones for all means, and takes each user with all
    their values; users, not values, are what is independent.
    """
    drawn = [np.empty((resamples, part.sums.shape[1])) for part in means]
    rows = max(1, _BLOCK // max(1, n_users))
    for start in range(0, resamples, rows):
        r = min(rows, resamples - start)
        weights = np.empty((r, n_users))
        for row, draws in zip(weights, rng.integers(0, n_users, (r, n_users), dtype=np.int32)):
            row[:] = np.bincount(draws, minlength=n_users)
        for part, out in zip(means, drawn):
            first, last = part.users[0], part.users[-1]
            whole = last - first + 1 == len(part.users)  # a range of users needs no copy of their weights
            own = weights[:, first : last + 1] if whole else weights[:, part.users]
            out[start : start + r] = _ratio(own @ part.sums, own @ part.counts)
    tail = (1 - confidence) / 2
    return [_quantiles(values, [tail, 1 - tail]) for values in drawn]


def _quantiles(values: np.ndarray, levels: list[float]) -> np.ndarray:
    if not np.isnan(values).any():
        return np.quantile(values, levels, axis=0)
    some = ~np.isnan(values).all(axis=0)  # a small group may be missing from a resample
    bounds = np.full((len(levels), values.shape[1]), np.nan)
    bounds[:, some] = np.nanquantile(values[:, some], levels, axis=0)
    return bounds


def _ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
