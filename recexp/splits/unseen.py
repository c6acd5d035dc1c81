"""Splits that ask about users or items that train has never seen."""

from typing import ClassVar

import numpy as np

from recexp.data import Interactions
from recexp.params import OpenFraction, params
from recexp.splits.sizes import RatioSplitter, fold_in


@params
class UserHoldout(RatioSplitter):
    """Strong generalization: some users are held out; a random share of their rows is shown, the rest asked for.

    Nothing is learned from a test user. Validation users join train before the test. As in Liang et al. (2018),
    "Variational autoencoders for collaborative filtering". With test_ratio=0.25, validation_ratio=0.25,
    fold_in_ratio=0.5, seed=1::

        time  1  2  3  4  5    |   1   2   3   4   5
        anna  p  q  r  s  .    |   p   q   r   s   .
        ben   .  p  q  .  s    |   .   p   q   .   s
        carl  r  .  s  .  p    |  (r)  .  <s>  .  <p>
        dora  .  q  .  t  .    |   .  [q]  .  <t>  .

    Parameters
    ----------
    fold_in_ratio : share of a held-out user's rows, rounded up, that is shown as history.
    """

    time = "mixed"

    fold_in_ratio: OpenFraction

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        labels = self.draw(interactions.n_users, rng=rng)[interactions.users]
        return fold_in(labels, interactions, self.fold_in_ratio, rng=rng)


@params
class ColdUsers(RatioSplitter):
    """All rows of some users, drawn at random, are asked for, and nothing is known of these users.

    With test_ratio=0.25, validation_ratio=0.25, seed=1::

        time  1  2  3  4  5    |   1   2   3   4   5
        anna  p  q  r  s  .    |   p   q   r   s   .
        ben   .  p  q  .  s    |   .   p   q   .   s
        carl  r  .  s  .  p    |  (r)  .  (s)  .  (p)
        dora  .  q  .  t  .    |   .  [q]  .  [t]  .
    """

    time = "mixed"
    cold_users: ClassVar[bool] = True

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return self.draw(interactions.n_users, rng=rng)[interactions.users]


@params
class ColdItems(RatioSplitter):
    """All rows of some items, drawn at random, are asked for; users keep their other rows as history.

    A user of held-out items alone is not asked. With test_ratio=0.25, validation_ratio=0.25, seed=1::

        time  1  2  3  4  5    |   1   2   3   4   5
        anna  p  q  r  s  .    |   p   q  (r) [s]  .
        ben   .  p  q  .  s    |   .   p   q   .  [s]
        carl  r  .  s  .  p    |  (r)  .  [s]  .   p
    """

    time = "mixed"

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return self.draw(interactions.n_items, rng=rng)[interactions.items]
