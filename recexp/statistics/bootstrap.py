"""Percentile bootstrap of means over users who may own several values (Efron and Tibshirani 1993, chapter 13)."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from recexp import threads

_BLOCK, _ROWS = 2**23, 128
"""Weights (resamples x users) that exist at a time in each thread, 8 MiB, and most resamples."""
_TILE = 512
"""Users whose values and weights are multiplied at once: they stay in a core's cache."""
_MANY = 2**25
"""Draws from which on it pays to load a compiled loop that counts them."""


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
        """Collect float64 (q, c) values of queries owned by int64 (q,) users, numbered from 0; NaN is no value.

        With `counts`, (q, c), values are sums already, of that many.
        """
        owned = np.bincount(owners)
        users = np.flatnonzero(owned)
        if counts is None:
            counts = ~np.isnan(values)
            if counts.all():
                counts = counts[:, :1]
            else:
                values = np.where(counts, values, 0.0)
        if len(users) == len(owners):
            order = np.empty(len(owned), np.int64)
            order[owners] = np.arange(len(owners))
            order = order[users]
            return Means(users, values[order], counts[order].astype(np.float64))
        shape, number = (len(users), len(owners)), (np.cumsum(owned > 0) - 1)[owners]
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
    values = [_Values.of(part, n_users, means) for part in means]
    rows, count = min(_ROWS, max(1, _BLOCK // max(1, n_users))), _counter(n_users * resamples)
    starts, drawing = iter(range(0, resamples, rows)), threading.Lock()
    totals = [np.zeros((resamples, part.sums.shape[1] + part.counts.shape[1])) for part in means]

    def work(first: int, last: int) -> None:
        for _ in range(first, last):
            with drawing:  # in order, so that the number of threads changes nothing
                start = next(starts)
                weights = np.zeros((min(rows, resamples - start), n_users), np.uint8)
                for row in weights:
                    count(rng.integers(0, n_users, n_users, dtype=np.int32), row)
            _add_sums(weights, values, [total[start : start + len(weights)] for total in totals])

    with threadpool_limits(1, "blas"):
        threads.map_rows(work, -(-resamples // rows))
    tail = (1 - confidence) / 2
    ratios = (_ratio(*np.split(total, [part.sums.shape[1]], axis=1)) for part, total in zip(means, totals))
    return [_quantiles(some, [tail, 1 - tail]) for some in ratios]


def _counter(draws: int) -> Callable[[np.ndarray, np.ndarray], None]:
    """Return what adds to counts, uint8 (n,), how often each number is drawn; more than 255 times is no chance."""
    if draws >= _MANY:
        from recexp.statistics.kernels import count

        return count

    def bincount(drawn: np.ndarray, counts: np.ndarray) -> None:
        counts += np.bincount(drawn, minlength=len(counts)).astype(np.uint8)

    return bincount


@dataclass(frozen=True)
class _Values:
    """Sums and counts of users, side by side, for products with weights.

    `within` is the place, among all means, of one over every user that has the very same values for these users.
    """

    users: np.ndarray
    columns: np.ndarray
    ends: np.ndarray
    within: int | None

    @staticmethod
    def of(part: Means, n_users: int, means: Sequence[Means]) -> "_Values":
        columns = np.hstack([part.sums, part.counts])
        ends = np.searchsorted(part.users, np.arange(0, n_users + _TILE, _TILE))
        within = None
        if len(part.users) < n_users:
            same = (place for place, other in enumerate(means) if _holds(other, part, n_users))
            within = next(same, None)
        return _Values(part.users, columns, ends, within)


def _holds(whole: Means, part: Means, n_users: int) -> bool:
    """Return whether `whole` has all users, and for those of `part` the same values."""
    return (
        len(whole.users) == n_users
        and (whole.sums.shape[1], whole.counts.shape[1]) == (part.sums.shape[1], part.counts.shape[1])
        and np.array_equal(whole.sums[part.users], part.sums)
        and np.array_equal(whole.counts[part.users], part.counts)
    )


def _add_sums(weights: np.ndarray, values: list[_Values], totals: list[np.ndarray]) -> None:
    """Add weights @ values, (r, n_users) @ (u, c), to each of `totals`, (r, c); a tile of users at a time."""
    order = sorted(range(len(values)), key=lambda place: values[place].within is not None)
    for tile, at in enumerate(range(0, weights.shape[1], _TILE)):
        drawn = weights[:, at : at + _TILE].astype(np.float64)
        products: dict[int, np.ndarray] = {}
        for place in order:
            part = values[place]
            first, last = part.ends[tile], part.ends[tile + 1]
            if first == last:
                continue
            if part.within is not None and last - first == drawn.shape[1]:
                totals[place] += products[part.within]
                continue
            users = part.users[first:last] - at
            whole = users[-1] - users[0] + 1 == len(users)  # a range of users needs no copy of their weights
            own = drawn[:, users[0] : users[-1] + 1] if whole else drawn[:, users]
            products[place] = own @ part.columns[first:last]
            totals[place] += products[place]


def _quantiles(values: np.ndarray, levels: list[float]) -> np.ndarray:
    if not np.isnan(values).any():
        return np.quantile(values, levels, axis=0)
    some = ~np.isnan(values).all(axis=0)  # a small group may be missing from a resample
    bounds = np.full((len(levels), values.shape[1]), np.nan)
    bounds[:, some] = np.nanquantile(values[:, some], levels, axis=0)
    return bounds


def _ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
