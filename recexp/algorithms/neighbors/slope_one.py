"""Slope One: how much better than what the user has rated others found an item."""

from typing import Self

import numpy as np

from recexp import threads
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import foresee
from recexp.algorithms.ratings import RatingModel, clipped, group_by_code, rated, unique_queries, user_means
from recexp.data import Dataset, Interactions, Queries
from recexp.params import params

INSTEAD = "algorithm=bias or algorithm=mf, which need no square of the items, or a filter that keeps fewer items"


@params
class SlopeOne(RatingModel):
    """score(u, i) = mean rating of u + mean over j in R of dev_ij, dev_ij = mean of r_vi - r_vj over users v of both.

    The basic scheme P^S1 of Lemire and Maclachlan (SDM 2005), unweighted, as in Surprise. R are the items that u has
    rated, but for i itself, and that somebody has rated together with i. Where there are none the user's mean is
    predicted; the global mean for a user without ratings and, as in Surprise, for an item without. (Surprise cuts
    ratings down to integers; here they are kept.) Predictions are clipped to the range of train, scores are not.

    Serves anyone with a history, seen in training or not. Learns the deviations, sparse and row by row: `begin_` int64
    (n_items + 1,), `others_` int32 and `deviations_` float32, one for each ordered pair of items that a user has rated
    both of (11 million on 80 % of MovieLens 1M); `known_` bool (n_items,), which items have ratings; `mean_`; `range_`
    float32 (2,).

    Time: twice the sum of squared history lengths to fit; a history's rows of deviations to score it. Memory: 8 bytes
    a pair, 8 n_items^2 at most: 110 MB at 3,700 items, 3.2 GB at 20,000 if every two have a common user.
    """

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        from recexp.algorithms.kernels.slope_one import count, deviations

        rows = self._begin(train)
        self.known_ = rows.known_items
        by_item = group_by_code(rows.items, rows.users, rows.values, rows.n_items)
        by_user = group_by_code(rows.users, rows.items, rows.values, rows.n_users)
        n, sizes = rows.n_items, np.zeros(rows.n_items, np.int64)

        def size(start: int, stop: int) -> None:
            count(start, stop, *by_item[:2], *by_user[:2], np.full(n, -1, np.int32), sizes)

        def compare(start: int, stop: int) -> None:
            deviations(start, stop, *by_item, *by_user, *self._matrix, *_sums(n))

        threads.map_rows(size, n)
        foresee("slope_one", f"{n:,} items", memory=8.0 * sizes.sum(), instead=INSTEAD)
        self.begin_ = np.concatenate([[0], np.cumsum(sizes)])
        self.others_, self.deviations_ = np.empty(self.begin_[-1], np.int32), np.empty(self.begin_[-1], np.float32)
        threads.map_rows(compare, n)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        from recexp.algorithms.kernels.slope_one import score

        out, history = np.empty((len(queries), len(self.begin_) - 1), np.float32), _items(queries)
        given = *history, *self._matrix, out
        threads.map_rows(lambda start, stop: score(start, stop, *given, *_sums(out.shape[1])), len(out))
        out += user_means(queries, self.mean_).astype(np.float32)[:, None]
        out[:, ~self.known_] = self.mean_
        return out

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        from recexp.algorithms.kernels.slope_one import predict

        unique, index = unique_queries(history)
        out, items = np.empty(len(rows)), np.require(rows.items, np.int32, ["C", "W"])
        order = np.argsort(items, kind="stable")
        groups = np.append(np.flatnonzero(np.diff(items[order], prepend=-1)), len(order))
        given = (groups, order, items, index, *_items(unique), *self._matrix, out)

        def estimate(start: int, stop: int) -> None:
            predict(start, stop, *given, np.empty(rows.n_items), np.zeros(rows.n_items, bool))

        threads.map_rows(estimate, len(groups) - 1)
        found = np.where(self.known_[items], user_means(unique, self.mean_)[index] + out, self.mean_)
        return clipped(found, self.range_)

    @property
    def _matrix(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.begin_, self.others_, self.deviations_


def _sums(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return zeros in which sums, float64 (n,), and counts, int32 (n,), are worked out."""
    return np.zeros(n), np.zeros(n, np.int32)


def _items(queries: Queries) -> tuple[np.ndarray, np.ndarray]:
    """Return where each query's rated items begin, int64 (b + 1,), and those items, int32."""
    owners, items, _ = rated(queries)
    return np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(queries)))]), items.astype(np.int32)
