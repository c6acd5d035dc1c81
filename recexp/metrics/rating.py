"""Errors of predicted ratings, pooled over all held-out rows."""

import numpy as np

from recexp.metrics.base import RatingMetric
from recexp.params import params


@params
class Rmse(RatingMetric):
    """Root of the mean over rows of (predicted rating - actual rating)^2.

    Herlocker et al. (2004, Evaluating CF recommender systems, 4.1). All rows have equal weight, regardless of user;
    rows without an actual rating do not count, and without rows the value is undefined.
    """

    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        return (predicted - actual) ** 2

    def finish(self, mean: np.ndarray) -> np.ndarray:
        return np.sqrt(mean)


@params
class Mae(RatingMetric):
    """Mean over rows of |predicted rating - actual rating| (Herlocker et al. 2004, section 4.1).

    All rows have equal weight, regardless of user; rows without an actual rating do not count, and without rows the
    value is undefined.
    """

    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        return np.abs(predicted - actual)
