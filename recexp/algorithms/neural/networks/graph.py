"""LightGCN's network: vectors of users and items, spread over the graph of who has what."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.lesson import Lesson, Network, Pass
from recexp.algorithms.neural.networks.unseen import Unseen

INIT_STD = 0.1
"""Standard deviation of initial vectors, that of the authors' code."""


class Spread(torch.autograd.Function):
    """The product of a symmetric sparse matrix with a dense one; its gradient is the same product."""

    @staticmethod
    def forward(ctx: Any, graph: Tensor, vectors: Tensor) -> Tensor:
        ctx.graph = graph
        with torch.autocast(vectors.device.type, enabled=False):  # there is no sparse product in half precision
            return graph @ vectors

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        return None, ctx.graph @ gradient


class GraphNetwork(Network):
    """e = the mean over k = 0 to `layers` of A^k e0, A = D^-1/2 [0 X; X^T 0] D^-1/2 (equations 3, 7 and 8)."""

    def __init__(self, n_users: int, n_items: int, factors: int, layers: int) -> None:
        super().__init__()
        self.n_users, self.layers = n_users, layers
        self.vectors = nn.Parameter(torch.empty(n_users + n_items, factors))

    def draw(self, generator: torch.Generator) -> None:
        """Draw e0 from N(0, INIT_STD)."""
        nn.init.normal_(self.vectors, 0.0, INIT_STD, generator=generator)

    def forward(self, graph: Tensor) -> tuple[Tensor, Tensor]:
        """Return e, and the sum of A^k e0 over k = 0 to `layers` - 1, divided by `layers` + 1."""
        total, last = torch.zeros_like(self.vectors), self.vectors
        for _ in range(self.layers):
            total = total + last
            last = Spread.apply(graph, last)
        return (total + last) / (self.layers + 1), total / (self.layers + 1)


class GraphLesson(Lesson):
    """Seen items are to score above unseen ones, one drawn anew for each in each epoch: BPR's loss.

    Parameters
    ----------
    x : binary CSR (n_users, n_items); users who have seen all teach nothing.
    regularization : of half of the squared e0 of a batch's users and items, a pair.
    """

    network: GraphNetwork

    def __init__(
        self,
        x: sp.csr_array,
        factors: int,
        layers: int,
        generator: torch.Generator,
        *,
        learning_rate: float,
        regularization: float,
    ) -> None:
        super().__init__(lambda: GraphNetwork(*x.shape, factors, layers), generator, learning_rate)
        self._x, self._regularization = x, regularization
        self._graph, self._unseen = normalized_graph(x, generator.device), Unseen(x, generator)

    def passes(self, epoch: int) -> Iterator[Pass]:
        users, items = self._unseen.users, self._unseen.items
        yield Pass((users, items, self._unseen.draw(users)), self._loss, self.optimizers[0])

    def weights(self) -> dict[str, Tensor]:
        """Return the users' own part, 0 without rows; the items; and what an item adds to those who have it.

        A user's vector is e0 / (layers + 1) + the sum over the user's items of (e_i^0 + e_i^1 + ...) / sqrt(d_u d_i)
        / (layers + 1): the second part can be worked out from any history.
        """
        n_users, n_items = self._x.shape
        whole, sent = self.network(self._graph)
        known = torch.from_numpy(np.diff(self._x.indptr) > 0).to(whole.device)
        own = self.network.vectors[:n_users] * known[:, None] / (self.network.layers + 1)
        degrees = torch.from_numpy(np.bincount(self._x.indices, minlength=n_items)).to(whole.device)
        return {"users": own, "items": whole[n_users:], "sent": sent[n_users:] / degrees.clamp(min=1).sqrt()[:, None]}

    def _loss(self, users: Tensor, seen: Tensor, unseen: Tensor) -> Tensor:
        n_users, first = self._x.shape[0], self.network.vectors
        at = torch.stack([users, n_users + seen, n_users + unseen])
        u, i, j = F.embedding(at, self.network(self._graph)[0])
        squares = (F.embedding(at, first) ** 2).sum() / (2 * len(users))
        return F.softplus((u * (j - i)).sum(1)).mean() + self._regularization * squares


def normalized_graph(x: sp.csr_array, device: torch.device) -> Tensor:
    """Return D^-1/2 [0 X; X^T 0] D^-1/2, sparse float32 (n_users + n_items,) squared."""
    users, n = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr)), sum(x.shape)
    items = x.shape[0] + x.indices.astype(np.int64)
    rows, columns = np.append(users, items), np.append(items, users)
    graph = sp.coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n)).tocsr()
    inverse = 1 / np.sqrt(np.maximum(np.diff(graph.indptr), 1)).astype(np.float32)
    data = np.repeat(inverse, np.diff(graph.indptr)) * inverse[graph.indices]
    begin, at, values = (torch.from_numpy(part) for part in (graph.indptr, graph.indices, data))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(begin, at, values, size=(n, n), check_invariants=False).to(device)
