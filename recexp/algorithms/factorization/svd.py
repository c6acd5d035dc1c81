"""SVD: the matrix itself, but for what its leading directions do not explain."""

from typing import Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.checks import check_values
from recexp.algorithms.factorization.singular_vectors import right_singular
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.sparse_products import rows_times, times
from recexp.algorithms.weighting import Weighting, lengths, weighted
from recexp.data import Dataset, Interactions, Queries
from recexp.params import Size, params
from recexp.ranking import Lists, Ranking


@params
class SVD(FactorModel):
    """score(u, .) = x_u V V^T, V the right singular vectors of X with the largest singular values.

    PureSVD (Cremonesi, Koren and Turrin, RecSys 2010, equation 12): what is not rated counts as 0. X (n_users, n_items)
    holds the values of interactions; `weighting` replaces them, in scoring too (see `weighting.weighted`). It is never
    densified. Serves anyone with a history, seen in training or not.

    Time: O(nnz) a step of ARPACK, a few steps a factor, to fit; O(n_items * factors) a query. Memory: X twice, and
    8 (n_users + n_items) * 2 factors bytes while fitting. Learns `vectors_`, V as float32 (n_items, r), r <= factors
    the rank that X allows, and `lengths_` float32 (n_items,).

    Parameters
    ----------
    factors : number of singular vectors kept; limited by the rank of X.
    weighting : weighting of the entries of X.
    """

    factors: Size
    weighting: Weighting

    counts_catalogue = True
    capabilities = Capabilities(feedback="value", vectors=True)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        x = self.matrix(train.interactions)
        self.lengths_ = lengths(x, context.catalogue)
        self.vectors_ = right_singular(weighted(x, self.weighting, self.lengths_), self.factors, rng=context.rng)
        return self

    def user_vectors(self, queries: Queries) -> np.ndarray:
        return times(weighted(self.matrix(queries), self.weighting, self.lengths_), self.vectors_)

    def item_vectors(self) -> np.ndarray:
        return self.vectors_

    def score(self, queries: Queries) -> np.ndarray:
        return times(self._users(queries), self.vectors_.T)

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        return ranking.top_k_of(rows_times(self._users(queries), self.vectors_.T), queries, k)

    def matrix(self, source: Interactions | Queries) -> sp.csr_array:
        x = super().matrix(source)
        check_values(x.data, "svd", negative=True)
        return x

    def _users(self, queries: Queries) -> sp.csr_array:
        """Return `user_vectors` as float32 CSR (b, r).

        As rows of their own, so that a query's scores have the same bits in any block: with all singular vectors of X,
        what a user has not seen scores 0 but for rounding.
        """
        return sp.csr_array(self.user_vectors(queries))
