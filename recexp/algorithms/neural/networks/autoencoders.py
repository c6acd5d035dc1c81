"""Networks that read a history and give every item a score."""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.lesson import Lesson, Network, Pass
from recexp.algorithms.neural.networks.modules import Rows, Table, dropout, folded, glorot, linears, uniform

BIAS_STD = 0.001
"""Standard deviation of initial biases, that of the code of Liang et al."""


class HistoryNetwork(Network):
    """What gives the logits of all items for a history, and learns to."""

    @abstractmethod
    def forward(self, histories: Rows, rows: Tensor, users: Tensor) -> Tensor:
        """Return (b, n_items): the logits for b rows of histories, of users or -1."""

    @abstractmethod
    def loss(self, histories: Rows, rows: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Return the mean loss of b rows of histories in step 0, 1, ... of all."""


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

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's, biases from N(0, BIAS_STD)."""
        for weights in self.items.parameters():
            uniform(weights, math.sqrt(6 / sum(self.items.weight.shape)), generator)
        nn.init.normal_(self.bias, 0.0, BIAS_STD, generator=generator)

    def forward(self, histories: Rows, rows: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
        """Return (b, width) of b histories; each item is left out by probability `rate` where there is a generator."""
        _, items, values, begin = histories.take(rows)
        if generator is not None:
            values = dropout(values, rate, generator)
        return F.embedding_bag(items, self.items.whole(), begin, mode="sum", per_sample_weights=values) + self.bias


class Denoising(HistoryNetwork):
    """tanh layers from a history to the logits of all items; Mult-DAE of Liang et al. (WWW 2018) with any layers.

    Parameters
    ----------
    layers : outputs of each layer but the last.
    rate : probability of leaving out an item of a history in training.
    l2 : weight of half of the squared norm of the weights, without biases, beside the mean loss of a batch.
    n_users : of whom features are known; 0: of none.
    user_features, item_features : of those who ask, and of what they have, at the input.
    """

    def __init__(
        self,
        n_items: int,
        layers: Sequence[int],
        rate: float,
        l2: float,
        n_users: int = 0,
        user_features: Rows | None = None,
        item_features: Rows | None = None,
    ) -> None:
        super().__init__()
        self.rate, self.l2 = rate, l2
        self.reader = Reader(n_items, layers[0], item_features)
        self.users = Table(n_users, layers[0], user_features) if n_users else None
        self.layers = linears(*layers, n_items)

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's, biases from N(0, BIAS_STD); what is known of users has no part yet."""
        self.reader.draw(generator)
        for layer in self.layers:
            glorot(layer, BIAS_STD, generator)
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
        """Return the mean negative multinomial log likelihood of b histories (equation 2 of the paper), and `l2`'s."""
        loss = likelihood(self(histories, rows, rows, generator), histories, rows)
        if self.l2:
            loss = loss + self.l2 / 2 * torch.stack([(w**2).sum() for w in self.parameters() if w.ndim > 1]).sum()
        return loss


class Variational(HistoryNetwork):
    """Mult-VAE: tanh layers to a normal distribution, and from a draw of it to the logits of all items.

    Parameters
    ----------
    hidden : outputs of the encoder's layers; the decoder has them in reverse.
    latent : numbers of the draw.
    noise : what the draw's standard deviation is multiplied by.
    cap, anneal_steps : the weight of the Kullback-Leibler divergence grows to `cap` as steps / anneal_steps does.
    """

    def __init__(
        self,
        n_items: int,
        hidden: Sequence[int],
        latent: int,
        rate: float,
        noise: float,
        cap: float,
        anneal_steps: int,
    ) -> None:
        super().__init__()
        self.rate, self.noise, self.cap, self.anneal_steps = rate, noise, cap, anneal_steps
        self.reader = Reader(n_items, hidden[0])
        self.encoder = linears(*hidden, 2 * latent)
        self.decoder = linears(latent, *reversed(hidden), n_items)

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's, biases from N(0, BIAS_STD)."""
        self.reader.draw(generator)
        for layer in [*self.encoder, *self.decoder]:
            glorot(layer, BIAS_STD, generator)

    def forward(self, histories: Rows, rows: Tensor, users: Tensor) -> Tensor:
        """Return (b, n_items): the logits of the distributions' means; whose histories they are changes nothing."""
        return self._decoded(self._encoded(histories, rows, None)[0])

    def loss(self, histories: Rows, rows: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Return the mean negative evidence lower bound of b histories (equation 7 of the paper)."""
        mean, logvar = self._encoded(histories, rows, generator)
        weight = min(self.cap, step / self.anneal_steps)
        logits = self._decoded(drawn(mean, logvar, generator, self.noise))
        return likelihood(logits, histories, rows) + weight * divergence(mean, logvar).mean()

    def _encoded(self, histories: Rows, rows: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        x = self.reader(histories, rows, self.rate, generator)
        for layer in self.encoder:
            x = layer(torch.tanh(x))
        mean, logvar = x.float().chunk(2, 1)
        return mean, logvar

    def _decoded(self, z: Tensor) -> Tensor:
        first, *rest = self.decoder
        x = first(z)
        for layer in rest:
            x = layer(torch.tanh(x))
        return x


def likelihood(logits: Tensor, histories: Rows, rows: Tensor) -> Tensor:
    """Return the mean over b histories of -sum over its items of log softmax(logits)."""
    owner, items, _, _ = histories.take(rows)
    logits = logits.float()  # sums of many numbers
    log_sum = torch.logsumexp(logits, 1)
    return (histories.lengths(rows) * log_sum).mean() - logits[owner, items].sum() / len(rows)


def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return (b,): the Kullback-Leibler divergence of N(mean, exp(logvar)) from a standard normal."""
    return 0.5 * (logvar.exp() + mean**2 - 1 - logvar).sum(1)


def drawn(mean: Tensor, logvar: Tensor, generator: torch.Generator, noise: float) -> Tensor:
    """Return a draw from N(mean, noise^2 exp(logvar)) through which gradients go."""
    normal = torch.empty_like(mean).normal_(0.0, noise, generator=generator)
    return mean + normal * (0.5 * logvar).exp()


def read(x: sp.csr_array, device: torch.device) -> tuple[Rows, Tensor]:
    """Return binary histories with rows of length 1, and which of them have items, int64."""
    lengths = np.diff(x.indptr)
    data = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    histories = Rows(sp.csr_array((data, x.indices, x.indptr), shape=x.shape), device)
    return histories, torch.from_numpy(np.flatnonzero(lengths)).to(device)


def scores(network: nn.Module, x: sp.csr_array, users: np.ndarray) -> np.ndarray:
    """Return float32 (b, n_items): the logits of binary histories, CSR (b, n_items), of users, int (b,), or -1."""
    device = next(network.parameters()).device
    (histories, _), rows = read(x, device), torch.arange(x.shape[0], device=device)
    logits: Tensor = network(histories, rows, torch.from_numpy(users.astype(np.int64)).to(device))
    return logits.cpu().numpy()


class HistoryLesson(Lesson):
    """Histories that a network is to read and to give back.

    Parameters
    ----------
    x : binary CSR (n_users, n_items); users without rows teach nothing.
    make : returns the network.
    batch_size : histories of one step.
    """

    network: HistoryNetwork

    def __init__(
        self,
        x: sp.csr_array,
        make: Callable[[], HistoryNetwork],
        generator: torch.Generator,
        *,
        learning_rate: float,
        batch_size: int,
    ) -> None:
        super().__init__(make, generator, learning_rate)
        self._size = batch_size
        self.histories, self.users = read(x, generator.device)

    def passes(self, epoch: int) -> Iterator[Pass]:
        self._step = (epoch - 1) * math.ceil(len(self.users) / self._size)
        yield Pass((self.users,), self._loss, self.optimizers[0])

    def _loss(self, rows: Tensor) -> Tensor:
        loss = self.network.loss(self.histories, rows, self.generator, self._step)
        self._step += 1
        return loss

    def weights(self) -> dict[str, Tensor]:
        return folded(self.network)
