"""ItemKNN: items similar to those in the user's history."""

from typing import Literal, Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import SCATTERED, foresee
from recexp.algorithms.neighbors.average import average, ranked
from recexp.algorithms.neighbors.knn import KNN
from recexp.algorithms.neighbors.similarity import NeighborSearch, less, means, normalized, squares
from recexp.algorithms.ratings import checked
from recexp.algorithms.sparse_products import lists_of_product, rows_times, times
from recexp.algorithms.weighting import lengths
from recexp.data import Dataset, Queries
from recexp.params import params
from recexp.ranking import Lists, Ranking


@params
class ItemKNN(KNN):
    """score(u, j) = sum over i in u's history of x_ui S_ij, S the item-item similarity cut to k neighbors.

    Item-based collaborative filtering (Sarwar et al., WWW 2001; Deshpande and Karypis, TOIS 2004: their model keeps k
    for each seen item). X (n_users, n_items) is binary, but for similarities that compare ratings. `weighting` replaces
    X: a user of many items counts less (tfidf, bm25), and so does an item of many users (bm25). It does so in scoring
    too, as in Ferrari Dacrema's code; the numbers published with it (TOIS 2021) are met without (`weigh_scores`). With
    asymmetric_cosine, `asymmetry` is the share of the recommended item's norm.

    Which k matters: RecBole, Ferrari Dacrema and we keep those nearest to the target (NDCG@10 .366 on ML-1M, 80/20, all
    ratings positive); implicit, irspack, RecTools and RecPack those nearest to the seen item (.314). An item is not its
    own neighbor; implicit's K includes the item itself, so that its K is our k + 1.

    With `center`, score(u, j) = m_j + sum over all i of (x_ui - m_i) S_ij, where m_i is the mean of item i's entries
    over all users: what is above the items' means, as in BARS' ItemCF.

    With an average, score(u, j) = b_uj + sum of S_ij (r_ui - b_ui) / sum of S_ij over the k items i most similar to j
    that u rated, and b_uj where there are none (Sarwar et al., section 3.2.1): b is the mean rating (average), the mean
    of the item (average_means) or mean + b_u + b_i (average_baselines; Koren, TKDD 2010, equation 3). These are
    Surprise's item-based KNNBasic, KNNWithMeans and KNNBaseline; with centered_cosine, average_means is LensKit's
    ItemKNN of ratings. Predictions are clipped to the range of train, scores are not. Items are compared by the ratings
    of users they share, all users for cosine, centered_cosine, dice, jaccard and dot.

    Time: sum of squared history lengths to fit, k (at most, on average) for each item of a history to score. Memory:
    8 k n_items bytes, never n_items^2. For an average all positive similarities are held, 8 bytes each, and gone
    through for each block of queries. Serves anyone with a history. Learns `weights_`, S as float32 CSR: (seen,
    target), for an average (target, seen) with each row's largest first; `lengths_` float32 (n_items,); with `center`
    `offsets_` float32 (n_items,), m_j less the sum of m_i S_ij; for an average
    `mean_`, `items_` float32 (n_items,), `range_` float32 (2,).

    Parameters
    ----------
    neighbors_of : "target" keeps for each recommended item its k nearest (the best k of each column of S), "seen"
        for each item in the history (the best k of each row). Averages ignore it.
    center : whether sums are of entries less the item's mean.
    others : see `KNN`.
    """

    neighbors_of: Literal["target", "seen"]
    center: bool

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context, rows = context or FitContext(), train.interactions
        n, shared = rows.n_items, float((np.bincount(rows.users).astype(np.float64) ** 2).sum())
        foresee("item_knn", f"{n:,} items", memory=8.0 * n * min(self.k, n), operations=SCATTERED * shared)
        if self.capabilities.predicts:
            x, _ = self._fit_base(rows, "items")
            self.weights_ = ranked(*self._search(x))
            return self
        x = self.matrix(checked(rows) if self.capabilities.feedback == "value" else rows)
        self.lengths_ = lengths(x, context.catalogue)
        neighbors = NeighborSearch.nearest(*self._search(self._weighted(x)), self.k)
        if self.normalize:
            neighbors = normalized(neighbors)
        self.weights_ = neighbors.T.tocsr() if self.neighbors_of == "target" else neighbors
        if self.center:
            m = self._summed(x).sum(axis=0) / max(1, train.n_users)
            self.offsets_ = (m - m @ self.weights_).astype(np.float32)
        return self

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        if self.capabilities.predicts:
            return super().recommend(queries, k, ranking)
        x = self._summed(self.matrix(queries))
        if not self.center:
            return lists_of_product(x, self.weights_, queries, k, ranking)
        product = rows_times(x, self.weights_)
        return ranking.top_k_of(lambda start, stop: product(start, stop) + self.offsets_, queries, k)

    def _search(self, x: sp.csr_array) -> tuple[NeighborSearch, sp.csr_array, np.ndarray]:
        """Return how to find neighbors of items, the items (n_items, n_users), and that each is itself."""
        if self.similarity == "adjusted_cosine":
            x = less(x, means(x), np.zeros(x.shape[1]))
        if self.similarity == "centered_cosine":
            x = less(x, np.zeros(x.shape[0]), means(x.T.tocsr()))
        items, of_target = x.T.tocsr(), self.capabilities.predicts or self.neighbors_of == "target"
        asymmetry = self.asymmetry if of_target else 1 - self.asymmetry
        search = NeighborSearch(x, squares(items), self.similarity, self.shrinkage, asymmetry)
        return search, items, np.arange(len(items.indptr) - 1)

    def _sums(self, queries: Queries) -> np.ndarray:
        scores = times(self._summed(self.matrix(queries)), self.weights_)
        return scores + self.offsets_ if self.center else scores

    def _averages(self, queries: Queries) -> np.ndarray:
        base, ratings = self._base(queries, "items"), self._ratings(queries)
        scores = base + self.items_[:, None].astype(np.float64)  # (n_items, b)
        average(self.weights_, less(ratings, base, self.items_).T.tocsr(), self.k, scores)
        return np.ascontiguousarray(scores.T, np.float32)
