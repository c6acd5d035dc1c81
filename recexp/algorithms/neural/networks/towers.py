"""Two towers: one takes a user to a point on the sphere, the other an item."""

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.lesson import Lesson, Network, Pass
from recexp.algorithms.neural.networks.modules import Rows, glorot, linears

BLOCK = 2**14
"""Users or items whose points are worked out at once."""


class Tower(Network):
    """relu layers over the sum of a vector of one's own and one for each feature, to a point on the sphere.

    Parameters
    ----------
    known : bool (n,): who has rows, and so a vector of their own.
    layers : outputs of each layer, the last one's without relu.
    """

    def __init__(self, known: Tensor, features: Rows | None, factors: int, layers: Sequence[int]) -> None:
        super().__init__()
        self.known, self.features = known, features
        self.own = nn.Parameter(torch.empty(len(known), factors))
        self.of_features = None if features is None else nn.Parameter(torch.empty(features.shape[1], factors))
        self.layers = linears(factors, *layers)

    def draw(self, generator: torch.Generator) -> None:
        """Draw vectors from N(0, 1 / factors), so that their lengths are about 1, and layers as Glorot's."""
        for vectors in (self.own, self.of_features):
            if vectors is not None:
                nn.init.normal_(vectors, 0.0, vectors.shape[1] ** -0.5, generator=generator)
        for layer in self.layers:
            glorot(layer, 0.0, generator)

    def forward(self, index: Tensor, rate: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
        """Return (b, layers[-1]); their own vectors are left out by probability `rate` where features are known."""
        x = F.embedding(index, self.own) * self.known[index][:, None]
        if self.features is not None and self.of_features is not None:
            described = self.features.lengths(index) > 0
            if generator is not None:
                left_out = torch.empty(len(index), device=index.device).bernoulli_(rate, generator=generator) > 0
                x = x * ~(left_out & described)[:, None]
            x = x + self.features.times(index, self.of_features)
        *inner, last = self.layers
        for layer in inner:
            x = torch.relu(layer(x))
        return F.normalize(last(x), dim=1)

    def all(self) -> Tensor:
        """Return (n, layers[-1]): all points."""
        index = torch.arange(len(self.known), device=self.known.device)
        return torch.cat([self(index[start : start + BLOCK]) for start in range(0, len(index), BLOCK)])


class Towers(Network):
    """The tower of users and that of items."""

    def __init__(self, users: Tower, items: Tower) -> None:
        super().__init__()
        self.users, self.items = users, items

    def draw(self, generator: torch.Generator) -> None:
        self.users.draw(generator)
        self.items.draw(generator)


class TowersLesson(Lesson):
    """A pair's item is to be told from those of the other pairs of a batch.

    The loss of a pair is -log softmax(u . i / temperature - log q_i) over the items of the batch, q an item's share of
    all rows (Yi et al., equations 3 and 6); another pair's item counts not if it is the same.
    """

    network: Towers

    def __init__(
        self,
        x: sp.csr_array,
        features: Sequence[Rows | None],
        factors: int,
        layers: Sequence[int],
        generator: torch.Generator,
        *,
        learning_rate: float,
        temperature: float,
        id_dropout: float,
    ) -> None:
        counts = np.diff(x.indptr), np.bincount(x.indices, minlength=x.shape[1])
        known = [torch.from_numpy(count > 0).to(generator.device) for count in counts]
        super().__init__(
            lambda: Towers(*(Tower(*side, factors, layers) for side in zip(known, features))), generator, learning_rate
        )
        self._temperature, self._rate = temperature, id_dropout
        users = np.repeat(np.arange(x.shape[0], dtype=np.int64), counts[0])
        self._pairs = tuple(
            torch.from_numpy(codes).to(generator.device) for codes in (users, x.indices.astype(np.int64))
        )
        self._log_share = torch.from_numpy(np.log(np.maximum(counts[1], 1) / x.nnz).astype(np.float32))
        self._log_share = self._log_share.to(generator.device)

    def passes(self, epoch: int) -> Iterator[Pass]:
        yield Pass(self._pairs, self._loss, self.optimizers[0])

    def weights(self) -> dict[str, Tensor]:
        """Return the points of all users and items."""
        return {"users": self.network.users.all(), "items": self.network.items.all()}

    def _loss(self, users: Tensor, items: Tensor) -> Tensor:
        u = self.network.users(users, self._rate, self.generator)
        i = self.network.items(items, self._rate, self.generator)
        logits = u @ i.T / self._temperature - self._log_share[items]
        twice = (items[:, None] == items).fill_diagonal_(False)
        return F.cross_entropy(logits.masked_fill(twice, -torch.inf), torch.arange(len(users), device=users.device))
