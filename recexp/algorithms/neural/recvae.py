"""RecVAE: a variational autoencoder with a deep encoder and a composite prior."""

from typing import TYPE_CHECKING

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.history_model import HistoryModel
from recexp.data import Dataset
from recexp.params import NonNegativeFloat, PositiveInt, Size, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson
    from recexp.algorithms.neural.networks.recvae import RecVariational


@params
class RecVAE(HistoryModel):
    """score(u, .) = the linear decoder's logits at the mean of the normal distribution to which the encoder takes x_u.

    RecVAE (Shenbin et al., WSDM 2020): an encoder of five layers, each with layer norm and the sum of all earlier
    outputs as input; a prior that mixes a standard normal (.15), the encoder as it was before the epoch (.75) and a
    wide normal (.1); a divergence weighed by `gamma` times the length of a history (equation 6); and epochs of
    `encoder_passes` passes for the encoder, with items left out, and then one for the decoder, with whole histories
    (algorithm 1). RecBole's RecVAE is another model: `noise` is .01.

    Time: an epoch is O(encoder_passes (nnz hidden + n_users (n_items latent + hidden^2))). Serves anyone with a
    history.

    Parameters
    ----------
    hidden : outputs of each of the encoder's layers.
    latent : numbers of the normal distribution.
    noise : what the standard deviation is multiplied by when numbers are drawn in training; 1: as the paper has it.
    gamma : weight of the divergence for each item of a history.
    encoder_passes : passes for the encoder before one for the decoder.
    """

    hidden: Size
    latent: Size
    noise: NonNegativeFloat
    gamma: NonNegativeFloat
    encoder_passes: PositiveInt

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        from recexp.algorithms.neural.networks.recvae import RecLesson

        return RecLesson(
            self.matrix(train.interactions),
            lambda: self._network_of(train.n_items),
            generator,
            learning_rate=self.learning_rate,
            dropout=self.dropout,
            noise=self.noise,
            gamma=self.gamma,
            encoder_passes=self.encoder_passes,
        )

    def _network_of(self, n_items: int) -> "RecVariational":
        from recexp.algorithms.neural.networks.recvae import RecVariational

        return RecVariational(n_items, self.hidden, self.latent)
