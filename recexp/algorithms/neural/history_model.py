"""HistoryModel: what networks that read histories share."""

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from recexp.algorithms.neural.base import NeuralModel
from recexp.data import Queries
from recexp.params import Fraction, params

if TYPE_CHECKING:
    from torch import nn


@params
class HistoryModel(NeuralModel):
    """score(u, .) = the logits of all items that a network gives for u's history, whoever asks.

    Histories are binary rows of length 1; values of interactions do not weigh.

    Parameters
    ----------
    dropout : by what probability an item of a history is left out in training.
    """

    dropout: Fraction

    def score(self, queries: Queries) -> np.ndarray:
        with self._asked(lambda: self._answering(queries.n_items)) as network:
            from recexp.algorithms.neural.networks.autoencoders import scores

            return scores(network, self.matrix(queries), queries.users)

    @abstractmethod
    def _answering(self, n_items: int) -> "nn.Module":
        """Return a network to which `weights_` belong."""
