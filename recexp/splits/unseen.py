"""Splits that hold out users or items entirely."""

import logging
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator

from recexp.data import Interactions
from recexp.errors import EmptyPartError
from recexp.params import OpenFraction, params
from recexp.splits.base import TEST, VALIDATION
from recexp.splits.sizes import RatioSplitter, fold_in, part_of, rows_of_users

log = logging.getLogger(__name__)


def _some(given: int) -> int:
    if given == 0:
        raise ValueError("must not be 0; for users without any shown rows use split=cold_users")
    return given


@params
class UserHoldout(RatioSplitter):
    """Strong generalization: some users are held out; a random share of their rows is history, the rest is asked for.

    Test users are never trained on. Validation users join train before the test. As in Liang et al. (2018),
    "Variational autoencoders for collaborative filtering". With test_ratio=0.25, validation_ratio=0.25,
    fold_in_ratio=0.5, seed=1::

        time  1  2  3  4  5    |   1   2   3   4   5
        anna  p  q  r  s  .    |   p   q   r   s   .
        ben   .  p  q  .  s    |   .   p   q   .   s
        carl  r  .  s  .  p    |  (r)  .  <s>  .  <p>
        dora  .  q  .  t  .    |   .  [q]  .  <t>  .

    Parameters
    ----------
    fold_in_ratio : share of a held-out user's rows, rounded up, that serves as history.
    given : number of history rows, instead of a share (Given-N; Breese et al., UAI 1998): 5 shows five rows and asks
        for the others, -1 shows all but one. Users with no further rows are not queried. None: use the share.
    """

    time = "mixed"

    fold_in_ratio: OpenFraction
    given: Annotated[int, AfterValidator(_some)] | None

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        labels = self.draw(interactions.n_users, rng=rng)[interactions.users]
        n = rows_of_users(interactions)
        asked = part_of(1 - self.fold_in_ratio, n) if self.given is None else self._beyond(n, labels, interactions)
        return fold_in(labels, interactions, asked, rng=rng)

    def rule(self) -> dict[str, Any]:
        unused = "given" if self.given is None else "fold_in_ratio"
        return {name: value for name, value in super().rule().items() if name != unused}

    def _beyond(self, n: np.ndarray, labels: np.ndarray, interactions: Interactions) -> np.ndarray:
        """Return how many of each user's n rows are asked for; raises DataError if no held-out row is."""
        given = self.given or 0
        asked = np.where(n > abs(given), n - given if given > 0 else -given, 0)
        for name, part in (("test", TEST), ("validation", VALIDATION)):
            held = np.unique(interactions.users[labels == part])
            short = held[asked[held] == 0]
            if len(held) and len(short) == len(held):
                raise EmptyPartError(
                    f"split.given={given}: no {name} user has more than {abs(given)} rows, the largest has "
                    f"{n[held].max()}; choose a number closer to 0"
                )
            if len(short):
                told = name, len(short), len(held), abs(given)
                log.info("%s: %d of %d users have no more than %d rows and are not evaluated", *told)
        return asked


@params
class ColdUsers(RatioSplitter):
    """All rows of some users, drawn at random, are asked for; these users have no history.

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

    A user with only held-out items is not queried. With test_ratio=0.25, validation_ratio=0.25, seed=1::

        time  1  2  3  4  5    |   1   2   3   4   5
        anna  p  q  r  s  .    |   p   q  (r) [s]  .
        ben   .  p  q  .  s    |   .   p   q   .  [s]
        carl  r  .  s  .  p    |  (r)  .  [s]  .   p
    """

    time = "mixed"

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return self.draw(interactions.n_items, rng=rng)[interactions.items]
