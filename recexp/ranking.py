"""From scores to ranked lists: masking, candidates, ties and cut-off exist here and nowhere else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.data import Queries

PAD = -1
"""The item code that fills lists shorter than k."""
STRIP = 2**17
"""Scores that are ranked at once, 512 KiB: they fit in a core's cache."""

CSR = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Sparse rows: where each begins, int64 (n + 1,), and codes int32 and values float32 of their entries."""


@dataclass(frozen=True)
class Lists:
    """b ranked lists of at most k items, best first.

    Attributes
    ----------
    items : int32 (b, k), padded with -1.
    scores : float32 (b, k), padded with -inf.
    """

    items: np.ndarray
    scores: np.ndarray

    @staticmethod
    def empty(b: int, k: int) -> "Lists":
        """Return b lists without items."""
        return Lists(np.full((b, k), PAD, np.int32), np.full((b, k), -np.inf, np.float32))

    def cut(self, k: int) -> "Lists":
        """Return the first k items of each list."""
        return self if self.items.shape[1] <= k else Lists(self.items[:, :k], self.scores[:, :k])


@dataclass(frozen=True)
class Ranking:
    """The one rule by which every model's scores become lists.

    Excluded items and items outside the catalogue are never listed, nor are scores of -inf or NaN. Equal scores are
    ordered by `ties`, a permutation of the items drawn from the run's seed: it knows nothing of the target, so a tie
    can favor no one.

    Attributes
    ----------
    ties : int32 (n_items,), the rank of each item among equals, lower first.
    catalogue : bool (n_items,), which items may be listed.
    """

    ties: np.ndarray
    catalogue: np.ndarray

    @staticmethod
    def draw(n_items: int, catalogue: np.ndarray | None, *, rng: np.random.Generator) -> "Ranking":
        """Return the rule for `n_items` items; a catalogue of None lists them all."""
        ties = rng.permutation(n_items).astype(np.int32)
        return Ranking(ties, np.ones(n_items, bool) if catalogue is None else catalogue)

    def within(self, items: np.ndarray) -> "Ranking":
        """Return the rule that lists some items alone, bool (n_items,), of those that this one lists."""
        return replace(self, catalogue=self.catalogue & items)

    def top_k(self, scores: np.ndarray, queries: Queries, k: int) -> Lists:
        """Return the k best items of each query, given float32 (b, n_items) scores; `scores` is not changed."""
        scores = np.require(scores, np.float32, ["C", "W"])  # one signature to compile
        return self.top_k_of(lambda start, stop: scores[start:stop], queries, k)

    def top_k_of(self, score: Callable[[int, int], np.ndarray], queries: Queries, k: int) -> Lists:
        """Return the k best items of each query, scored a few at a time.

        `score(start, stop)` returns float32 (stop - start, n_items) and is called by several threads at once: scores
        that are ranked while they are in the processor's cache need not go through memory.
        """
        from recexp.kernels import top_k

        b, n_items = len(queries), queries.n_items
        lists = Lists.empty(b, min(k, n_items))
        exclude, candidates = _pattern(queries.exclude, b), _pattern(queries.candidates, b)

        def rows(start: int, stop: int) -> None:
            usable = self.catalogue & (queries.candidates is None)
            for first in range(start, stop, step):
                end = min(first + step, stop)
                scores = score(first, end)
                if scores.shape != (end - first, n_items):  # the kernel would read what lies behind them
                    raise ValueError(f"scores of {scores.shape} are not of {end - first} queries and {n_items} items")
                top_k(
                    0,
                    end - first,
                    scores,
                    exclude[0][first : end + 1],
                    exclude[1],
                    candidates[0][first : end + 1],
                    candidates[1],
                    queries.candidates is not None,
                    self.catalogue,
                    usable,
                    self.ties,
                    lists.items[first:end],
                    lists.scores[first:end],
                )

        step = max(1, STRIP // max(1, n_items))
        threads.map_rows(rows, b)
        return lists

    def top_k_of_product(self, left: CSR, right: CSR, queries: Queries, k: int) -> Lists:
        """Return the same lists as for the scores left @ right, (b, m) @ (m, n_items), without writing out any zero.

        Faster where the product has few entries. Queries must not have candidates.
        """
        from recexp.kernels import top_k_of_product

        b, n_items = len(queries), queries.n_items
        lists = Lists.empty(b, min(k, n_items))
        given = *left, *right, *_pattern(queries.exclude, b), self.catalogue, self.ties, self._by_tie

        def rows(start: int, stop: int) -> None:
            scratch = np.zeros(n_items, np.float32), self.catalogue.copy()
            top_k_of_product(start, stop, *given, *scratch, lists.items, lists.scores)

        threads.map_rows(rows, b)
        return lists

    @cached_property
    def _by_tie(self) -> np.ndarray:
        """int32 (n_items,): the items in the order of `ties`."""
        return np.argsort(self.ties).astype(np.int32)


def _pattern(matrix: sp.csr_array | None, b: int) -> tuple[np.ndarray, np.ndarray]:
    if matrix is None:
        return np.zeros(b + 1, np.int64), np.empty(0, np.int32)
    return np.require(matrix.indptr, np.int64, "W"), np.require(matrix.indices, np.int32, "W")
