"""Slices: for whom, and for which items, the lists are good."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recexp.metrics.base import JudgedLists, Metric
from recexp.statistics.bootstrap import Means

_HEAD, _MID = 0.5, 0.8
"""Head items hold the first half of train interactions, mid items the next 30 %, tail items the last 20 %."""
_COLD = 5
"""Users with fewer train rows than this are nearly cold."""


@dataclass(frozen=True)
class Slice:
    """One metric over one group of queries or targets.

    Attributes
    ----------
    slice : what groups: user_activity, user_warmth (queries); item_popularity, item_warmth, target_novelty
        (targets).
    group : the group's label, such as "5-20 rows", "head", "unseen in train".
    size : queries or targets in it.
    metric : for queries a list metric; for targets `found_at_k`, the share of the group's targets that are in the first
        k of their list (pooled over targets, so it is not the mean of each list's recall).
    value, low, high : mean, and the bounds of its bootstrap interval.
    """

    slice: str
    group: str
    size: int
    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """A slice before its intervals are known: `means` has one column a metric."""

    slice: str
    group: str
    size: int
    metrics: list[str]
    means: Means

    def finish(self, bounds: np.ndarray, by_result: Mapping[str, Metric]) -> list[Slice]:
        """Return one Slice a metric, given float64 (2, c) bounds, and the metrics by the names of their results."""
        numbers = np.vstack([self.means.values, bounds]).T
        rows = (
            (name, by_result[name].finish(row) if name in by_result else row)
            for name, row in zip(self.metrics, numbers)
        )
        return [Slice(self.slice, self.group, self.size, name, *row.tolist()) for name, row in rows]


def of_queries(judged: JudgedLists, per_query: Mapping[str, np.ndarray]) -> list[Group]:
    """Group queries, of which float64 (b,) are each metric's values, by length of history (quartiles) and by train
    rows of the user."""
    if not per_query:
        return []
    queries = judged.queries
    values = np.stack(list(per_query.values()), axis=1)
    rows = np.bincount(judged.train.interactions.users, minlength=judged.train.n_users)
    rows = np.where(queries.users >= 0, rows[queries.users], 0)
    groups = {
        "user_activity": _quartiles(queries.lengths),
        "user_warmth": {
            "no train rows": rows == 0,
            f"1-{_COLD - 1} train rows": (rows > 0) & (rows < _COLD),
            f"{_COLD} or more train rows": rows >= _COLD,
        },
    }
    return [
        Group(name, label, int(mask.sum()), list(per_query), Means.of(values[mask], judged.owners[mask]))
        for name, masks in groups.items()
        for label, mask in masks.items()
        if mask.any()
    ]


def of_targets(judged: JudgedLists, cutoffs: list[int]) -> list[Group]:
    """Group the stored entries of the target by their item's train users, and, where what was had may be recommended
    again, by whether it is in the history of the query."""
    target, share, counts = judged.target, judged.share_above, judged.item_counts
    items = {
        "item_popularity": {"head": share < _HEAD, "mid": (share >= _HEAD) & (share < _MID), "tail": share >= _MID},
        "item_warmth": {"seen in train": counts > 0, "unseen in train": counts == 0},
    }
    query, rank = np.nonzero(judged.hits)
    hit = judged.items[query, rank]
    groups = [
        (name, label, members[target.indices], members[hit])
        for name, masks in items.items()
        for label, members in masks.items()
    ]
    if judged.queries.exclude is None:
        begin = np.append(0, np.cumsum(np.count_nonzero(judged.hits, axis=1)))
        hits = sp.csr_array((np.ones(len(hit), bool), hit, begin), shape=target.shape)
        entries, listed = judged.queries.held(target), judged.queries.held(hits)
        groups += [("target_novelty", "had before", entries, listed), ("target_novelty", "new", ~entries, ~listed)]
    metrics, b = [f"found_at_{k}" for k in cutoffs], target.shape[0]
    asks = np.repeat(np.arange(b), np.diff(target.indptr))
    found = []
    for name, label, entries, listed in groups:
        targets = np.bincount(asks[entries], minlength=b)
        if targets.any():
            at = [np.bincount(query[listed & (rank < k)], minlength=b) for k in cutoffs]
            means = Means.of(np.stack(at, axis=1).astype(np.float64), judged.owners, targets[:, None])
            found.append(Group(name, label, int(targets.sum()), metrics, means))
    return found


def _quartiles(lengths: np.ndarray) -> dict[str, np.ndarray]:
    """Cut b lengths into at most four groups of about equal size; equal lengths stay together."""
    edges = np.unique(np.quantile(lengths, [0.25, 0.5, 0.75], method="lower"))
    group = np.searchsorted(edges, lengths, side="left")
    masks = [group == g for g in np.unique(group)]
    return {_label(lengths[mask]): mask for mask in masks}


def _label(lengths: np.ndarray) -> str:
    low, high = lengths.min(), lengths.max()
    return f"{low} rows" if low == high else f"{low}-{high} rows"
