"""Random: random recommendations, the chance level."""

from typing import Self

import numpy as np

from recexp import threads
from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset, Queries
from recexp.params import params


@params
class Random(Recommender):
    """score(u, i) = a uniform number in [0, 1), determined by the seed, the user and the item.

    The numbers are a hash (SplitMix64), so neither the order of queries nor the number of threads changes them.
    Time O(1) to fit, O(b * n_items) to score; memory O(1). Answers anyone; all unknown users get the same list.
    """

    capabilities = Capabilities(needs_history=False, reads_history=False)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        self.seed_ = int(context.rng.integers(2**63))
        return self

    def score(self, queries: Queries) -> np.ndarray:
        from recexp.algorithms.kernels.hashing import uniform

        seed, users = np.uint64(self.seed_), np.require(queries.users, np.int32, ["C", "W"])
        out = np.empty((len(queries), queries.n_items), np.float32)
        threads.map_rows(lambda start, stop: uniform(start, stop, seed, users, out), len(out))
        return out
