"""Popularity: the same list for everyone."""

from typing import Self

import numpy as np

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError
from recexp.params import PositiveFloat, params

DAY = 86400.0


@params
class Popularity(Recommender):
    """score(u, i) = sum over the train users v of item i of 0.5^(age of v's last row of i / half-life).

    Without a half-life each user counts 1, and the score is the number of train users of the item. Age is measured from
    the newest row of train. The weights are the exponential time function of Ding and Li (CIKM 2005).

    Time O(m), with a half-life O(m log m); memory O(m). Answers anyone. Learns `counts_`, float32 (n_items,).

    Parameters
    ----------
    half_life_days : age in days at which a user counts half; None: all users count 1, and no times are needed.
    """

    half_life_days: PositiveFloat | None

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        needs = frozenset() if self.half_life_days is None else frozenset({"timestamps"})
        return Capabilities(needs_history=False, reads_history=False, needs=needs)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        items, weights = self.matrix(train.interactions).indices, None
        if self.half_life_days is not None:
            last = _last(train.interactions)
            if last.timestamps is None:
                raise DataError(f"half_life_days needs timestamps, but {train.name} has none")
            items = last.items
            age = (last.timestamps.max(initial=0) - last.timestamps) / (DAY * last.per_second)
            weights = 0.5 ** (age / self.half_life_days)
        self.counts_ = np.bincount(items, weights, minlength=train.n_items).astype(np.float32)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return np.broadcast_to(self.counts_, (len(queries), len(self.counts_)))


def _last(rows: Interactions) -> Interactions:
    """Return the newest row of each user and item."""
    newest = rows.time_order()[::-1]
    keys = rows.users[newest].astype(np.int64) * rows.n_items + rows.items[newest]
    _, first = np.unique(keys, return_index=True)
    return rows.take(newest[first])
