"""The base of rating models, and their helpers: baselines, ratings of a history, range of predictions."""

import math
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.sparse_products import CSR
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError

USUAL = (0.125, 2.0)
"""Standard deviations of ratings that are learned as they are: that of 1 to 5 stars is about 1."""


class RatingModel(Recommender):
    """Learns from ratings and predicts them. Learns `mean_`, their mean, and `range_`, see `rating_range`."""

    capabilities = Capabilities(feedback="value", needs=frozenset({"ratings"}), predicts=True)

    mean_: float
    range_: np.ndarray

    def _begin(self, train: Dataset) -> Interactions:
        """Return the rows of train, checked, and learn their mean and range; raises DataError."""
        rows = checked(train.interactions)
        self.mean_, self.range_ = mean_rating(rows), rating_range(rows)
        return rows


def checked(rows: Interactions) -> Interactions:
    """Return `rows`; raises DataError if there are none or any rating is not finite."""
    if not len(rows):
        raise DataError("there are no ratings to learn from: train has no rows")
    wrong = ~np.isfinite(rows.values)
    if wrong.any():
        missing = np.isnan(rows.values).any()
        raise DataError(
            f"{wrong.sum()} of {len(rows)} train rows have no finite rating ({rows.values[wrong][0]}); "
            + ("filter=ratings drops rows without one (NaN)" if missing else "correct or remove them in the data")
        )
    return rows


def mean_rating(rows: Interactions) -> float:
    """Return the mean of the values."""
    return float(rows.values.mean(dtype=np.float64))


def rating_range(rows: Interactions) -> np.ndarray:
    """Return float32 (2,): the lowest and the highest rating of train, between which predictions are clipped."""
    return np.array([rows.values.min(), rows.values.max()], np.float32)


def usual_unit(rows: Interactions) -> float:
    """Return the power of 4 that scales the spread of ratings to that of 1 to 5 stars; 1 if it is similar already."""
    spread = float(rows.values.std(dtype=np.float64))
    usual = not spread or USUAL[0] <= spread <= USUAL[1]
    return 1.0 if usual else 4.0 ** math.ceil(math.log(spread / USUAL[1], 4))


def clipped(ratings: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return predicted ratings as float32 within `bounds`, see `rating_range`."""
    within: np.ndarray = np.clip(ratings, *bounds)
    return within.astype(np.float32)


def baselines(
    rows: Interactions, *, user_damping: float, item_damping: float, iterations: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the mean rating and the offsets of users (n_users,) and items (n_items,) from it, float64.

    Minimizes sum (r - mean - b_u - b_i)^2 + user_damping sum b_u^2 + item_damping sum b_i^2 by alternating least
    squares from zeros, items before users in each iteration (Koren, TKDD 2010, section 2.1, as in Surprise):
    b_i = sum over its ratings of (r - mean - b_u) / (item_damping + n_i), then b_u likewise. Codes without rows get 0.
    Time O(iterations * m).
    """
    mean = mean_rating(rows)
    above = rows.values.astype(np.float64) - mean
    users, items = np.zeros(rows.n_users), np.zeros(rows.n_items)
    of_users, of_items = np.bincount(rows.users, minlength=len(users)), np.bincount(rows.items, minlength=len(items))
    for _ in range(iterations):
        items = _damped(rows.items, above - users[rows.users], of_items, item_damping)
        users = _damped(rows.users, above - items[rows.items], of_users, user_damping)
    return mean, users, items


def group_by_code(codes: np.ndarray, others: np.ndarray, values: np.ndarray, n: int) -> CSR:
    """Return rows grouped by code, in file order: group offsets int64 (n + 1,), int32 `others`, float32 `values` (m,).

    Kernels are compiled for this one signature. Repeated pairs stay separate.
    """
    order = np.argsort(codes.astype(np.uint16) if n <= 2**16 else codes, kind="stable")  # 16-bit integers sort faster
    begin = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=n))])
    return begin, np.require(others[order], np.int32, ["C", "W"]), np.require(values[order], np.float32, ["C", "W"])


def rating_matrix(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> sp.csr_array:
    """Return ratings as float32 CSR with sorted indices; repeated ratings of a user and item are averaged."""
    sums = sp.csr_array((values.astype(np.float64), (rows, columns)), shape=shape)
    counts = sp.csr_array((np.ones(len(values)), (rows, columns)), shape=shape)
    for matrix in (sums, counts):
        matrix.sort_indices()
    return sp.csr_array(((sums.data / counts.data).astype(np.float32), sums.indices, sums.indptr), shape=shape)


def rated(history: Queries) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return query, item and rating (float64) of each history row with a rating, query by query.

    A history without ratings, such as the item ids of a request, yields no rows.
    """
    lengths = history.lengths if history.log.explicit else np.zeros(len(history), np.int64)
    ends = np.cumsum(lengths)
    owners = np.repeat(np.arange(len(history)), lengths)
    at = np.repeat(history.start - ends + lengths, lengths) + np.arange(len(owners))
    values = history.log.values[at].astype(np.float64)
    known = np.isfinite(values)
    return owners[known], history.log.items[at[known]], values[known]


def user_means(history: Queries, mean: float) -> np.ndarray:
    """Return float64 (b,): the mean rating of each history, or `mean` if it has no ratings."""
    owners, _, values = rated(history)
    return mean + _damped(owners, values - mean, np.bincount(owners, minlength=len(history)), 0.0)


def user_effects(history: Queries, mean: float, items: np.ndarray, damping: float) -> np.ndarray:
    """Return float64 (b,): the effect of each history's user beyond mean and item effects; 0 without ratings.

    sum over the history of (r - mean - b_i) / (damping + n). For a train user's rows it equals that of `baselines`.
    """
    owners, at, values = rated(history)
    return _damped(owners, values - mean - items[at], np.bincount(owners, minlength=len(history)), damping)


def unique_queries(history: Queries) -> tuple[Queries, np.ndarray]:
    """Return the distinct (user, range) pairs of the queries, and int64 (b,): the index of each query's pair."""
    keys = np.stack([history.users, history.start, history.stop], axis=1)
    order = np.lexsort(keys.T)
    new = np.append(True, (np.diff(keys[order], axis=0) != 0).any(axis=1))[: len(order)]
    index = np.empty(len(order), np.int64)
    index[order] = np.cumsum(new) - 1
    first = order[new]
    asked = replace(history, exclude=None, candidates=None, timestamps=None, context={})
    return asked.take(first), index


def dots(left: np.ndarray, left_codes: np.ndarray, right: np.ndarray, right_codes: np.ndarray) -> np.ndarray:
    """Return float32 (m,): dot products of pairs of rows of two float32 matrices, given by int32 codes.

    The product is 0 if a code is negative.
    """
    from recexp.algorithms.kernels import rating_factors

    codes = [np.require(codes, np.int32, ["C", "W"]) for codes in (left_codes, right_codes)]
    out = np.empty(len(codes[0]), np.float32)
    threads.map_rows(
        lambda start, stop: rating_factors.dots(start, stop, left, codes[0], right, codes[1], out), len(out)
    )
    return out


def _damped(codes: np.ndarray, values: np.ndarray, counts: np.ndarray, damping: float) -> np.ndarray:
    """Return sum / (damping + count) of each code's values; 0 for codes without values."""
    sums = np.bincount(codes, values, minlength=len(counts))
    return sums / np.where(counts > 0, damping + counts, 1)
