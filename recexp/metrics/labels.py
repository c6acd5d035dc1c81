"""Classification metrics: how well predicted probabilities separate label 1 from label 0 over all held-out rows."""

import logging
from collections.abc import Hashable, Sequence
from typing import ClassVar

import numpy as np

from recexp.data import Dataset
from recexp.errors import ConfigError
from recexp.metrics.base import Answers, Measured, RowMetric
from recexp.metrics.predicted_ratings import PredictedRatings
from recexp.params import PositiveInt, params

log = logging.getLogger(__name__)


class LabelMetric(RowMetric):
    """Base of metrics of predicted probabilities: all rows have equal weight; rows without a label have no value."""

    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    pooled: ClassVar[bool] = True

    def remedy(self, name: str, dataset: Dataset) -> str:
        rows = dataset.interactions
        if rows.explicit and len(rows) and (rows.values == rows.values[0]).all():
            return f"every value is {rows.values[0]:g}, and labels of both kinds must be there, 0 and 1"
        return "filter=clicks makes labels of ratings, if the data have a rating column"


@params
class Auc(LabelMetric):
    """Area under the ROC curve: the share of correctly ordered pairs of a positive and a negative row; ties count half.

    Hanley and McNeil (1982). Row values are pseudo-values: their mean is the AUC, and their means by user give the
    variance of Obuchowski (1997, equation 5), which equals that of DeLong et al. (1988) if each user has one row. With
    n rows, n1 positive and n0 negative, a positive row has AUC + n / n1 (V10 - AUC), where V10 is the share of negative
    rows below it; a negative row has AUC + n / n0 (V01 - AUC), where V01 is the share of positive rows above it.
    Without rows of both labels the value is undefined.
    """

    def values(self, rated: PredictedRatings) -> np.ndarray:
        positive, negative = rated.actual == 1, rated.actual == 0
        n1, n0 = int(positive.sum()), int(negative.sum())
        values = np.full(len(rated.actual), np.nan)
        if not n1 or not n0:
            return values
        v10 = _shares_below(rated.predicted[positive], rated.predicted[negative])
        v01 = 1 - _shares_below(rated.predicted[negative], rated.predicted[positive])
        auc, n = v10.mean(), n1 + n0
        values[positive] = auc + n / n1 * (v10 - auc)
        values[negative] = auc + n / n0 * (v01 - auc)
        return values


def _shares_below(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return float64: for each score, the share of `others` below it; ties count half."""
    others = np.sort(others)
    return (np.searchsorted(others, scores, "left") + np.searchsorted(others, scores, "right")) / (2 * len(others))


@params
class Gauc(LabelMetric):
    """Mean AUC within users, weighted by the number of rows of each user.

    Zhu et al. (2017, Optimized cost per click in Taobao display advertising, section 4.1). A score offset that is the
    same in all rows of a user has no effect. Rows of users with only one label have no value; the log counts them.
    """

    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured | None:
        measured = super().measure(answers, cutoffs)
        if measured is not None and measured.owners is not None:
            (values,) = measured.values
            users, known = (len(np.unique(owners)) for owners in (measured.owners, measured.owners[~np.isnan(values)]))
            log.info("gauc: %d of %d users have rows of one label only and are left out", users - known, users)
        return measured

    def values(self, rated: PredictedRatings) -> np.ndarray:
        users = np.unique(rated.users, return_inverse=True)[1]
        values, known = np.full(len(users), np.nan), np.flatnonzero(~np.isnan(rated.actual))
        if len(known):
            values[known] = _aucs_by_user(rated.predicted[known], rated.actual[known], users[known])[users[known]]
        return values

    def stored_columns(self, result: str) -> list[str]:
        return [*super().stored_columns(result), "user_id"]

    def __call__(
        self, predicted: Sequence[float], actual: Sequence[float], users: Sequence[Hashable] | None = None
    ) -> float:
        if users is None:
            raise ConfigError("Gauc needs users=..., whose each row is")
        return super().__call__(predicted, actual, users)


def _aucs_by_user(predicted: np.ndarray, actual: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Return float64 (u,): each user's AUC by the rank sum (Mann and Whitney 1947), NaN if a label is absent."""
    order = np.lexsort((predicted, users))
    owner, score = users[order], predicted[order]
    new = (np.diff(owner, prepend=-1) != 0) | (np.diff(score, prepend=np.nan) != 0)
    first = np.flatnonzero(new)
    tied = np.diff(first, append=len(order))
    ranks = np.repeat(first + (tied + 1) / 2, tied)  # ranks over all rows; the mean rank for equal predictions
    sizes, positive = np.bincount(users), np.bincount(users, actual)
    ranks -= (np.cumsum(sizes) - sizes)[owner]
    above = np.bincount(owner, ranks * actual[order]) - positive * (positive + 1) / 2
    with np.errstate(invalid="ignore"):
        return above / (positive * (sizes - positive))


@params
class LogLoss(LabelMetric):
    """Mean over rows of -log of the probability predicted for the row's label, in nats.

    Good (1952). Probabilities are clipped to within the float64 epsilon of 0 and 1, as in scikit-learn. If predictions
    are not probabilities the value is undefined.
    """

    higher_is_better: ClassVar[bool | None] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    def values(self, rated: PredictedRatings) -> np.ndarray:
        if not _are_probabilities("log_loss", rated.predicted):
            return np.full(len(rated.actual), np.nan)
        epsilon = np.finfo(np.float64).eps
        p = np.clip(rated.predicted, epsilon, 1 - epsilon)
        return np.where(rated.actual == 0, -np.log1p(-p), -np.log(p)) + 0 * rated.actual  # NaN without a label


@params
class CalibrationError(LabelMetric):
    """Expected calibration error: how far predicted probabilities are from the observed shares of label 1.

    Naeini et al. (2015, Obtaining well calibrated probabilities using Bayesian binning), with bins of equal mass: the
    sum over bins of (rows of the bin / rows) |mean prediction - share of label 1|. Equal predictions are in one bin.
    One value per run, without an interval, as resampling inflates it. If predictions are not probabilities the value is
    undefined.

    Parameters
    ----------
    bins : number of bins of equal mass.
    """

    higher_is_better: ClassVar[bool | None] = False

    bins: PositiveInt

    def values(self, rated: PredictedRatings) -> np.ndarray:
        known = ~np.isnan(rated.actual)
        predicted, actual = rated.predicted[known], rated.actual[known]
        if not len(actual) or not _are_probabilities("calibration_error", predicted):
            return np.array([np.nan])
        _, numbers, tied = np.unique(predicted, return_inverse=True, return_counts=True)
        middle = np.cumsum(tied) - (tied + 1) / 2  # the mean rank of equal predictions, from 0
        bins = (middle * self.bins // len(actual)).astype(np.int64)[numbers]
        return np.array([np.abs(np.bincount(bins, predicted - actual)).sum() / len(actual)])

    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured | None:
        return None if answers.ratings is None else Measured([self.values(answers.ratings)], None)

    def stored_table(self, unit: str) -> str | None:
        return None


def _are_probabilities(name: str, predicted: np.ndarray) -> bool:
    """Return whether all predictions are in [0, 1]; logs a warning if they are not."""
    low, high = predicted.min(initial=0), predicted.max(initial=1)
    if low < 0 or high > 1:
        log.warning("%s has no value: predictions from %.4g to %.4g are not probabilities", name, low, high)
        return False
    return True
