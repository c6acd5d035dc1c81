"""PairModel: what networks that are asked about pairs of user and item share."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import AfterValidator, Field

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.base import NeuralModel
from recexp.data import Dataset, Queries
from recexp.params import PositiveInt, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.networks.pairs import PairLesson, PairNetwork


def even_first(layers: list[int]) -> list[int]:
    """Return the layers; raises ValueError unless the first can be halved."""
    if layers[0] % 2:
        raise ValueError(f"the first must be even: half of it is a user's vector, half an item's (got {layers[0]})")
    return layers


HalvedLayers = Annotated[list[PositiveInt], Field(min_length=2), AfterValidator(even_first)]
"""The numbers that go into each of some layers, the first of which takes two vectors side by side."""


def split_layers(layers: list[int]) -> tuple[int, list[int]]:
    """Return the length of the vectors, and the outputs of each layer."""
    return layers[0] // 2, layers[1:]


@params
class PairModel(NeuralModel):
    """score(u, i) = the logit of the probability that a pair is a seen one, see `networks.pairs.PairNetwork`.

    It learns by log loss from each seen pair (label 1) and `negatives` unseen ones (label 0), drawn uniformly in each
    epoch (He et al., WWW 2017, equation 7). With `features` a user's vector is that of the user plus one for each
    feature of the user, and likewise an item's: all columns of the side tables, see `features.all_features`.

    Time: an epoch is O((1 + negatives) nnz) pairs. Serves users seen in training alone.

    Parameters
    ----------
    negatives : unseen pairs for each seen one.
    features : whether columns of users and items add to the vectors.
    """

    negatives: PositiveInt
    features: bool

    capabilities = Capabilities(needs_history=False, known_users_only=True)

    @abstractmethod
    def _shape(self) -> tuple[int, int, list[int]]:
        """Return factors, width and hidden of the network."""

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "PairLesson":
        from recexp.algorithms.neural.networks.modules import rows_of_features
        from recexp.algorithms.neural.networks.pairs import PairLesson, PairNetwork

        x = self.matrix(train.interactions)
        factors, width, hidden = self._shape()
        users, items = rows_of_features(train, generator.device) if self.features else (None, None)
        return PairLesson(
            x,
            lambda: PairNetwork(*x.shape, factors, width, hidden, users, items),
            generator,
            learning_rate=self.learning_rate,
            negatives=self.negatives,
        )

    def score(self, queries: Queries) -> np.ndarray:
        users = np.maximum(queries.users, 0)
        with self._asked(self._network_of_weights) as network:
            if queries.candidates is None:
                return network.scores_of_all(users)
            scores, asked = np.zeros((len(queries), queries.n_items), np.float32), queries.candidates.tocoo()
            scores[asked.row, asked.col] = network.scores(users[asked.row], asked.col)
            return scores

    def _network_of_weights(self) -> "PairNetwork":
        from recexp.algorithms.neural.networks.pairs import PairNetwork

        n_users, n_items = len(self.weights_["users.weight"]), len(self.weights_["items.weight"])
        return PairNetwork(n_users, n_items, *self._shape())
