"""JudgedLists: ranked lists beside what was relevant and who asked, which is all that metrics of lists read."""

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
    """b ranked lists judged once for all cut-offs: a cut-off is a slice of their columns.

    Attributes
    ----------
    items : int32 (b, n), ranked items, best first, padded with -1.
    scores : float32 (b, n), the items' scores; NaN where they are not known.
    hits : bool (b, n), which of them are relevant.
    target : float32 (b, n_items) CSR, what is relevant to each query, with its values.
    queries : b queries: who asked (-1: an unknown user), with which history, when and in what context.
    train : what the model learned from (item counts, features of items and users).
    catalogue : bool (n_items,), which items may be recommended.
    test : the held-out rows, among them those that the target is made of; None where they are not known.
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
        """Judge b lists against the stored entries of `target`, CSR (b, n_items), whatever their values."""
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
        """Judge lists of ids, asked for by no known user; `train` is user -> items, `features` item -> names of its
        categories; the keys of `catalogue` are what it holds, None: all ids there are.
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
        """int64 (b,): whose each list is, 0..u-1 by length of history; each unknown user is one of their own."""
        return number_owners(self.queries.users, self.queries.lengths)

    @cached_property
    def relevant(self) -> np.ndarray:
        """int64 (b,): how many items are relevant to each query; at least 1 in an evaluation."""
        return np.diff(self.target.indptr).astype(np.int64)

    def cached(self, key: Hashable, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return `compute()`, worked out once and shared by all cut-offs and metrics that use `key`."""
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    @cached_property
    def cumulative_hits(self) -> np.ndarray:
        """int32 (b, n): relevant items among the first 1, 2, ... n."""
        return np.cumsum(self.hits, axis=1, dtype=np.int32)

    def hits_at(self, k: int) -> np.ndarray:
        """int32 (b,): relevant items among the first k."""
        return self.cumulative_hits[:, min(k, self.items.shape[1]) - 1]

    def lengths_at(self, k: int) -> np.ndarray:
        """int64 (b,): items in each list cut at k; fewer than k where the list is padded."""
        return self.cached(("lengths", k), lambda: np.sum(self.items[:, :k] >= 0, axis=1))

    def mean_at(self, k: int, values: np.ndarray) -> np.ndarray:
        """float64 (b,): mean of `values`, (n_items,), over the items of each list cut at k; NaN for empty lists."""
        from recexp.metrics.kernels import sum_values

        sums = np.empty(len(self.items))
        sum_values(self.items, k, np.asarray(values, np.float64), sums)
        lengths = self.lengths_at(k)
        return np.where(lengths > 0, sums / np.maximum(lengths, 1), np.nan)

    def recommended_at(self, k: int) -> np.ndarray:
        """int64 (n_items,): lists cut at k that hold each item."""

        def count() -> np.ndarray:
            return np.bincount(self.items[:, :k].ravel() + 1, minlength=len(self.catalogue) + 1)[1:]

        return self.cached(("recommended", k), count)

    @cached_property
    def train_matrix(self) -> sp.csr_array:
        """float32 (n_users, n_items) of ones: who interacted with what in train."""
        return self.train.interactions.csr(values=False)

    @cached_property
    def item_counts(self) -> np.ndarray:
        """int64 (n_items,): distinct train users of each item."""
        return np.bincount(self.train_matrix.indices, minlength=self.train.n_items)

    @cached_property
    def n_train_users(self) -> int:
        """Users with at least one train row."""
        return int(np.count_nonzero(np.diff(self.train_matrix.indptr)))

    @cached_property
    def share_above(self) -> np.ndarray:
        """float64 (n_items,): share of train interactions (distinct user-item pairs) held by more popular items.

        Items of equal popularity have equal shares, so that groups made of it do not depend on the order of items.
        """
        counts = self.item_counts
        levels, level = np.unique(counts, return_inverse=True)
        held = np.bincount(level) * levels
        return ((held.sum() - np.cumsum(held)) / max(1, held.sum()))[level]


def _objects(ids: Collection[Hashable]) -> np.ndarray:
    array = np.empty(len(ids), dtype=object)
    array[:] = list(ids)
    return array
