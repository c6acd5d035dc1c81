"""ContentKNN: items similar to the user's history, by their users and their features."""

from typing import Annotated, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from recexp import threads
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.features import FeatureColumns, StopWords, Weights, item_features, unit
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import SCATTERED, foresee
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.sparse_products import compact, times
from recexp.data import Dataset
from recexp.params import PositiveInt, params

STRIP = 2**24
"""Similarities worked on at once, 64 MiB."""


@params
class ContentKNN(ItemItem):
    """score(u, j) = sum over i in u's history of S_ij, S cut to the k items i nearest to each item j.

    S = (1 - content_weight) C + content_weight F F^T: C_ij = |U_i and U_j| / sqrt(|U_i| |U_j|) is the cosine of the
    sets of users of two items, as in ItemKNN, and F F^T the cosine of what is known of them, from
    `features.item_features`; of these only S_ij > 0 count. A linear mix of the two similarities, as Mobasher, Jin and
    Zhou (Semantically enhanced collaborative filtering on the web, 2004). An item that nobody took is reached by its
    features, with content_weight of what they say: unless that is near 1, it comes after most that somebody took.
    Values of interactions do not weigh. Among equals the lower number is nearer.

    Time: as ItemKNN, and for each feature of an item the items that have it (2 n_items^2 for each column of numbers).
    Memory: 8 k n_items bytes, and strips of S. Serves anyone with a history. Learns `weights_`, S cut to neighbors
    as float32 CSR (n_items, n_items), a column for each j.

    Parameters
    ----------
    k : neighbors kept.
    content_weight : weight of the features; 0 is ItemKNN with cosine, 1 ignores the interactions.
    feature_columns : columns of the item table; None: all.
    weights : weights of the columns in item similarity, by name; the default is 1. None: equal weights.
    max_features : number of most frequent words kept per text column; None: all.
    stop_words : words to ignore: english, a list, or None.
    """

    k: PositiveInt
    content_weight: Annotated[float, Field(ge=0, le=1)]
    feature_columns: FeatureColumns
    weights: Weights
    max_features: PositiveInt | None
    stop_words: StopWords

    counts_catalogue = True
    capabilities = Capabilities(needs=frozenset({"item_features"}))

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        catalogue = context.catalogue if context else None
        features = item_features(
            train, self.feature_columns, self.weights, self.max_features, self.stop_words, catalogue
        )
        users = unit(self.matrix(train.interactions).T.tocsr())
        share = np.float32(self.content_weight)
        rows = sp.hstack([users * np.sqrt(1 - share), features * np.sqrt(share)], format="csr")
        n, shared = train.n_items, float((np.bincount(rows.indices).astype(np.float64) ** 2).sum())
        foresee("content_knn", f"{n:,} items", memory=8.0 * n * min(self.k, n), operations=SCATTERED * shared)
        self.weights_ = _nearest(rows, self.k).T.tocsr()
        return self


def _nearest(rows: sp.csr_array, k: int) -> sp.csr_array:
    """Return float32 CSR (n, n): each row's products with the k other rows whose positive product is largest."""
    from recexp.kernels import top_k

    n = rows.shape[0]
    columns, strip = rows.T.tocsr(), max(1, STRIP // max(1, n))
    found, products = np.full((n, min(k, n)), -1, np.int32), np.zeros((n, min(k, n)), np.float32)
    numbers, everything = np.arange(n, dtype=np.int32), np.ones(n, bool)
    nothing = np.zeros(strip + 1, np.int64), np.empty(0, np.int32)
    for start in range(0, n, strip):
        block = slice(start, start + strip)
        scores = times(rows[block], columns)
        itself = np.arange(len(scores) + 1), numbers[block]

        def search(first: int, last: int, block: slice = block, scores=scores, itself=itself) -> None:
            catalogue = everything, everything.copy()
            top_k(first, last, scores, *itself, *nothing, False, *catalogue, numbers, found[block], products[block])

        threads.map_rows(search, len(scores))
    kept = (found >= 0) & (products > 0)
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return compact(sp.csr_array((products[kept], found[kept], indptr), shape=(n, n)))
