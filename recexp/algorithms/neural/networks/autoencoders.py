"""Networks that read a history and give every item a score."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.lesson import Lesson, Pass
from recexp.algorithms.neural.networks.modules import Rows, Table, dropout, empty, folded, glorot

BIAS_STD = 0.001
"""Standard deviation of initial biases, that of the code of Liang et al."""
PRIOR = (3 / 20, 3 / 4, 1 / 10)
"""Weights of RecVAE's prior: a standard normal, the encoder as it was, a wide normal."""
WIDE = 10.0
"""Logarithm of the variance of RecVAE's wide normal."""
EPSILON = 0.1
"""Of RecVAE's layer norms, as its authors have it."""


class Reader(nn.Module):
    """The first layer of a network that reads histories: a product of a sparse row of length 1, and a bias.

    Parameters
    ----------
    item_features : what is added to an item's weights, see `Table`: the features of a history are the input, too.
    """

    def __init__(self, n_items: int, width: int, item_features: Rows | None = None) -> None:
        super().__init__()
        self.items = Table(n_items, width, item_features)
        self.bias = nn.Parameter(torch.empty(width))

    def draw(self, bias_std: float, generator: torch.Generator) -> None:
        """Draw weights as Glorot's, biases from N(0, bias_std)."""
        bound = math.sqrt(6 / sum(self.items.weight.shape))
        for weights in self.items.parameters():
            nn.init.uniform_(weights, -bound, bound, generator=generator)
        nn.init.normal_(self.bias, 0.0, bias_std, generator=generator)

    def forward(self, histories: Rows, rows: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
        """Return (b, width) of b histories; each item is left out by probability `rate` where there is a generator."""
        _, items, values, begin = histories.take(rows)
        if generator is not None:
            values = dropout(values, rate, generator)
        return F.embedding_bag(items, self.items.whole(), begin, mode="sum", per_sample_weights=values) + self.bias


class Denoising(nn.Module):
    """tanh layers from a history to the logits of all items; Mult-DAE of Liang et al. (WWW 2018) with any layers.

    Parameters
    ----------
    layers : outputs of each layer but the last.
    rate : by what probability an item of a history is left out in training.
    n_users : of whom features are known; 0: of none.
    user_features, item_features : of those who ask, and of what they have, at the input.
    """

    def __init__(
        self,
        n_items: int,
        layers: Sequence[int],
        rate: float,
        n_users: int = 0,
        user_features: Rows | None = None,
        item_features: Rows | None = None,
    ) -> None:
        super().__init__()
        self.rate = rate
        self.reader = Reader(n_items, layers[0], item_features)
        self.users = Table(n_users, layers[0], user_features) if n_users else None
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise([*layers, n_items]))

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's, biases from N(0, BIAS_STD); what is known of users has no part yet."""
        self.reader.draw(BIAS_STD, generator)
        for layer in self.layers:
            glorot(layer, generator)
            nn.init.normal_(layer.bias, 0.0, BIAS_STD, generator=generator)
        if self.users is not None:
            nn.init.zeros_(self.users.weight).requires_grad_(False)  # a user has no vector but that of the features
            nn.init.zeros_(self.users.of_features)

    def forward(self, histories: Rows, rows: Tensor, users: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return (b, n_items): the logits of b histories, in training where there is a generator; user -1 is nobody."""
        x = self.reader(histories, rows, self.rate, generator)
        if self.users is not None:
            x = x + self.users(users.clamp(min=0)) * (users >= 0)[:, None]
        for layer in self.layers:
            x = layer(torch.tanh(x))
        return x

    def loss(self, histories: Rows, rows: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Return the mean negative multinomial log likelihood of b histories (equation 2 of the paper)."""
        return likelihood(self(histories, rows, rows, generator), histories, rows)


class Variational(nn.Module):
    """Mult-VAE: tanh layers to a normal distribution, and from a draw of it to the logits of all items.

    Parameters
    ----------
    hidden : outputs of the encoder's layers; the decoder has them in reverse.
    latent : numbers of the draw.
    cap, anneal_steps : the weight of the Kullback-Leibler divergence grows to `cap` as steps / anneal_steps does.
    """

    def __init__(
        self, n_items: int, hidden: Sequence[int], latent: int, rate: float, cap: float = 0.0, anneal_steps: int = 1
    ) -> None:
        super().__init__()
        self.rate, self.cap, self.anneal_steps = rate, cap, anneal_steps
        self.reader = Reader(n_items, hidden[0])
        self.encoder = nn.ModuleList(nn.Linear(*pair) for pair in pairwise([*hidden, 2 * latent]))
        self.decoder = nn.ModuleList(nn.Linear(*pair) for pair in pairwise([latent, *reversed(hidden), n_items]))

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's, biases from N(0, BIAS_STD)."""
        self.reader.draw(BIAS_STD, generator)
        for layer in [*self.encoder, *self.decoder]:
            glorot(layer, generator)
            nn.init.normal_(layer.bias, 0.0, BIAS_STD, generator=generator)

    def forward(self, histories: Rows, rows: Tensor, users: Tensor) -> Tensor:
        """Return (b, n_items): the logits of the distributions' means; whose histories they are changes nothing."""
        return self._decoded(self._encoded(histories, rows, None)[0])

    def loss(self, histories: Rows, rows: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Return the mean negative evidence lower bound of b histories (equation 7 of the paper)."""
        mean, logvar = self._encoded(histories, rows, generator)
        weight = min(self.cap, step / self.anneal_steps)
        logits = self._decoded(drawn(mean, logvar, generator))
        return likelihood(logits, histories, rows) + weight * divergence(mean, logvar).mean()

    def _encoded(self, histories: Rows, rows: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        x = self.reader(histories, rows, self.rate, generator)
        for layer in self.encoder:
            x = layer(torch.tanh(x))
        mean, logvar = x.chunk(2, 1)
        return mean, logvar

    def _decoded(self, z: Tensor) -> Tensor:
        first, *rest = self.decoder
        x = first(z)
        for layer in rest:
            x = layer(torch.tanh(x))
        return x


class DenseEncoder(nn.Module):
    """RecVAE's encoder: five layers, each of which gets the outputs of all before it, to a normal distribution."""

    def __init__(self, n_items: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.reader = Reader(n_items, hidden)
        self.layers = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(4))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden, eps=EPSILON) for _ in range(5))
        self.output = nn.Linear(hidden, 2 * latent)

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's, biases from N(0, BIAS_STD); the norms begin as they are usual."""
        self.reader.draw(BIAS_STD, generator)
        for layer in [*self.layers, self.output]:
            glorot(layer, generator)
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
        mean, logvar = self.output(x).chunk(2, 1)
        return mean, logvar


