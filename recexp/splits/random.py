"""Random splits: per user, over all rows."""

import numpy as np

from recexp.data import Interactions
from recexp.params import NonNegativeInt, Share, params
from recexp.splits.base import TEST, TRAIN, VALIDATION, RowSplitter
from recexp.splits.sizes import ranked, sizes


@params
class RandomPerUser(RowSplitter):
    """Of each user's n rows, in random order, the first go to test, the next to validation, the rest to train.

    Sizes are floor(ratio * n) or, where `test_n` or `validation_n` is given, that many rows. ::

        before            ratio 0.5     (a user's single row stays in train)
        a: 1 2 3 4        a: train 2 4   test 1 3
        b: 1 2            b: train 1     test 2
        c: 3              c: train 3
    """

    test_ratio: Share
    validation_ratio: Share
    test_n: NonNegativeInt | None
    validation_n: NonNegativeInt | None

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        key = rng.random(len(interactions))
        rank, n = ranked(interactions.users, interactions.n_users, np.argsort(key))
        test, validation = sizes(n, self)
        labels = np.full(len(interactions), TRAIN, np.int8)
        labels[rank < test + validation] = VALIDATION
        labels[rank < test] = TEST
        return labels
