"""Splits by time: at one point for all, or each user's last rows."""

import logging

import numpy as np

from recexp.data import Interactions
from recexp.errors import DataError
from recexp.params import params
from recexp.splits.base import RowSplitter
from recexp.splits.point_in_time import PointSplitter
from recexp.splits.sizes import NumberOfUser, ShareOfUser

log = logging.getLogger(__name__)


@params
class Temporal(PointSplitter, RowSplitter):
    """All rows before one point in time are train and all later rows are test; nothing after that point is known.

    Rows of the same time stay together, so a part may exceed its ratio. Users who first appear after the point have no
    history and are not queried. With test_ratio=0.3, validation_ratio=0.2::

        time  1  2  3  4  5  6  7    |  1   2   3   4   5   6   7
        anna  p  q  .  r  .  s  .    |  p   q   .   r   .  [s]  .
        ben   .  q  .  p  s  .  .    |  .   q   .   p  (s)  .   .
        carl  .  .  p  .  q  .  r    |  .   .   p   .  (q)  .  [r]
        dora  .  .  .  .  .  p  q    |  .   .   .   .   .  [p] [q]
    """

    time = "point"

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        if interactions.timestamps is None:
            raise DataError(
                "split=temporal needs timestamps and the data has none; name their column with "
                "dataset.columns.timestamp or choose a split that needs no time, such as split=random"
            )
        return self.cut(interactions.timestamps, interactions.per_second)

    def test_begin(self, rows: Interactions, held: np.ndarray) -> int:
        return super().test_begin(rows, held) if self.test_from is None else self.test_from * rows.per_second


@params
class TemporalPerUser(ShareOfUser):
    """Each user's last rows by time go to test, those before to validation: floor(ratio * n) rows, or a fixed number.

    Rows of the same time keep file order. One user's train rows may be later than another's test rows: this does not
    measure how a model performs on the future. A user with too few rows for both parts is only in the test; one with
    too few for the test stays in train. With test_ratio=0.4, validation_ratio=0.2::

        time  1  2  3  4  5  6  7    |  1   2   3   4   5   6   7
        anna  p  q  r  s  t  .  .    |  p   q  (r) [s] [t]  .   .
        ben   .  .  p  q  s  .  .    |  .   .   p   q  [s]  .   .
        carl  .  .  .  .  .  p  q    |  .   .   .   .   .   p   q
    """

    time = "history"

    def order(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return _by_time(interactions)


@params
class LeaveLast(NumberOfUser):
    """The last `test_n` rows of each user by time go to test, the `validation_n` before them to validation.

    Rows of the same time keep file order. A user with too few rows for both parts is only in the test, so validation
    never changes the test; one with too few for the test stays in train. With test_n=1, validation_n=1::

        time  1  2  3  4  5  6  7    |  1   2   3   4   5   6   7
        anna  p  q  r  s  .  .  .    |  p   q  (r) [s]  .   .   .
        ben   .  .  .  p  q  .  .    |  .   .   .   p  [q]  .   .
        carl  .  .  .  .  .  .  p    |  .   .   .   .   .   .   p
    """

    time = "history"

    def order(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return _by_time(interactions)


def _by_time(interactions: Interactions) -> np.ndarray:
    if interactions.timestamps is None:
        log.warning("the data has no timestamps: a user's last rows are the last in the file")
    return interactions.grouped(interactions.users, interactions.n_users)[0]
