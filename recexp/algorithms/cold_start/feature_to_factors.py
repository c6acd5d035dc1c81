"""FeatureToFactors: new items get the factors that their features suggest."""

import copy
import logging
from dataclasses import replace
from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.cold_start.ridge import above_mean
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.features import FeatureColumns, StopWords, Weights, item_features
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset, Queries
from recexp.errors import DataError
from recexp.params import PositiveFloat, PositiveInt, params

log = logging.getLogger(__name__)

INSTEAD = "fewer algorithm.feature_columns or algorithm.max_features"


def _with_vectors(base: Recommender) -> Recommender:
    if not base.capabilities.vectors:
        raise ValueError(f"{type(base).__name__} has no vectors of users and items; als, svd, nmf and bpr have")
    return base


@params
class FeatureToFactors(FactorModel):
    """score(u, i) = w_u . h_i, with h_i = mean + f_i W for items that fewer than `below` train users have.

    The base learns the vectors w of users and h of items. W maps the features of items to these: it minimises, over the
    other items,

        sum of |h_i - mean - f_i W|^2 + l2 |W|^2

    the attribute-to-factor mapping of Gantner et al. (ICDM 2010, "Learning attribute-to-feature mappings for cold-start
    recommendations") with a linear map fitted by least squares; `mean` is that of these h, f are the features of
    `features.item_features`, rows of length 1. An item without features is at the mean. Serves whom the base serves.

    Time and memory: those of the base, and f^3 + f^2 d to fit W, (f, d). Learns `base_`, the fitted base, and
    `vectors_`, h as float32 (n_items, d).

    Parameters
    ----------
    base : a model that has vectors of users and items.
    feature_columns, weights, max_features, stop_words : see `ContentBased`.
    l2 : weight of the squared norm of W.
    below : items with fewer train users get the vectors that their features suggest; 1: those without any.
    """

    base: Annotated[Recommender, AfterValidator(_with_vectors)]
    feature_columns: FeatureColumns
    weights: Weights
    max_features: PositiveInt | None
    stop_words: StopWords
    l2: PositiveFloat
    below: PositiveInt

    counts_catalogue = True

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        can = vars(self).get("base_", self.base).capabilities
        return replace(can, needs=can.needs | {"item_features"}, predicts=False)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        base = vars(self).get("base_") or copy.deepcopy(self.base)
        self.base_ = base.fit(train, context.of_part("base", context.rng))
        vectors = self.base_.item_vectors().copy()
        fields = self.feature_columns, self.weights, self.max_features, self.stop_words
        features = item_features(train, *fields, context.catalogue)
        known = np.bincount(train.interactions.csr(values=False).indices, minlength=train.n_items) >= self.below
        if not known.any():
            raise DataError(f"algorithm.below: no item has {self.below} train users or more, to learn its factors from")
        new = np.flatnonzero(~known)
        if bare := int((np.diff(features.indptr)[new] == 0).sum()):
            told = "feature_to_factors: %d of %d new items have no features and get the mean of all factors"
            log.warning(told, bare, len(new))
        mean = vectors[known].mean(axis=0, dtype=np.float64)
        weights = above_mean(
            features[known], vectors[known], mean, self.l2, model="feature_to_factors", instead=INSTEAD
        )
        vectors[new] = mean + features[new] @ weights
        self.vectors_ = vectors
        return self

    def user_vectors(self, queries: Queries) -> np.ndarray:
        return self.base_.user_vectors(queries)

    def item_vectors(self) -> np.ndarray:
        return self.vectors_

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        return self.base_.can_answer(queries, trained)

    def check(self) -> None:
        self.base.check()

    def check_device(self, device: str) -> None:
        self.base.check_device(device)
