"""How far predicted ratings are from the given ones, pooled over all held-out rows."""

import numpy as np

from recexp.metrics.base import RatingMetric
from recexp.params import params


@params
class Rmse(RatingMetric):
    """Root of the mean squared error over rows (Herlocker et al. 2004, Evaluating CF recommender systems, 4.1)."""

    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        return (predicted - actual) ** 2

    def finish(self, mean: np.ndarray) -> np.ndarray:
        return np.sqrt(mean)


@params
class Mae(RatingMetric):
    """Mean absolute error over rows (Herlocker et al. 2004, section 4.1)."""

    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        return np.abs(predicted - actual)
