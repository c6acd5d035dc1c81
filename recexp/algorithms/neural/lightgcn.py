"""LightGCN: factors spread over the graph of users and items."""

from typing import TYPE_CHECKING

import numpy as np

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.base import NeuralModel
from recexp.algorithms.sparse_products import times
from recexp.data import Dataset, Queries
from recexp.params import NonNegativeFloat, NonNegativeInt, Size, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson


@params
class LightGCN(NeuralModel, FactorModel):
    """score(u, i) = e_u . e_i, e = the mean over k = 0 to `layers` of A^k e0, A = D^-1/2 [0 X; X^T 0] D^-1/2.

    LightGCN (He et al., SIGIR 2020, equations 3, 7 and 8): vectors e0 are learned by BPR's loss, with half of the
    squared e0 of each pair's user and two items as penalty. An epoch takes each seen pair once, with an unseen item;
    the authors' code draws users uniformly as often. With 0 layers it is matrix factorization.

    A user's vector is computed from the history in the query, except for the user's own e0 / (layers + 1), which
    unknown users do not have. Time: a step spreads all vectors, O(layers nnz factors), so that an epoch is
    O(nnz / batch_size) times that. Serves anyone with a history; with 0 layers users seen in training.

    Parameters
    ----------
    factors : length of the vectors.
    layers : number of propagation steps.
    regularization : weight of the squared e0.
    """

    factors: Size
    layers: NonNegativeInt
    regularization: NonNegativeFloat

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        return Capabilities(needs_history=self.layers > 0, known_users_only=self.layers == 0, vectors=True)

    def user_vectors(self, queries: Queries) -> np.ndarray:
        """Return float32 (b, factors): the user's own part, 0 for unknown users, plus that of the history."""
        own = self.weights_["users"][queries.users] * (queries.users >= 0)[:, None]
        x = self.matrix(queries)
        roots = np.sqrt(np.maximum(np.diff(x.indptr), 1)).astype(np.float32)
        return own + times(x, self.weights_["sent"]) / roots[:, None]

    def item_vectors(self) -> np.ndarray:
        """Return float32 (n_items, factors): e."""
        return self.weights_["items"]

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        from recexp.algorithms.neural.networks.graph import GraphLesson

        x = self.matrix(train.interactions)
        return GraphLesson(
            x,
            self.factors,
            self.layers,
            generator,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
        )
