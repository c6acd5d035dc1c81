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
    values = _Values.of(means, n_users)
    rows, count = min(_ROWS, max(1, _BLOCK // max(1, n_users))), _counter(n_users * resamples)
    starts, drawing = iter(range(0, resamples, rows)), threading.Lock()
    totals = np.zeros((resamples, values.width))

    def work(first: int, last: int) -> None:
        for _ in range(first, last):
            with drawing:  # in order, so that the number of threads changes nothing
                start = next(starts)
                weights = np.zeros((min(rows, resamples - start), n_users), np.uint8)
                for row in weights:
                    count(rng.integers(0, n_users, n_users, dtype=np.int32), row)
            values.add_sums(weights, totals[start : start + len(weights)])

    with threadpool_limits(1, "blas"):
        threads.map_rows(work, -(-resamples // rows))
    tail = (1 - confidence) / 2
    sums = (totals[:, place] for place in values.places)
    ratios = (_ratio(*np.split(some, [part.sums.shape[1]], axis=1)) for part, some in zip(means, sums))
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
class _Group:
    """Sums and counts of some of the users, side by side, for products with weights.

    Attributes
    ----------
    users : int64 (u,), ascending.
    columns : float64 (u, c).
    place : where their sums go.
    same : where those means over all users are that have the very same values for these users, or None.
    ends : int64 (tiles + 1,), how many of `users` come before each tile.
    """

    users: np.ndarray
    columns: np.ndarray
    place: slice
    same: slice | None
    ends: np.ndarray


@dataclass(frozen=True)
class _Values:
    """Sums and counts of all means: `columns`, float64 (n_users, w), of those over all users, then the `groups`.

    `places` says which of the `width` sums belong to each of the means.
    """

    columns: np.ndarray
    groups: list[_Group]
    places: list[slice]
    width: int

    @staticmethod
    def of(means: Sequence[Means], n_users: int) -> "_Values":
        whole = [at for at, part in enumerate(means) if len(part.users) == n_users]
        some = [at for at, part in enumerate(means) if len(part.users) < n_users]
        places, width = [slice(0)] * len(means), 0
        for at in whole + some:
            size = means[at].sums.shape[1] + means[at].counts.shape[1]
            places[at], width = slice(width, width + size), width + size
        edges, groups = np.arange(0, n_users + _TILE, _TILE), []
        for part, place in ((means[at], places[at]) for at in some):
            same = next((places[other] for other in whole if _holds(means[other], part)), None)
            ends = np.searchsorted(part.users, edges)
            groups.append(_Group(part.users, np.hstack([part.sums, part.counts]), place, same, ends))
        every = [array for at in whole for array in (means[at].sums, means[at].counts)]
        return _Values(np.hstack([np.zeros((n_users, 0)), *every]), groups, places, width)

    def add_sums(self, weights: np.ndarray, totals: np.ndarray) -> None:
        """Add the products of `weights`, (r, n_users), with all columns to `totals`, (r, width), by tiles of users."""
        room, w = np.empty((len(weights), _TILE)), self.columns.shape[1]
        for tile, at in enumerate(range(0, weights.shape[1], _TILE)):
            of_tile = weights[:, at : at + _TILE]
            drawn = room[:, : of_tile.shape[1]]
            drawn[:] = of_tile
            product = drawn @ self.columns[at : at + _TILE]
            totals[:, :w] += product
            for group in self.groups:
                first, last = group.ends[tile], group.ends[tile + 1]
                if first == last:
                    continue
                if group.same is not None and last - first == drawn.shape[1]:
                    totals[:, group.place] += product[:, group.same]
                    continue
                users = group.users[first:last] - at
                whole = users[-1] - users[0] + 1 == len(users)  # a range of users needs no copy of their weights
                own = drawn[:, users[0] : users[-1] + 1] if whole else drawn[:, users]
                totals[:, group.place] += own @ group.columns[first:last]


def _holds(whole: Means, part: Means) -> bool:
    """Return whether `whole`, of all users, has the same values for those of `part`."""
    return (
        (whole.sums.shape[1], whole.counts.shape[1]) == (part.sums.shape[1], part.counts.shape[1])
        and np.array_equal(whole.sums[part.users], part.sums)
        and np.array_equal(whole.counts[part.users], part.counts)
    )


def _quantiles(values: np.ndarray, levels: list[float]) -> np.ndarray:
    if not np.isnan(values).any():
        return np.quantile(values, levels, axis=0)
    some = ~np.isnan(values).all(axis=0)  # a small group may be missing from a resample
    bounds = np.full((len(levels), values.shape[1]), np.nan)
    bounds[:, some] = np.nanquantile(values[:, some], levels, axis=0)
    return bounds


def _ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
