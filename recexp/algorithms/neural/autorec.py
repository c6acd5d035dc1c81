"""AutoRec: an autoencoder of ratings."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.factors import BiasedFactorModel
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.base import NeuralModel
from recexp.algorithms.ratings import rated, rating_matrix, usual_unit
from recexp.algorithms.sparse_products import times
from recexp.data import Dataset, Queries
from recexp.params import NonNegativeFloat, Size, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson


@params
class AutoRec(NeuralModel, BiasedFactorModel):
    """h(r) = W sigmoid(V r + a) + b of a row of ratings, 0 where unknown: an item's, read at u; or a user's, read at i.

    I-AutoRec and U-AutoRec (Sedhain, Menon, Sanner and Xie, WWW 2015, equations 2 to 4) lower the squared errors of
    known ratings plus regularization / 2 (|W|^2 + |V|^2); the paper by resilient propagation, this by Adam over batches
    of rows. Predictions are clipped to the range of train. Ratings of an unusual spread are learned in other units, see
    `ratings.usual_unit`.

    Time: an epoch is O(nnz hidden + n_users n_items hidden). By item it serves users seen in training, by user anyone
    with ratings.

    Parameters
    ----------
    by : whose ratings form a row: item or user.
    hidden : outputs of the inner layer.
    regularization : weight of the squared weights.
    """

    by: Literal["item", "user"]
    hidden: Size
    regularization: NonNegativeFloat

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        known = self.by == "item"
        return replace(BiasedFactorModel.capabilities, known_users_only=known, needs_history=not known)

    @property
    def items_(self) -> np.ndarray:  # type: ignore[override]
        """float32 (n_items, hidden): by item the inner layer of each row, by user W."""
        return self.weights_["items"]

    @property
    def item_biases_(self) -> np.ndarray:  # type: ignore[override]
        """float32 (n_items,): by item 0, by user b."""
        return self.weights_["item_biases"]

    def user_factors(self, queries: Queries) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 (b, hidden) and (b,): by item W and b, by user the inner layer of each history and 0."""
        weights, b = self.weights_, len(queries)
        if self.by == "item":
            known = queries.users >= 0
            effects = np.where(known, weights["user_biases"][queries.users], np.float32(self.mean_))
            return weights["users"][queries.users] * known[:, None], effects
        rows = rating_matrix(*rated(queries), (b, queries.n_items))
        inside = times(rows, weights["reader"]) + weights["reader_bias"]
        return (1 + np.tanh(inside / 2)) / 2, np.zeros(b, np.float32)  # the sigmoid, without overflow

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        from recexp.algorithms.neural.networks.ratings import RatingLesson

        rows = self._begin(train)
        unit = usual_unit(rows)
        x = rating_matrix(rows.users, rows.items, rows.values / unit, (train.n_users, train.n_items))
        return RatingLesson(
            sp.csr_array(x.T) if self.by == "item" else x,
            self.by,
            self.hidden,
            generator,
            mean=self.mean_ / unit,
            unit=unit,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
        )
