"""TwoTower: users and items as points that features lead to."""

import logging
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.features import all_features
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.base import NeuralModel
from recexp.data import Dataset, Queries
from recexp.params import Fraction, PositiveFloat, PositiveInt, Size, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson

log = logging.getLogger(__name__)


@params
class TwoTower(NeuralModel, FactorModel):
    """score(u, i) = f(u) . g(i): points of length 1 that two stacks of layers make of features and ids.

    Yi et al. (RecSys 2019): softmax over the items of a batch; each logit f . g / temperature is corrected by the
    logarithm of the item's frequency (equations 3 and 6). Each user and item has a vector of its own, which is added to
    those of its features, see `features.all_features`. It is left out with probability `id_dropout`, so that features
    alone place new users and items (as DropoutNet, Volkovs, Yu and Poutanen, NeurIPS 2017). Without any features the
    model learns from ids.

    Time: an epoch is O(nnz (batch_size + layers)). Serves users seen in training or with features, and scores new items
    by their features.

    Parameters
    ----------
    factors : length of the vectors that go into the layers.
    layers : outputs of each layer; the last one's are the points.
    batch_size : training examples per step; an item is told from those of the others.
    temperature : divides the products of points.
    id_dropout : probability of leaving out an id's own vector in training, where there are features.
    """

    batch_size: Annotated[int, Field(ge=2, le=2**31 - 1)]
    factors: Size
    layers: Annotated[list[PositiveInt], Field(min_length=1)]
    temperature: PositiveFloat
    id_dropout: Fraction

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        described = vars(self).get("described_users_")
        return Capabilities(
            needs_history=False,
            known_users_only=described is None or not described.any(),
            vectors=True,
            users_by_features=True,
        )

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        """Return bool (b,): who had rows in train, or has features."""
        return (queries.users >= 0) & (trained | self.described_users_)[queries.users]

    def user_vectors(self, queries: Queries) -> np.ndarray:
        """Return float32 (b, layers[-1]), 0 of unknown users."""
        return self.weights_["users"][queries.users] * (queries.users >= 0)[:, None]

    def item_vectors(self) -> np.ndarray:
        """Return float32 (n_items, layers[-1])."""
        return self.weights_["items"]

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        from recexp.algorithms.neural.networks.modules import Rows
        from recexp.algorithms.neural.networks.towers import TowersLesson

        x = self.matrix(train.interactions)
        features = [all_features(train.users, train.n_users), all_features(train.items, train.n_items)]
        self.described_users_ = np.diff(features[0].indptr) > 0
        if not any(matrix.nnz for matrix in features):
            log.warning("%s has neither user nor item features: two_tower learns from ids alone", train.name)
        return TowersLesson(
            x,
            [Rows(matrix, generator.device) if matrix.nnz else None for matrix in features],
            self.factors,
            self.layers,
            generator,
            learning_rate=self.learning_rate,
            temperature=self.temperature,
            id_dropout=self.id_dropout,
        )
