"""FeatureToFactors: predicts the factors of new items from their features."""

import logging
from dataclasses import replace

import numpy as np

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.cold_start.new_items import NewItems
from recexp.algorithms.cold_start.ridge import above_mean
from recexp.algorithms.features import FeatureColumns, StopWords, Weights, item_features
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset
from recexp.params import PositiveFloat, PositiveInt, params

log = logging.getLogger(__name__)

INSTEAD = "fewer algorithm.feature_columns or algorithm.max_features"


@params
class FeatureToFactors(NewItems):
    """score(u, i) = w_u . h_i, with h_i = mean + f_i W for items that fewer than `below` train users have.

    The base learns the vectors w of users and h of items. W maps the features of items to these: it minimizes, over the
    other items,

        sum of |h_i - mean - f_i W|^2 + l2 |W|^2

    the attribute-to-factor mapping of Gantner et al. (ICDM 2010, "Learning attribute-to-feature mappings for cold-start
    recommendations") with a linear map fitted by least squares; `mean` is that of these h, f are the features of
    `features.item_features`, rows of length 1. An item without features gets the mean. Answers the users the base
    answers.

    Time and memory: those of the base, and f^3 + f^2 d to fit W, (f, d). Learns what `NewItems` does.

    Parameters
    ----------
    base, below : see `NewItems`.
    feature_columns, weights, max_features, stop_words : see `ContentBased`.
    l2 : weight of the squared norm of W.
    """

    feature_columns: FeatureColumns
    weights: Weights
    max_features: PositiveInt | None
    stop_words: StopWords
    l2: PositiveFloat

    counts_catalogue = True

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        can = super().capabilities
        return replace(can, needs=can.needs | {"item_features"})

    def suggested(self, train: Dataset, vectors: np.ndarray, known: np.ndarray, context: FitContext) -> np.ndarray:
        fields = self.feature_columns, self.weights, self.max_features, self.stop_words
        features = item_features(train, *fields, context.catalogue)
        new = features[np.flatnonzero(~known)]
        if bare := int((np.diff(new.indptr) == 0).sum()):
            told = "feature_to_factors: %d of %d new items have no features and get the mean of all factors"
            log.warning(told, bare, new.shape[0])
        mean = vectors[known].mean(axis=0, dtype=np.float64)
        of_known = features[np.flatnonzero(known)], vectors[known]
        suggested: np.ndarray = mean + new @ above_mean(
            *of_known, mean, self.l2, model="feature_to_factors", instead=INSTEAD
        )
        return suggested
