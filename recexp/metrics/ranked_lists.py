"""JudgedLists: ranked lists with relevance and queries, the input of list metrics."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.errors import DataError
from recexp.ranking import Lists
from recexp.statistics.bootstrap import number_owners


@dataclass(frozen=True)
class JudgedLists:
    """b ranked lists, judged once for all cutoffs: a cutoff is a slice of their columns.

    Attributes
    ----------
    items : int32 (b, n), ranked items, best first, padded with -1.
    scores : float32 (b, n), the items' scores; NaN if unknown.
    hits : bool (b, n), whether each item is relevant.
    target : float32 (b, n_items) CSR, the relevant items of each query, with their values.
    queries : b queries: user (-1 if unknown), history, time and context of each.
    train : the training data (item counts, features of items and users).
    catalogue : bool (n_items,), the recommendable items.
    test : the held-out rows, including those that make up the target; None if unknown.
    """

    items: np.ndarray
    scores: np.ndarray
    hits: np.ndarray
    target: sp.csr_array
    queries: Queries
    train: Dataset
    catalogue: np.ndarray
    test: Interactions | None = None
    _cache: dict[Hashable, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of(
        lists: Lists,
        target: sp.csr_array,
        queries: Queries,
        train: Dataset,
        catalogue: np.ndarray,
        test: Interactions | None = None,
    ) -> "JudgedLists":
        """Judge b lists against the stored entries of `target`, CSR (b, n_items), regardless of their values."""
        from recexp.metrics.kernels import find_hits

        items = np.ascontiguousarray(lists.items)
        hits = np.empty(items.shape, bool)
        indptr, indices = target.indptr.astype(np.int64), target.indices.astype(np.int32, copy=False)

        def rows(start: int, stop: int) -> None:
            find_hits(start, stop, items, indptr, indices, np.zeros(target.shape[1] + 1, bool), hits)

        threads.map_rows(rows, len(items))
        return JudgedLists(items, lists.scores, hits, target, queries, train, catalogue, test)

    @staticmethod
    def of_ids(
        lists: Sequence[Sequence[Hashable]],
        relevant: Sequence[Collection[Hashable]],
        train: Mapping[Hashable, Collection[Hashable]],
        features: Mapping[Hashable, Collection[str]],
        catalogue: Mapping[Hashable, Any] | None,
    ) -> "JudgedLists":
        """Judge lists of ids for unknown users.

        `train` maps users to items and `features` maps items to names of categories. The keys of `catalogue` are the
        recommendable items; None: all ids that occur.
        """
        mentions = (catalogue or (), features, *train.values(), *lists, *relevant)
        code = {item: c for c, item in enumerate(dict.fromkeys(item for group in mentions for item in group))}
        items = np.full((len(lists), max([1, *map(len, lists)])), -1, np.int32)
        for row, ranked in zip(items, lists, strict=True):
            if len({*ranked}) < len(ranked):
                raise DataError(f"a list contains an item twice: {list(ranked)}")
            row[: len(ranked)] = [code[item] for item in ranked]
        seen = [(user, code[item]) for user, some in enumerate(train.values()) for item in some]
        pairs = np.array(seen, np.int32).reshape(-1, 2)
        log = Interactions(pairs[:, 0], pairs[:, 1], np.ones(len(pairs), np.float32), len(train), len(code))
        table = (
            {"features": Column.multi_category([[*map(str, features.get(item, ()))] for item in code])}
            if features
            else {}
        )
        data = Dataset("plain lists", log, _objects(train), _objects(code), items=table)
        allowed = np.array([catalogue is None or item in catalogue for item in code], bool)
        found = [[code[item] for item in set(wanted)] for wanted in relevant]
        indptr = np.cumsum([0, *map(len, found)])
        flat = np.array([c for row in found for c in row], np.int32)
        target = sp.csr_array((np.ones(len(flat), np.float32), flat, indptr), shape=(len(lists), len(code)))
        nobody, nothing = np.full(len(lists), -1, np.int32), np.zeros(len(lists), np.int64)
        whole = Lists(items, np.full(items.shape, np.nan, np.float32))
        return JudgedLists.of(whole, target, Queries(nobody, log, nothing, nothing), data, allowed)

    def cut(self, k: int) -> "JudgedLists":
        """Return the first k items of each list."""
        if self.items.shape[1] <= k:
            return self
        items, scores, hits = (np.ascontiguousarray(part[:, :k]) for part in (self.items, self.scores, self.hits))
        return replace(self, items=items, scores=scores, hits=hits, _cache={})

    @cached_property
    def owners(self) -> np.ndarray:
        """int64 (b,): the owner of each list, 0..u-1 by length of history; each unknown user is a separate owner."""
        return number_owners(self.queries.users, self.queries.lengths)

    @cached_property
    def relevant(self) -> np.ndarray:
        """int64 (b,): number of relevant items of each query; at least 1 in an evaluation."""
        return np.diff(self.target.indptr).astype(np.int64)

    def cached(self, key: Hashable, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return `compute()`, computed once and shared by all cutoffs and metrics that use `key`."""
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    @cached_property
    def cumulative_hits(self) -> np.ndarray:
        """int32 (b, n): number of relevant items among the first 1, 2, ... n."""
        return np.cumsum(self.hits, axis=1, dtype=np.int32)

    def hits_at(self, k: int) -> np.ndarray:
        """int32 (b,): number of relevant items among the first k."""
        return self.cumulative_hits[:, min(k, self.items.shape[1]) - 1]

    def lengths_at(self, k: int) -> np.ndarray:
        """int64 (b,): number of items in each list cut at k; less than k if the list is padded."""
        return self.cached(("lengths", k), lambda: np.sum(self.items[:, :k] >= 0, axis=1))

    def mean_at(self, k: int, values: np.ndarray) -> np.ndarray:
        """float64 (b,): mean of `values`, (n_items,), over the items of each list cut at k; NaN for empty lists."""
        from recexp.metrics.kernels import sum_values

        sums = np.empty(len(self.items))
        sum_values(self.items, k, np.asarray(values, np.float64), sums)
        lengths = self.lengths_at(k)
        return np.where(lengths > 0, sums / np.maximum(lengths, 1), np.nan)

    def recommended_at(self, k: int) -> np.ndarray:
        """int64 (n_items,): number of lists cut at k that hold each item."""

        def count() -> np.ndarray:
            return np.bincount(self.items[:, :k].ravel() + 1, minlength=len(self.catalogue) + 1)[1:]

        return self.cached(("recommended", k), count)

    @cached_property
    def train_matrix(self) -> sp.csr_array:
        """float32 (n_users, n_items) of ones: the user-item pairs of train."""
        return self.train.interactions.csr(values=False)

    @cached_property
    def item_counts(self) -> np.ndarray:
        """int64 (n_items,): number of distinct train users of each item."""
        return np.bincount(self.train_matrix.indices, minlength=self.train.n_items)

    @cached_property
    def n_train_users(self) -> int:
        """Number of users with at least one train row."""
        return int(np.count_nonzero(np.diff(self.train_matrix.indptr)))

    @cached_property
    def share_above(self) -> np.ndarray:
        """float64 (n_items,): share of train interactions (distinct user-item pairs) held by more popular items.

        Items of equal popularity have equal shares, so groups based on it do not depend on the order of items.
        """
        counts = self.item_counts
        levels, level = np.unique(counts, return_inverse=True)
        held = np.bincount(level) * levels
        return ((held.sum() - np.cumsum(held)) / max(1, held.sum()))[level]


def _objects(ids: Collection[Hashable]) -> np.ndarray:
    array = np.empty(len(ids), dtype=object)
    array[:] = list(ids)
    return array
