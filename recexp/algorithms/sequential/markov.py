"""Markov: what follows the last item."""

from typing import Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.sequential.last_item import LastItem, nearby
from recexp.algorithms.sessions import training_sessions
from recexp.algorithms.sparse_products import rows_times
from recexp.data import Dataset, Queries
from recexp.params import NonNegativeFloat, PositiveInt, params
from recexp.ranking import Lists, Ranking


@params
class Markov(LastItem):
    """score(u, j) = P(j | i) = (n_ij + s p_j) / (n_i + s), where i is the last item of u's history.

    A chain of first order, as the Markov chain of Ludewig and Jannach (Evaluation of session-based recommendation
    algorithms, UMUAI 2018, section 3.1): n_ij counts how often j follows i within a session, at most `steps` rows
    later, n_i sums n_ij over all j, and p_j is the share of j in the training rows. The smoothing s (of Dirichlet) is
    not theirs: it ranks what never followed i by popularity, behind nearly all that did. Without sessions, the rows of
    a user are one session. Repeats of an item count like other transitions.

    Time: steps for each training row to fit, the catalogue for each query to score. Memory: 12 bytes for each pair that
    was seen, at most 12 steps for each row. Serves anyone with a history. Learns `weights_`, n_ij / (n_i + s) as
    float32 CSR (n_items, n_items): (last, next); `unseen_` float32 (n_items,), s / (n_i + s), and `shares_` float32
    (n_items,), p.

    Parameters
    ----------
    steps : how many rows after an item count as its successors; 1 is the Markov chain.
    smoothing : s, in transitions; 0 leaves scores of 0 to what never followed.
    """

    steps: PositiveInt
    smoothing: NonNegativeFloat

    capabilities = Capabilities(needs=frozenset({"order"}))

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        rows, begin = training_sessions(train)
        counts = nearby(rows, begin, np.ones(self.steps), both=False, k=None)
        total = np.maximum(counts.sum(axis=1) + self.smoothing, np.finfo(np.float64).tiny)
        shares = counts.data / np.repeat(total, np.diff(counts.indptr))
        self.weights_ = sp.csr_array((shares.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)
        self.unseen_ = (self.smoothing / total).astype(np.float32)
        self.shares_ = (np.bincount(rows.items, minlength=rows.n_items) / len(rows)).astype(np.float32)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        scores = super().score(queries)
        scores += (self.matrix(queries) @ self.unseen_)[:, None] * self.shares_
        return scores

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        x = self.matrix(queries)
        followed, unseen = rows_times(x, self.weights_), (x @ self.unseen_)[:, None]
        return ranking.top_k_of(
            lambda start, stop: followed(start, stop) + unseen[start:stop] * self.shares_, queries, k
        )
