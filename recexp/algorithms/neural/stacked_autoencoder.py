"""StackedAutoencoder: several denoising layers over histories, and over what is known of users and items."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.history_model import HistoryModel
from recexp.data import Dataset
from recexp.params import NonNegativeFloat, PositiveInt, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson
    from recexp.algorithms.neural.networks.autoencoders import Denoising
    from recexp.algorithms.neural.networks.modules import Rows


@params
class StackedAutoencoder(HistoryModel):
    """score(u, .) = logits of layers trained to reconstruct a history from a part of its items.

    A denoising autoencoder of several tanh layers, all trained at once (Vincent et al., JMLR 2010, trained them one by
    one), with the multinomial likelihood of Liang et al. (WWW 2018). With `features` its input is a user's features,
    and the sum of the features of what the user has, divided by the root of their number as the history is, beside
    the history (Strub, Gaudel and Mary, DLRS 2016, put features in likewise): all columns of the side tables, see
    `features.all_features`.

    Time: an epoch is O(nnz layers[0] + n_users n_items layers[-1]). Serves anyone with a history.

    Parameters
    ----------
    layers : outputs of each layer.
    features : whether columns of users and items are part of the input.
    l2 : weight of half of the squared norm of the weights, without biases, beside a batch's mean loss: it depends on
        the batch's size.
    """

    layers: Annotated[list[PositiveInt], Field(min_length=1)]
    features: bool
    l2: NonNegativeFloat

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        from recexp.algorithms.neural.networks.autoencoders import HistoryLesson
        from recexp.algorithms.neural.networks.modules import rows_of_features

        users, items = rows_of_features(train, generator.device) if self.features else (None, None)
        n_users = users.shape[0] if users else 0
        return HistoryLesson(
            self.matrix(train.interactions),
            lambda: self._network_with(train.n_items, n_users, users, items),
            generator,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
        )

    def _network_of(self, n_items: int) -> "Denoising":
        return self._network_with(n_items, len(self.weights_.get("users.weight", ())), None, None)

    def _network_with(
        self, n_items: int, n_users: int, user_features: "Rows | None", item_features: "Rows | None"
    ) -> "Denoising":
        from recexp.algorithms.neural.networks.autoencoders import Denoising

        return Denoising(n_items, self.layers, self.dropout, self.l2, n_users, user_features, item_features)
