"""UserKNN: what users with a like history have."""

from dataclasses import replace
from typing import Literal, Self

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import SCATTERED, foresee
from recexp.algorithms.neighbors.average import average_of_nearest
from recexp.algorithms.neighbors.knn import KNN
from recexp.algorithms.neighbors.similarity import NeighborSearch, less, means, normalized, squares
from recexp.algorithms.ratings import checked
from recexp.algorithms.sparse_products import lists_of_product, times
from recexp.algorithms.weighting import lengths
from recexp.data import Dataset, Interactions, Queries
from recexp.params import params
from recexp.ranking import Lists, Ranking


@params
class UserKNN(KNN):
    """score(u, j) = sum over v of the k train users nearest to u's history of s(u, v) x_vj.

    User-based collaborative filtering (Herlocker et al., SIGIR 1999, for implicit feedback). X (n_users, n_items) is
    binary, but for similarities that compare ratings. `weighting` replaces X: a user of many items counts less (tfidf,
    bm25), and so does an item of many users (bm25); `weigh_scores` says whether x_vj has weights, too. tfidf
    is one number for all items of a user: a cosine without shrinkage stays as it is, and only what is summed changes.
    The asking user is not his own neighbor. With asymmetric_cosine, `asymmetry` is the share of the asking user's
    norm; with adjusted_cosine, ratings are less the item's mean, with centered_cosine less the user's.

    Which k matters: irspack keeps those nearest to the asking user, as is usual (NDCG@10 .381 on ML-1M, 80/20, all
    ratings positive). With neighbors_of neighbor, the sum is over all v of whom u is one of the k nearest train users,
    or as near: Ferrari Dacrema's code cuts so (.398, and .405 with k 250).

    With an average, score(u, j) = b_uj + sum of s(u, v) (r_vj - b_vj) / sum of s(u, v) over the k users v most similar
    to u among those who rated j, and b_uj where there are none: b is the mean rating (average), the mean of the user
    (average_means; Herlocker et al.) or mean + b_u + b_j (average_baselines; Koren, TKDD 2010, equation 3). These are
    Surprise's KNNBasic, KNNWithMeans and KNNBaseline; as there, an item that nobody has rated gets the mean rating in
    the second. Predictions are clipped to the range of train, scores are not.

    Time: O(nnz) to fit (neighbors_of neighbor: all pairs of users); to score, for each item of a history its users,
    then the items of k users, or for an average the items of all users with a positive similarity. Memory: X twice.
    Serves anyone with a history, seen in training or not. Learns as float32 CSR `rows_`, X as it is summed or for an
    average r - b, and `columns_`, the transpose of what is compared; `squares_` float64 (n_users,); `lengths_` float32
    (n_items,); for neighbors_of neighbor `kth_` float64 (n_users,); for adjusted_cosine `centers_` float32 (n_items,);
    for an average `mean_`, `items_` float32 (n_items,), `range_` float32 (2,).

    Parameters
    ----------
    neighbors_of : "user" keeps the k nearest of the asking user, "neighbor" for each train user. Ignored by averages.
    others : see `KNN`.
    """

    neighbors_of: Literal["user", "neighbor"]

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context, rows = context or FitContext(), train.interactions
        self._foresee(rows)
        if self.capabilities.predicts:
            x, base = self._fit_base(rows, "users")
            self.rows_ = less(x, base, self.items_)
        else:
            x = self.matrix(checked(rows) if self.capabilities.feedback == "value" else rows)
            self.lengths_ = lengths(x, context.catalogue)
            self.rows_, x = self._summed(x), self._weighted(x)
        if self.similarity == "adjusted_cosine":
            self.centers_ = means(x.T.tocsr()).astype(np.float32)
        compared = self._compared(x)
        self.columns_, self.squares_ = compared.T.tocsr(), squares(compared)
        if self.neighbors_of == "neighbor" and not self.capabilities.predicts:
            search = replace(self._search(), asymmetry=1 - self.asymmetry)
            self.kth_ = search.kth(compared, np.arange(train.n_users), self.k)
        return self

    def _foresee(self, rows: Interactions) -> None:
        """Say what it takes to compare each user with all others, here or when all of them ask."""
        n, shared = rows.n_users, float((np.bincount(rows.items).astype(np.float64) ** 2).sum())
        need = 16 * n * threads.count() + 12 * n * self.k + 24 * len(rows)
        instead = "algorithm=item_knn, which compares items, or a filter that keeps fewer users"
        foresee("user_knn", f"{n:,} users", memory=need, operations=SCATTERED * shared + n**2, instead=instead)

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        if self.capabilities.predicts:
            return super().recommend(queries, k, ranking)
        return lists_of_product(self._neighbors(queries), self.rows_, queries, k, ranking)

    def _search(self) -> NeighborSearch:
        return NeighborSearch(self.columns_, self.squares_, self.similarity, self.shrinkage, self.asymmetry)

    def _compared(self, x: sp.csr_array) -> sp.csr_array:
        """Return histories (b, n_items) as the similarity reads them."""
        if self.similarity == "centered_cosine":
            return less(x, means(x), np.zeros(x.shape[1]))
        return less(x, np.zeros(x.shape[0]), self.centers_) if self.similarity == "adjusted_cosine" else x

    def _neighbors(self, queries: Queries) -> sp.csr_array:
        """Return the similarities of each history's neighbors, float32 (b, n_users)."""
        x = self._compared(self._weighted(self.matrix(queries)))
        if self.neighbors_of == "neighbor":
            neighbors = self._search().at_least(self.kth_, x, queries.users)
        else:
            neighbors = self._search().nearest(x, queries.users, self.k)
        return normalized(neighbors) if self.normalize else neighbors

    def _sums(self, queries: Queries) -> np.ndarray:
        return times(self._neighbors(queries), self.rows_)

    def _averages(self, queries: Queries) -> np.ndarray:
        scores = self._base(queries, "users")[:, None] + self.items_
        rows = self._compared(self._ratings(queries))
        if self.aggregate == "average_means":
            scores[:, np.diff(self.columns_.indptr) == 0] = self.mean_
        average_of_nearest(self._search(), rows, queries.users, self.rows_, self.k, scores)
        return scores.astype(np.float32)
