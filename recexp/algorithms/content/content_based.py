"""Content-based filtering: items with features like those the user liked."""

from itertools import pairwise
from typing import Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.checks import check_values
from recexp.algorithms.features import FeatureColumns, StopWords, Weights, item_features, unit
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.ratings import clipped, mean_rating, rated, rating_range, unique_queries, user_effects
from recexp.algorithms.sparse_products import times
from recexp.data import Dataset, Interactions, Queries
from recexp.params import NonNegativeFloat, PositiveInt, params

DENSE = 2**22
"""Numbers held at once of profiles written out, 16 MiB."""
NOTHING = 1e-6
"""A weight, or the length of a mean of unit vectors, below this is rounding and counts as 0."""


@params
class ContentBased(Recommender):
    """score(u, j) = cos(p_u, f_j), p_u = sum over i in u's history of w_ui f_i, divided by sum of |w_ui|.

    Rocchio's profile of what was liked less what was not (Pazzani and Billsus, The Adaptive Web, 2007, chapter 10,
    section "Relevance Feedback and Rocchio's Algorithm"), over the features f of `features.item_features`. With ratings
    w_ui = r_ui - mean - b_u, b_u = sum of (r_ui - mean) over u's history / (damping + their number): negative for what
    u dislikes; a row without a rating weighs 0. Otherwise the weights are the values of the interactions (1, counts).
    A history whose weights are all 0 (all ratings are equal) says nothing in this way and counts each of its items 1.

    Predicts r(u, j) = mean + b_u + slope * cos(p_u, f_j), clipped to the ratings of train; the slope is fitted to the
    train rows by least squares, each of them left out of its own user's profile and b_u. Fitted without ratings,
    `predict` gives the cosine.

    Time: nnz of the history's features to make a profile, and for each feature in it the items that have it. Memory:
    the item features twice, and sparse profiles. Serves anyone with a history, and recommends any item that has
    features, rated or not; an item (or a history) without features scores 0. Learns `items_`, the features as float32
    CSR (n_items, n_features) with rows of length 1, and `by_feature_`, their transpose; `mean_`, `slope_`, and
    `range_`, float32 (2,).

    Parameters
    ----------
    feature_columns : columns of the item table; None: all.
    weights : weights of the columns in item similarity, by name; the default is 1. None: equal weights.
    max_features : number of most frequent words kept per text column; None: all.
    stop_words : words to ignore: english, a list, or None.
    damping : number of ratings at the mean added to each history; 0 treats the user's own mean as neutral, a large
        value the global mean.
    """

    feature_columns: FeatureColumns
    weights: Weights
    max_features: PositiveInt | None
    stop_words: StopWords
    damping: NonNegativeFloat

    counts_catalogue = True
    capabilities = Capabilities(feedback="value", needs=frozenset({"item_features"}), predicts=True)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        check_values(train.interactions.values, "content_based", negative=True, missing=True)
        catalogue = context.catalogue if context else None
        self.items_ = item_features(
            train, self.feature_columns, self.weights, self.max_features, self.stop_words, catalogue
        )
        self.by_feature_ = self.items_.T.tocsr()
        self.mean_, self.slope_, self.range_ = 0.0, 1.0, np.array([-1, 1], np.float32)
        rows = train.interactions
        rows = rows.take(~np.isnan(rows.values))
        if rows.explicit and len(rows):
            self.mean_, self.range_ = mean_rating(rows), rating_range(rows)
            self.slope_ = self._slope(rows)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return times(unit(self._profiles(queries)), self.by_feature_)

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        unique, index = unique_queries(history)
        cosines = _products(unit(self._profiles(unique)), self.items_, index, rows.items)
        return clipped((self.mean_ + self._effects(unique))[index] + self.slope_ * cosines, self.range_)

    def _effects(self, queries: Queries) -> np.ndarray:
        """Return float64 (b,): b_u of each query."""
        return user_effects(queries, self.mean_, np.zeros(queries.n_items), self.damping)

    def _profiles(self, queries: Queries) -> sp.csr_array:
        """Return float64 (b, n_features): the mean of the features of each history's items by their weights."""
        likes = self._likes(queries)
        total = abs(likes).sum(axis=1)
        likes.data /= np.repeat(np.where(total > 0, total, 1), np.diff(likes.indptr))
        profiles = likes @ self.items_
        lengths = np.sqrt(profiles.power(2).sum(axis=1))
        profiles.data[np.repeat(lengths < NOTHING, np.diff(profiles.indptr))] = 0
        return profiles

    def _likes(self, queries: Queries) -> sp.csr_array:
        """Return float64 (b, n_items): the weight of each item in each history."""
        if queries.log.explicit:
            owners, items, ratings = rated(queries)
            weights = ratings - self.mean_ - self._effects(queries)[owners]
        else:
            given = queries.history(values=True).tocoo()
            owners, items, weights = given.row, given.col, np.nan_to_num(given.data.astype(np.float64))
        weights = np.where(np.abs(weights) < NOTHING, 0, weights)
        told = np.bincount(owners, np.abs(weights), minlength=len(queries)) > 0
        rest = queries.take(np.flatnonzero(~told)).history(values=False).tocoo()
        owners = np.concatenate([owners, np.flatnonzero(~told)[rest.row]])
        items, weights = np.concatenate([items, rest.col]), np.concatenate([weights, rest.data])
        return sp.csr_array((weights, (owners, items)), shape=(len(queries), queries.n_items))

    def _slope(self, rows: Interactions) -> float:
        """Return the slope of ratings above the user's mean over the cosine; both exclude the rating itself."""
        queries = Queries.of_users(np.arange(rows.n_users, dtype=np.int32), rows, exclude_seen=False)
        owners, items, ratings = rated(queries)
        effects, likes = self._effects(queries), self._likes(queries)
        above = ratings - self.mean_
        weights = above - effects[owners]
        profiles = likes @ self.items_
        squares = profiles.power(2).sum(axis=1)[owners]
        own = weights * self.items_.power(2).sum(axis=1)[items]
        products = _products(profiles, self.items_, owners, items)
        squares = squares - 2 * weights * products + weights * own
        cosines = (products - own) / np.sqrt(np.where(squares > NOTHING, squares, np.inf))
        sizes = np.bincount(owners, minlength=len(queries))[owners] + self.damping
        others = (sizes * effects[owners] - above) / np.where(sizes > 1, sizes - 1, np.inf)
        return float(cosines @ (above - others) / max(cosines @ cosines, NOTHING))


def _products(profiles: sp.csr_array, items: sp.csr_array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return float64 (m,): the product of profile rows[r] (b, n_features) and item columns[r] (n_items, n_features)."""
    out, order = np.zeros(len(rows)), np.argsort(rows, kind="stable")
    step = max(1, DENSE // max(1, profiles.shape[1]))
    ends = np.searchsorted(rows[order], np.arange(0, profiles.shape[0] + step, step))
    for block, (begin, end) in enumerate(pairwise(ends)):
        at = order[begin:end]
        dense = profiles[block * step : (block + 1) * step].toarray()
        features = items[columns[at]]
        pair = np.repeat(np.arange(len(at)), np.diff(features.indptr))
        terms = dense[rows[at][pair] - block * step, features.indices] * features.data
        out[at] = np.bincount(pair, terms, minlength=len(at))
    return out