class RecVariational(nn.Module):
    """RecVAE (Shenbin et al., WSDM 2020): a deep encoder, a linear decoder, and a prior with the encoder as it was.

    Parameters
    ----------
    gamma : the weight of the Kullback-Leibler divergence of a history is gamma times its length; None: it only answers.
    """

    def __init__(self, n_items: int, hidden: int, latent: int, rate: float = 0.0, gamma: float | None = None) -> None:
        super().__init__()
        self.rate, self.gamma = rate, gamma
        self.encoder = DenseEncoder(n_items, hidden, latent)
        self.before = None if gamma is None else DenseEncoder(n_items, hidden, latent)
        self.decoder = nn.Linear(latent, n_items)

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's; the encoder as it was begins elsewhere, as its authors have it."""
        self.encoder.draw(generator)
        self.before.draw(generator)
        glorot(self.decoder, generator)

    def forward(self, histories: Rows, rows: Tensor, users: Tensor) -> Tensor:
        """Return (b, n_items): the logits of the distributions' means; whose histories they are changes nothing."""
        return self.decoder(self.encoder(histories, rows, 0.0, None)[0])

    def loss(self, histories: Rows, rows: Tensor, generator: torch.Generator, rate: float) -> Tensor:
        """Return the mean negative lower bound of b histories (equations 5 and 6), with items left out by `rate`."""
        mean, logvar = self.encoder(histories, rows, rate, generator)
        z = drawn(mean, logvar, generator)
        apart = (log_normal(z, mean, logvar) - self._log_prior(z, histories, rows)).sum(1)
        weight = self.gamma * histories.lengths(rows)
        return likelihood(self.decoder(z), histories, rows) + (weight * apart).mean()

    def _log_prior(self, z: Tensor, histories: Rows, rows: Tensor) -> Tensor:
        with torch.no_grad():
            mean, logvar = self.before(histories, rows, 0.0, None)
        zero, wide = torch.zeros((), device=z.device), torch.full((), WIDE, device=z.device)
        parts = log_normal(z, zero, zero), log_normal(z, mean, logvar), log_normal(z, zero, wide)
        return torch.logsumexp(torch.stack([part + math.log(w) for part, w in zip(parts, PRIOR)]), 0)


