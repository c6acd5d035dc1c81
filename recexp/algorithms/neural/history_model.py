"""HistoryModel: what networks that read histories share."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.base import NeuralModel
from recexp.data import Dataset, Queries
from recexp.params import Fraction, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson


@params
class HistoryModel(NeuralModel):
    """score(u, .) = the logits of all items that a network gives for u's history.

    Histories are binary rows scaled to length 1; values of interactions are ignored. A subclass implements
    `_network_of`, and `_lesson` if it does not learn by a loss on batches of histories alone.

    Parameters
    ----------
    dropout : probability of leaving out an item of a history in training.
    """

    dropout: Fraction

    def score(self, queries: Queries) -> np.ndarray:
        with self._asked(lambda: self._network_of(queries.n_items)) as network:
            from recexp.algorithms.neural.networks.autoencoders import scores

            return scores(network, self.matrix(queries), queries.users)

    @abstractmethod
    def _network_of(self, n_items: int) -> Any:
        """Return a network to which `weights_` belong: a `HistoryNetwork`, unless `_lesson` makes one of its own."""

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        from recexp.algorithms.neural.networks.autoencoders import HistoryLesson

        return HistoryLesson(
            self.matrix(train.interactions),
            lambda: self._network_of(train.n_items),
            generator,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
        )
