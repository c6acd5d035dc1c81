"""MultVAE: a variational autoencoder of histories."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from recexp.algorithms.neural.history_model import HistoryModel
from recexp.params import NonNegativeFloat, PositiveInt, Size, params

if TYPE_CHECKING:
    from recexp.algorithms.neural.networks.autoencoders import Variational


@params
class MultVAE(HistoryModel):
    """score(u, .) = the decoder's logits at the mean of the normal distribution to which the encoder takes x_u.

    Mult-VAE^PR (Liang et al., WWW 2018): a multinomial likelihood, and a Kullback-Leibler divergence whose weight grows
    to `cap` in `anneal_steps` steps as steps / anneal_steps (section 2.2.2: partially regularized). Layers are followed
    by tanh. RecBole's MultiVAE is another model: `noise` is .01, half of its `latent_dimension` are means, and its
    weight hardly leaves 0, which makes it an autoencoder with dropout alone.

    Time: an epoch is O(nnz hidden + n_users n_items hidden). Serves anyone with a history.

    Parameters
    ----------
    hidden : outputs of the encoder's layers; the decoder has them in reverse.
    latent : numbers of the normal distribution.
    noise : what the standard deviation is multiplied by when numbers are drawn in training; 1: as the paper has it.
    cap : weight of the divergence at the end.
    anneal_steps : steps in which a weight of 1 would be reached.
    """

    hidden: Annotated[list[PositiveInt], Field(min_length=1)]
    latent: Size
    noise: NonNegativeFloat
    cap: NonNegativeFloat
    anneal_steps: PositiveInt

    def _network_of(self, n_items: int) -> "Variational":
        from recexp.algorithms.neural.networks.autoencoders import Variational

        return Variational(n_items, self.hidden, self.latent, self.dropout, self.noise, self.cap, self.anneal_steps)
