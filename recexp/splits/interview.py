"""A split in which new users may be asked about some items, which are never targets."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from recexp.data import Dataset, Interactions, Split
from recexp.errors import EmptyPartError
from recexp.params import Size, params
from recexp.splits.base import TEST, TEST_HISTORY, VALIDATION, VALIDATION_HISTORY, Finish
from recexp.splits.sizes import RatioSplitter


@params
class Interview(RatioSplitter):
    """Some users, drawn at random, are new: their rows of the pool items are history, their other rows are asked for.

    Pool items are never targets and never listed, for any model, so all models are evaluated on the same targets. A
    model other than a questionnaire sees the whole history. With test_ratio=0.25, validation_ratio=0.25, pool=1,
    seed=1::

        time  1  2  3  4  5    |   1   2   3   4   5
        anna  p  q  r  s  .    |   p   q   r   s   .
        ben   .  p  q  .  s    |   .   p   q   .   s
        carl  r  .  s  .  p    |  (r)  .  (s)  .  <p>
        dora  .  q  .  t  .    |   .  [q]  .  [t]  .

    Parameters
    ----------
    pool : number of most popular items, by train users, that may be asked about.
    """

    time = "mixed"
    cold_users: ClassVar[bool] = True

    pool: Size

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        parts = self.draw(interactions.n_users, rng=rng)
        labels = parts[interactions.users]
        asked = np.isin(interactions.items, self._pool(interactions, parts))
        for held, history in ((TEST, TEST_HISTORY), (VALIDATION, VALIDATION_HISTORY)):
            labels[(labels == held) & asked] = history
        return labels

    def split_and_finish(self, dataset: Dataset, finish: Finish) -> Iterator[Split]:
        rows = dataset.interactions
        pool = np.sort(self._pool(rows, self.draw(rows.n_users, rng=self.rng)))
        for split in super().split_and_finish(dataset, finish):
            if self.exclude_seen:
                inner = split.validation and _excluding(split.validation, pool)
                split = replace(_excluding(split, pool), validation=inner)
            yield split

    def _pool(self, interactions: Interactions, parts: np.ndarray) -> np.ndarray:
        """Return the pool: the most popular items among users outside the test, whether or not there is validation."""
        train = interactions.take((parts != TEST)[interactions.users])
        pool = train.most_popular(self.pool)
        if len(pool) == len(train.used_items):
            raise EmptyPartError(f"split.pool={self.pool}: train has only {len(pool)} items; choose a smaller pool")
        return pool


def _excluding(split: Split, items: np.ndarray) -> Split:
    """Return the split with the items, int64 ascending, excluded from all lists."""
    b = len(split.queries)
    entries = np.ones(b * len(items), np.float32), np.tile(items, b), np.arange(b + 1) * len(items)
    exclude = sp.csr_array(entries, shape=split.target.shape)
    return replace(split, queries=replace(split.queries, exclude=exclude))
