"""Networks that tell from a pair of user and item whether they belong together (He et al., WWW 2017)."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.lesson import Lesson, Network, Pass
from recexp.algorithms.neural.networks.modules import HELD, Rows, Table, folded, glorot, linears, uniform
from recexp.algorithms.neural.networks.unseen import Unseen

INIT_STD = 0.01
"""Standard deviation of initial vectors, that of the paper."""


class PairNetwork(Network):
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
        (p, v), (q, w) = self._halves(self.users(users)), self._halves(self.items(items))
        of_product, of_layers = self._outputs()
        logits: Tensor = self.output.bias
        if self.factors:
            logits = logits + (p * q) @ of_product
        if self.width:
            of_user, of_item = self.layers[0].weight.split(self.width, 1)
            first = torch.addmm(v @ of_user.T, w, of_item.T) + self.layers[0].bias
            logits = logits + self._after(first) @ of_layers
        return logits

    def scores(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return float32 (m,): the logit of each pair."""
        return self(self._index(users), self._index(items)).cpu().numpy()

    def scores_of_all(self, users: np.ndarray) -> np.ndarray:
        """Return float32 (b, n_items): the logits of each user with all items.

        The first layer is worked out once a user and once an item: W [v ; w] = W_v v + W_w w.
        """
        (p, v), (q, w) = self._halves(self.users(self._index(users))), self._halves(self.items.whole())
        of_product, of_layers = self._outputs()
        out = (p * of_product) @ q.T + self.output.bias
        if self.width:
            of_user, of_item = self.layers[0].weight.split(self.width, 1)
            left, right = v @ of_user.T, w @ of_item.T + self.layers[0].bias
            step = max(1, HELD // right.numel())
            for start in range(0, len(left), step):
                out[start : start + step] += self._after(left[start : start + step, None] + right) @ of_layers
        return out.cpu().numpy()

    def _index(self, codes: np.ndarray) -> Tensor:
        return torch.from_numpy(codes.astype(np.int64)).to(self.users.weight.device)

    def _halves(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """Return what is multiplied, (b, factors), and what goes into the layers, (b, width)."""
        return vectors.split([self.factors, self.width], 1)

    def _outputs(self) -> tuple[Tensor, ...]:
        """Return the output's weights of the product and of the last layer."""
        return self.output.weight[0].split([self.factors, self.output.in_features - self.factors])

    def _after(self, first: Tensor) -> Tensor:
        """Return the last layer's output, given what the first one gives to relu."""
        x = torch.relu(first)
        for layer in self.layers[1:]:
            x = torch.relu(layer(x))
        return x


class PairLesson(Lesson):
    """Seen pairs are to get 1 and unseen ones, drawn anew in each epoch, 0: the mean log loss.

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
        super().__init__(make, generator, learning_rate)
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