def likelihood(logits: Tensor, histories: Rows, rows: Tensor) -> Tensor:
    """Return the mean over b histories of -sum over its items of log softmax(logits)."""
    owner, items, _, _ = histories.take(rows)
    log_sum = torch.logsumexp(logits, 1)
    return (histories.lengths(rows) * log_sum).mean() - logits[owner, items].sum() / len(rows)


def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return (b,): the Kullback-Leibler divergence of N(mean, exp(logvar)) from a standard normal."""
    return 0.5 * (logvar.exp() + mean**2 - 1 - logvar).sum(1)


def log_normal(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """Return the logarithm of the density of N(mean, exp(logvar)) at z, number by number."""
    return -0.5 * (logvar + math.log(2 * math.pi) + (z - mean) ** 2 / logvar.exp())


def drawn(mean: Tensor, logvar: Tensor, generator: torch.Generator) -> Tensor:
    """Return a draw from N(mean, exp(logvar)) through which gradients go."""
    noise = torch.empty_like(mean).normal_(generator=generator)
    return mean + noise * (0.5 * logvar).exp()


def normalized(x: sp.csr_array) -> sp.csr_array:
    """Return the rows with length 1; empty ones stay."""
    lengths = np.diff(x.indptr)
    data = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    return sp.csr_array((data, x.indices, x.indptr), shape=x.shape)


def scores(network: nn.Module, x: sp.csr_array, users: np.ndarray) -> np.ndarray:
    """Return float32 (b, n_items): the logits of binary histories, CSR (b, n_items), of users, int (b,), or -1."""
    device = next(network.parameters()).device
    histories, rows = Rows(normalized(x), device), torch.arange(x.shape[0], device=device)
    return network(histories, rows, torch.from_numpy(users.astype(np.int64)).to(device)).cpu().numpy()


class HistoryLesson(Lesson):
    """Histories that a network is to read and to give back, by Adam.

    Parameters
    ----------
    x : binary CSR (n_users, n_items); users without rows teach nothing.
    make : returns the network.
    batch_size : histories of one step.
    l2 : weight of half of the squared norm of all weights, beside the mean loss of a batch.
    """

    def __init__(
        self,
        x: sp.csr_array,
        make: Callable[[], nn.Module],
        generator: torch.Generator,
        *,
        learning_rate: float,
        batch_size: int,
        l2: float = 0.0,
    ) -> None:
        self.generator, self._size, self._l2 = generator, batch_size, l2
        self.network = empty(make, generator.device)
        self.network.draw(generator)
        self.optimizers = [torch.optim.Adam(self.network.parameters(), learning_rate, fused=True)]
        self.histories = Rows(normalized(x), generator.device)
        self.users = torch.from_numpy(np.flatnonzero(np.diff(x.indptr))).to(generator.device)

    def passes(self, epoch: int) -> Iterator[Pass]:
        self._step = (epoch - 1) * math.ceil(len(self.users) / self._size)
        yield Pass((self.users,), self._loss, self.optimizers[0])

    def _loss(self, rows: Tensor) -> Tensor:
        loss = self.network.loss(self.histories, rows, self.generator, self._step)
        self._step += 1
        if self._l2:
            loss = loss + self._l2 / 2 * sum((weights**2).sum() for weights in self.network.parameters())
        return loss

    def weights(self) -> dict[str, Tensor]:
        return folded(self.network)


class RecLesson(HistoryLesson):
    """What RecVAE learns: the encoder by turns with the decoder, which reads whole histories.

    Parameters
    ----------
    encoder_passes : passes over the data for the encoder, before one for the decoder.
    """

    def __init__(self, *args: object, encoder_passes: int, learning_rate: float, **kwargs: object) -> None:
        super().__init__(*args, learning_rate=learning_rate, **kwargs)
        self._encoder_passes = encoder_passes
        parts = self.network.encoder, self.network.decoder
        self.optimizers = [torch.optim.Adam(part.parameters(), learning_rate, fused=True) for part in parts]

    def passes(self, epoch: int) -> Iterator[Pass]:
        network = self.network
        for _ in range(self._encoder_passes):
            yield self._of("encoder", network.rate)
        network.before.load_state_dict(network.encoder.state_dict())
        yield self._of("decoder", 0.0)

    def weights(self) -> dict[str, Tensor]:
        return {name: value for name, value in super().weights().items() if not name.startswith("before.")}

    def _of(self, part: str, rate: float) -> Pass:
        self.network.requires_grad_(False)
        getattr(self.network, part).requires_grad_(True)

        def loss(rows: Tensor) -> Tensor:
            return self.network.loss(self.histories, rows, self.generator, rate)

        return Pass((self.users,), loss, self.optimizers[part == "decoder"])
