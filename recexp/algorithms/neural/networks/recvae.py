"""RecVAE: its networks, its prior, and the turns in which they learn (Shenbin et al., WSDM 2020)."""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.lesson import Lesson, Network, Pass, adam
from recexp.algorithms.neural.networks.autoencoders import Reader, drawn, likelihood, read
from recexp.algorithms.neural.networks.modules import Rows, glorot, linears

LAYERS = 5
PRIOR = (3 / 20, 3 / 4, 1 / 10)
"""Weights in the prior of a standard normal, the encoder as it was, and a wide normal."""
WIDE = 10.0
"""Logarithm of the variance of the wide normal."""
EPSILON = 0.1
"""Of layer norms, as the authors have it."""


class DenseEncoder(nn.Module):
    """RecVAE's encoder: five layers, each of which gets the outputs of all before it, to a normal distribution."""

    def __init__(self, n_items: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.reader = Reader(n_items, hidden)
        self.layers = linears(*[hidden] * LAYERS)
        norms = nn.ModuleList(nn.LayerNorm(hidden, eps=EPSILON) for _ in range(LAYERS))
        self.norms = cast(Sequence[nn.LayerNorm], norms)
        self.output = nn.Linear(hidden, 2 * latent)

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's, biases from N(0, BIAS_STD); the norms begin as they are usual."""
        self.reader.draw(generator)
        for layer in [*self.layers, self.output]:
            glorot(layer, 0.0, generator)
        for norm in self.norms:
            nn.init.ones_(norm.weight)
            nn.init.zeros_(norm.bias)

    def forward(
        self, histories: Rows, rows: Tensor, rate: float, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance, (b, latent) each."""
        x = self.norms[0](F.silu(self.reader(histories, rows, rate, generator)))
        before = x
        for layer, norm in zip(self.layers, self.norms[1:]):
            x = norm(F.silu(layer(x) + before))
            before = before + x
        mean, logvar = self.output(x).float().chunk(2, 1)
        return mean, logvar


class RecVariational(nn.Module):
    """RecVAE's deep encoder and its linear decoder."""

    def __init__(self, n_items: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.encoder = DenseEncoder(n_items, hidden, latent)
        self.decoder = nn.Linear(latent, n_items)

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's."""
        self.encoder.draw(generator)
        glorot(self.decoder, 0.0, generator)

    def forward(self, histories: Rows, rows: Tensor, users: Tensor) -> Tensor:
        """Return (b, n_items): the logits of the distributions' means; whose histories they are changes nothing."""
        logits: Tensor = self.decoder(self.encoder(histories, rows, 0.0, None)[0])
        return logits


class WithPrior(Network):
    """RecVAE's network, and its encoder as it was before an epoch, of which the prior is made."""

    def __init__(self, now: RecVariational) -> None:
        super().__init__()
        self.now, self.before = now, copy.deepcopy(now.encoder).requires_grad_(False)

    def draw(self, generator: torch.Generator) -> None:
        """Draw both: the prior's encoder begins elsewhere, as the authors have it."""
        self.now.draw(generator)
        self.before.draw(generator)


def log_normal(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """Return the logarithm of the density of N(mean, exp(logvar)) at z, number by number."""
    return -0.5 * (logvar + math.log(2 * math.pi) + (z - mean) ** 2 / logvar.exp())


class RecLesson(Lesson):
    """Histories that are to be read and given back: the encoder learns by turns with the decoder.

    Parameters
    ----------
    x : binary CSR (n_users, n_items); users without rows teach nothing.
    make : returns the network.
    dropout : by what probability an item of a history is left out while the encoder learns.
    noise : what a draw's standard deviation is multiplied by.
    gamma : the weight of the Kullback-Leibler divergence of a history is gamma times its length (equation 6).
    encoder_passes : passes over the data for the encoder, before one for the decoder.
    """

    network: WithPrior

    def __init__(
        self,
        x: sp.csr_array,
        make: Callable[[], RecVariational],
        generator: torch.Generator,
        *,
        learning_rate: float,
        dropout: float,
        noise: float,
        gamma: float,
        encoder_passes: int,
    ) -> None:
        super().__init__(lambda: WithPrior(make()), generator, learning_rate)
        self._now, self._before = self.network.now, self.network.before
        self.optimizers = [adam(part, learning_rate) for part in (self._now.encoder, self._now.decoder)]
        self._histories, self._users = read(x, generator.device)
        self._dropout, self._noise, self._gamma = dropout, noise, gamma
        self._encoder_passes = encoder_passes

    def passes(self, epoch: int) -> Iterator[Pass]:
        encoder, decoder = self._now.encoder, self._now.decoder
        decoder.requires_grad_(False)
        encoder.requires_grad_(True)
        for _ in range(self._encoder_passes):
            yield Pass((self._users,), lambda rows: self._loss(rows, self._dropout), self.optimizers[0])
        self._before.load_state_dict(encoder.state_dict())
        encoder.requires_grad_(False)
        decoder.requires_grad_(True)
        yield Pass((self._users,), lambda rows: self._loss(rows, 0.0), self.optimizers[1])

    def weights(self) -> dict[str, Tensor]:
        return self._now.state_dict()

    def _loss(self, rows: Tensor, rate: float) -> Tensor:
        """Return the mean negative lower bound of b histories (equations 5 and 6), with items left out by `rate`."""
        mean, logvar = self._now.encoder(self._histories, rows, rate, self.generator)
        z = drawn(mean, logvar, self.generator, self._noise)
        apart = (log_normal(z, mean, logvar) - self._log_prior(z, rows)).sum(1)
        weight = self._gamma * self._histories.lengths(rows)
        return likelihood(self._now.decoder(z), self._histories, rows) + (weight * apart).mean()

    def _log_prior(self, z: Tensor, rows: Tensor) -> Tensor:
        mean, logvar = self._before(self._histories, rows, 0.0, None)
        zero, wide = torch.zeros((), device=z.device), torch.full((), WIDE, device=z.device)
        parts = log_normal(z, zero, zero), log_normal(z, mean, logvar), log_normal(z, zero, wide)
        return torch.logsumexp(torch.stack([part + math.log(share) for part, share in zip(parts, PRIOR)]), 0)
