"""PredictedRatings: predicted and actual ratings, the input of rating metrics."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recexp.statistics.bootstrap import number_owners


@dataclass(frozen=True)
class PredictedRatings:
    """m held-out rows.

    Attributes
    ----------
    predicted : float64 (m,), finite.
    actual : float64 (m,), NaN where a row has no rating.
    users : int32 (m,), the user of each row.
    """

    predicted: np.ndarray
    actual: np.ndarray
    users: np.ndarray

    @cached_property
    def owners(self) -> np.ndarray:
        """int64 (m,): the owner of each row, 0..u-1."""
        return number_owners(self.users, np.zeros(len(self.users), np.int64))
