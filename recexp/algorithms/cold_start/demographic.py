"""Demographic: recommendations from user features."""

import logging
from typing import Literal, Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.checks import check_not_empty
from recexp.algorithms.cold_start.ridge import above_mean
from recexp.algorithms.features import FeatureColumns
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import foresee
from recexp.algorithms.sparse_products import times
from recexp.data import Column, Dataset, Queries
from recexp.errors import ConfigError, DataError
from recexp.params import PositiveFloat, params

log = logging.getLogger(__name__)

BANDS = 10
"""Different numbers up to which each is a value of its own; more are cut into so many bands of equally many users."""
INSTEAD = "fewer algorithm.columns"


@params
class Demographic(Recommender):
    """score(u, i) = p_i + f_u W_i: the share of users like u who have item i; p_i is the share of all train users.

    method ridge: f_u marks each value that u has in the columns, and W minimizes, over train users and items,

        sum of (x_ui - p_i - f_u W_i)^2 + shrinkage |W|^2

    the linear model of Sedhain et al. (AAAI 2017, "Low-rank linear cold-start recommendation from social data"), of
    full rank and about the mean. method groups: f_u marks u's combination of values alone, the group g of those who
    have the same (demographic filtering: Pazzani, AI Review 1999), and W_g is its shrunk distance from the mean:

        score(u, i) = (n_gi + shrinkage p_i) / (n_g + shrinkage)

    n_g is the number of train users in the group and n_gi the number of those who have the item: the popularity in the
    group, shrunk to that of all users.

    Numeric columns with more than 10 distinct values are binned into deciles of users; missing values are ignored.
    Answers every user: one without known values, or only with values that no train user has, gets the popularity among
    all users. Interactions are binary.

    Time: to fit ridge, O(nnz of f nnz of x) and f^3 + f^2 n_items, f the number of values; groups, O(nnz of x). Memory:
    4 f n_items bytes, of ridge while it is fitted 8 (2 f^2 + 3 f n_items). Learns `features_`, f as float32 CSR
    (n_users, f), `weights_`, W as float32 (f, n_items), and `popularity_`, p as float32 (n_items,).

    Parameters
    ----------
    method : groups or ridge.
    columns : columns of the users table: numbers, categories or (ridge only) lists of categories. None: all of these.
    shrinkage : number of average users added to each group; for ridge, the weight of |W|^2.
    """

    method: Literal["groups", "ridge"]
    columns: FeatureColumns
    shrinkage: PositiveFloat

    capabilities = Capabilities(
        needs_history=False, reads_history=False, needs=frozenset({"user_features"}), users_by_features=True
    )

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        check_not_empty(train.interactions)
        known = np.flatnonzero(train.interactions.known_users)
        values = [_values(train.users[name]) for name in self._names(train)]
        x = self.matrix(train.interactions)[known]
        share = x.sum(axis=0, dtype=np.float64) / len(known)
        features = sp.csr_array(sp.hstack(values)) if self.method == "ridge" else _groups(values)
        seen = features[known]
        matched = features @ (seen.sum(axis=0) > 0) > 0
        if not matched.all():
            log.warning("demographic: %d of %d users share no value with a train user", (~matched).sum(), len(matched))
        if self.method == "ridge":
            self.weights_ = above_mean(seen, x, share, self.shrinkage, model="demographic", instead=INSTEAD)
        else:
            self.weights_ = _shrunk(seen, x, share, self.shrinkage)
        self.features_, self.popularity_ = features, share.astype(np.float32)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        features = self.features_[np.maximum(queries.users, 0)]
        scores = times(features, self.weights_)
        scores[queries.users < 0] = 0
        scores += self.popularity_
        return scores

    def _names(self, train: Dataset) -> list[str]:
        """Return the columns to use. Raises ConfigError, or DataError if there are none."""
        kinds = {"numeric", "price", "category", *(["multi_category"] if self.method == "ridge" else [])}
        usable = sorted(name for name, column in train.users.items() if column.kind in kinds)
        if not usable:
            raise DataError(f"demographic needs a user column of numbers or categories; {train.name} has none")
        if wrong := [name for name in self.columns or [] if name not in usable]:
            given = f"is a {train.users[wrong[0]].kind} column" if wrong[0] in train.users else "is no user column"
            raise ConfigError(
                f"algorithm.columns: {wrong[0]} {given}; method {self.method} can use: {', '.join(usable)}"
            )
        return self.columns or usable


def _values(column: Column) -> sp.csr_array:
    """Return float32 (n, v): 1 for each value of a row, where v is the number of distinct values or bins."""
    if column.kind in ("category", "multi_category"):
        return column.indicators()
    finite = np.isfinite(column.values)
    numbers = column.values[finite]
    distinct = np.unique(numbers)
    if len(distinct) > BANDS:
        distinct = np.unique(np.quantile(numbers, np.arange(BANDS) / BANDS))
    codes = np.searchsorted(distinct, numbers, side="right") - 1
    indptr = np.append(0, np.cumsum(finite))
    return sp.csr_array((np.ones(len(codes), np.float32), codes, indptr), shape=(len(finite), len(distinct)))


def _groups(values: list[sp.csr_array]) -> sp.csr_array:
    """Return float32 (n, groups): 1 for the combination of values of each row; a missing value counts as a value.

    A row with only missing values is in no group.
    """
    codes = np.full((values[0].shape[0], len(values)), -1, np.int32)
    for column, marks in enumerate(values):
        codes[np.diff(marks.indptr) > 0, column] = marks.indices
    groups, group = np.unique(codes, axis=0, return_inverse=True)
    known = (codes >= 0).any(axis=1)
    indptr = np.append(0, np.cumsum(known))
    return sp.csr_array(
        (np.ones(indptr[-1], np.float32), group.ravel()[known], indptr), shape=(len(codes), len(groups))
    )


def _shrunk(seen: sp.csr_array, x: sp.csr_array, share: np.ndarray, shrinkage: float) -> np.ndarray:
    """Return float32 (groups, n_items): each group's shrunk popularity minus the overall popularity."""
    foresee("demographic", f"{seen.shape[1]:,} groups", memory=20.0 * seen.shape[1] * x.shape[1], instead=INSTEAD)
    sizes = seen.sum(axis=0, dtype=np.float64)[:, None]
    above = (seen.T @ x).toarray() - sizes * share
    return (above / (sizes + shrinkage)).astype(np.float32)
