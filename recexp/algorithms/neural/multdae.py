"""MultDAE: a denoising autoencoder of histories."""

from typing import TYPE_CHECKING

from recexp.algorithms.neural.history_model import HistoryModel
from recexp.params import NonNegativeFloat, PositiveInt, Size, params

if TYPE_CHECKING:
    from recexp.algorithms.neural.networks.autoencoders import Denoising


@params
class MultDAE(HistoryModel):
    """score(u, .) = logits of layers trained to reconstruct a history from a part of its items.

    Mult-DAE (Liang et al., WWW 2018, section 2.2.3): tanh layers and a multinomial likelihood, with a penalty on the
    weights. It is `MultVAE` without a distribution.

    Time: an epoch is O(nnz hidden + n_users n_items hidden). Serves anyone with a history.

    Parameters
    ----------
    hidden : outputs of the layers before the narrowest; those after it have them in reverse.
    latent : outputs of the narrowest layer.
    l2 : weight of half of the squared norm of the weights, without biases, beside a batch's mean loss: it depends on
        the batch's size.
    """

    hidden: list[PositiveInt]
    latent: Size
    l2: NonNegativeFloat

    def _network_of(self, n_items: int) -> "Denoising":
        from recexp.algorithms.neural.networks.autoencoders import Denoising

        return Denoising(n_items, [*self.hidden, self.latent, *reversed(self.hidden)], self.dropout, self.l2)
