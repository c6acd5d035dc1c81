"""Random splits: of each user's rows, or of all rows."""

import numpy as np

from recexp.data import Interactions
from recexp.params import params
from recexp.splits.sizes import NumberOfUser, RatioSplitter, ShareOfUser, shuffled


@params
class RandomPerUser(ShareOfUser):
    """Random rows of each user go to test and others to validation: floor(ratio * n) rows, or a fixed number.

    A user with too few rows stays in train. With test_ratio=0.5, validation_ratio=0.25, seed=1::

        time  1  2  3  4  5  6  7    |   1   2   3   4   5   6   7
        anna  p  q  r  s  t  .  .    |   p  [q] (r) [s]  t   .   .
        ben   .  p  q  .  s  r  .    |   .  (p) [q]  .   s  [r]  .
        carl  .  .  .  .  .  .  p    |   .   .   .   .   .   .   p
    """

    time = "mixed"

    def order(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return shuffled(interactions, rng=rng)


@params
class LeaveRandom(NumberOfUser):
    """`test_n` random rows of each user go to test and `validation_n` others to validation.

    A user with too few rows stays in train. With test_n=1, validation_n=1, seed=1::

        time  1  2  3  4  5  6  7    |   1   2   3   4   5   6   7
        anna  p  q  r  s  t  .  .    |   p  (q)  r  [s]  t   .   .
        ben   .  p  q  .  s  r  .    |   .   p  [q]  .   s  (r)  .
        carl  .  .  .  .  .  .  p    |   .   .   .   .   .   .   p
    """

    time = "mixed"

    def order(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return shuffled(interactions, rng=rng)


@params
class RandomRows(RatioSplitter):
    """A random share of all rows goes to test and another to validation, regardless of user.

    A user without a row in train is not queried. With test_ratio=0.4, validation_ratio=0.2, seed=1::

        time  1  2  3  4  5  6  7    |   1   2   3   4   5   6   7
        anna  p  q  r  s  t  .  .    |  (p) [q] (r) [s]  t   .   .
        ben   .  p  q  .  s  r  .    |   .   p  [q]  .   s  [r]  .
        carl  .  .  .  .  .  .  p    |   .   .   .   .   .   .   p
    """

    time = "mixed"

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return self.draw(len(interactions), rng=rng)
