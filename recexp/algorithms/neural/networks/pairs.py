"""Networks that tell from a pair of user and item whether they belong together (He et al., WWW 2017)."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.lesson import Lesson, Pass
from recexp.algorithms.neural.networks.modules import Rows, Table, empty, folded, glorot, linears, uniform
from recexp.algorithms.neural.networks.unseen import Unseen

INIT_STD = 0.01
"""Standard deviation of initial vectors, that of the paper."""
HELD = 2**24
"""Numbers of a hidden layer that are held at once when all items are scored, 64 MiB."""


class PairNetwork(nn.Module):
    """logit(u, i) = w . [p_u * q_i ; mlp([v_u ; w_i])] + b.

    Parameters
    ----------
    factors : length of p and q; 0: the product is left out.
    width : length of v and w; 0: the layers are left out.
    hidden : outputs of each layer, which relu follows.
    user_features, item_features : what is added to the vectors, see `Table`.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        factors: int,
        width: int,
        hidden: Sequence[int],
        user_features: Rows | None = None,
        item_features: Rows | None = None,
    ) -> None:
        super().__init__()
        self.factors, self.width = factors, width
        self.users = Table(n_users, factors + width, user_features)
        self.items = Table(n_items, factors + width, item_features)
        sizes = [2 * width, *hidden] if width else [0]
        self.layers = linears(*sizes)
        self.output = nn.Linear(factors + sizes[-1], 1)

    def draw(self, generator: torch.Generator) -> None:
        """Draw vectors from N(0, INIT_STD), layers as Glorot's, the output as LeCun's, as the authors' code does."""
        self.users.draw(INIT_STD, generator)
        self.items.draw(INIT_STD, generator)
        for layer in self.layers:
            glorot(layer, 0.0, generator)
        uniform(self.output.weight, math.sqrt(3 / self.output.in_features), generator)
        nn.init.zeros_(self.output.bias)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Return (m,): the logit of each pair."""
        u, i = self.users(users), self.items(items)
        parts = [u[:, : self.factors] * i[:, : self.factors]] if self.factors else []
        if self.width:
            parts.append(self._through(torch.cat([u[:, self.factors :], i[:, self.factors :]], 1), self.layers))
        return self.output(torch.cat(parts, 1) if len(parts) > 1 else parts[0])[:, 0]

    def scores(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return float32 (m,): the logit of each pair."""
        return self(self._index(users), self._index(items)).cpu().numpy()

    def scores_of_all(self, users: np.ndarray) -> np.ndarray:
        """Return float32 (b, n_items): the logits of each user with all items.

        The first layer is worked out once a user and once an item: W [v ; w] = W_v v + W_w w.
        """
        u, i = self.users(self._index(users)), self.items.whole()
        weights = self.output.weight[0]
        out = (u[:, : self.factors] * weights[: self.factors]) @ i[:, : self.factors].T + self.output.bias
        if self.width:
            first, rest = self.layers[0], self.layers[1:]
            of_user, of_item = first.weight.split(self.width, 1)
            left = u[:, self.factors :] @ of_user.T
            right = i[:, self.factors :] @ of_item.T + first.bias
            step = max(1, HELD // (len(i) * first.out_features))
            for start in range(0, len(u), step):
                hidden = torch.relu(left[start : start + step, None] + right)
                out[start : start + step] += self._through(hidden, rest) @ weights[self.factors :]
        return out.cpu().numpy()

    def _index(self, codes: np.ndarray) -> Tensor:
        return torch.from_numpy(codes.astype(np.int64)).to(self.users.weight.device)

    @staticmethod
    def _through(x: Tensor, layers: Sequence[nn.Linear]) -> Tensor:
        for layer in layers:
            x = torch.relu(layer(x))
        return x


class PairLesson(Lesson):
    """Seen pairs are to get 1 and unseen ones, drawn anew in each epoch, 0: the mean log loss, by Adam.

    Parameters
    ----------
    x : CSR (n_users, n_items) of what was seen; users who have seen all teach nothing.
    make : returns the network.
    negatives : unseen items for each seen one.
    """

    network: PairNetwork

    def __init__(
        self,
        x: sp.csr_array,
        make: Callable[[], PairNetwork],
        generator: torch.Generator,
        *,
        learning_rate: float,
        negatives: int,
    ) -> None:
        self.network = empty(make, generator.device)
        self.network.draw(generator)
        self.optimizers = [torch.optim.Adam(self.network.parameters(), learning_rate, fused=True)]
        self.negatives = negatives
        self._unseen = Unseen(x, generator)

    def passes(self, epoch: int) -> Iterator[Pass]:
        others = self._unseen.users.repeat(self.negatives)
        users = torch.cat([self._unseen.users, others])
        items = torch.cat([self._unseen.items, self._unseen.draw(others)])
        labels = torch.zeros(len(users), device=users.device)
        labels[: len(users) - len(others)] = 1
        yield Pass((users, items, labels), self._loss, self.optimizers[0])

    def start_from(self, weights: Mapping[str, np.ndarray], learning_rate: float) -> None:
        """Begin with these weights instead of random ones, and take plain gradient steps."""
        for table in (self.network.users, self.network.items):
            if table.features is not None:  # their part is in the vectors
                nn.init.zeros_(table.of_features)
        self.network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()}, strict=False)
        self.optimizers = [torch.optim.SGD(self.network.parameters(), learning_rate)]

    def weights(self) -> dict[str, Tensor]:
        return folded(self.network)

    def _loss(self, users: Tensor, items: Tensor, labels: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(self.network(users, items), labels)
