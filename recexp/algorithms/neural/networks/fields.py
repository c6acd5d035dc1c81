"""Networks over fields: factorization machines and their deep relatives, and how they are trained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.field_shape import FieldShape
from recexp.algorithms.neural.fields import Encoded, Task
from recexp.algorithms.neural.lesson import Lesson, Network, Pass
from recexp.algorithms.neural.networks.modules import HELD, Rows, dropout, glorot, linears
from recexp.algorithms.neural.networks.unseen import Unseen

INIT_STD = 0.01
"""Standard deviation of initial vectors."""


class FieldTensors:
    """The fields of users, items or moments as tensors, codes numbered from `first` on over all fields of a network."""

    def __init__(self, encoded: Encoded, sizes: tuple[list[int], list[int]], first: int, device: torch.device) -> None:
        begin = first + np.cumsum([0, *sizes[0], *sizes[1]])
        n = len(sizes[0])
        self.codes = torch.from_numpy(encoded.codes + begin[:n].astype(np.int64)).to(device)
        self.bags = [
            (Rows(bag, device) if bag.shape[0] * bag.shape[1] > HELD else Dense(bag, device), int(at), int(at) + size)
            for bag, at, size in zip(encoded.bags, begin[n:], sizes[1])
        ]

    def vectors(self, table: Tensor, index: Tensor) -> Tensor:
        """Return (b, f, width): the vectors of the fields of some rows."""
        vectors = F.embedding(self.codes[index], table)
        if not self.bags:
            return vectors
        sums = [bag.times(index, table[begin:end])[:, None] for bag, begin, end in self.bags]
        return torch.cat([vectors, *sums], 1)


class Dense:
    """Rows as a dense matrix, of which some are taken: for few columns faster than `Rows`."""

    def __init__(self, matrix: sp.csr_array, device: torch.device) -> None:
        self._values = torch.from_numpy(matrix.toarray()).to(device)

    def times(self, rows: Tensor, right: Tensor) -> Tensor:
        """Return the product of b rows with a dense matrix (m, d): (b, d)."""
        return self._values[rows] @ right


class FieldNetwork(Network):
    """logit = bias + weights of codes + sum over pairs of fields of v . v' + w . [cross(x) ; mlp(x)], x = all vectors.

    A pair of a user in a context (left) and an item (right) is never put together before it must be: sums and the first
    layer are worked out for each side.

    Parameters
    ----------
    n_codes : over all fields.
    n_left, n_right : fields of users and contexts, and of items.
    """

    def __init__(self, n_codes: int, n_left: int, n_right: int, shape: FieldShape) -> None:
        super().__init__()
        self.shape = shape
        self.table = nn.Parameter(torch.empty(n_codes, shape.factors + shape.linear))
        self.bias = nn.Parameter(torch.empty(1))
        self.left = n_left * shape.factors
        inputs = self.left + n_right * shape.factors
        self.cross = linears(*[inputs] * (shape.cross + 1))
        self.layers = linears(*([inputs, *shape.hidden] if shape.hidden else [0]))
        self.norms = cast(Sequence[BatchNorm], nn.ModuleList(map(BatchNorm, shape.hidden if shape.batch_norm else ())))
        last = inputs * bool(shape.cross) + [0, *shape.hidden][-1]
        self.output = nn.Linear(last, 1, bias=False) if last else None

    def draw(self, generator: torch.Generator) -> None:
        """Draw vectors from N(0, INIT_STD), layers as Glorot's."""
        nn.init.normal_(self.table, 0.0, INIT_STD, generator=generator)
        nn.init.zeros_(self.bias)
        for layer in [*self.cross, *self.layers]:
            glorot(layer, 0.0, generator)
        for norm in self.norms:
            norm.reset()
        if self.output is not None:
            nn.init.xavier_uniform_(self.output.weight, generator=generator)

    def forward(self, left: Tensor, right: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return (b, n): the logits of b users in contexts, each with n items.

        Parameters
        ----------
        left : (b, n_left, width).
        right : (b, n, n_right, width), or (1, n, n_right, width): the same items for all.
        generator : draws dropout, in training alone.
        """
        d = self.shape.factors
        (v, w), (u, z) = left.split([d, self.shape.linear], -1), right.split([d, self.shape.linear], -1)
        logits = self.bias + w.sum((1, 2))[:, None] + z.sum((2, 3))
        if self.shape.pairs:
            logits = logits + within(v)[:, None] + within(u) + times(v.sum(1), u.sum(2))
        if self.output is not None:
            logits = logits + self.output(self._deep(v.flatten(1), u.flatten(2), generator)).view(logits.shape)
        return logits

    def _deep(self, left: Tensor, right: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return (b n, h): what the cross network and the perceptron make of (b, l) and (b or 1, n, r)."""
        found, b, n = [], len(left), right.shape[1]
        if self.cross:
            x = start = torch.cat([left[:, None].expand(b, n, -1), right.expand(b, n, -1)], 2).flatten(0, 1)
            for layer in self.cross:
                x = x + start * layer(x)
            found.append(x)
        if self.shape.hidden:
            of_left, of_right = self.layers[0].weight.split([self.left, right.shape[-1]], 1)
            x = (left @ of_left.T + self.layers[0].bias)[:, None] + right @ of_right.T
            x = self._after(0, x.flatten(0, 1), generator)
            for number in range(1, len(self.layers)):
                x = self._after(number, self.layers[number](x), generator)
            found.append(x)
        return torch.cat(found, 1)

    def _after(self, number: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return what follows a layer of the perceptron: normalization, relu, dropout."""
        if self.norms:
            x = self.norms[number](x, training=generator is not None)
        x = torch.relu(x)
        return x if generator is None else dropout(x, self.shape.dropout, generator)


class BatchNorm(nn.Module):
    """Batch normalization (Ioffe and Szegedy, ICML 2015) whose caller says if it trains; momentum .1, eps 1e-5."""

    mean: Tensor
    variance: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(size)), nn.Parameter(torch.empty(size))
        self.register_buffer("mean", torch.empty(size))
        self.register_buffer("variance", torch.empty(size))

    def reset(self) -> None:
        for ones, zeros in ((self.weight, self.bias), (self.variance, self.mean)):
            nn.init.ones_(ones)
            nn.init.zeros_(zeros)

    def forward(self, x: Tensor, *, training: bool) -> Tensor:
        several = training and len(x) > 1  # one row has no variance
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, several)


def within(vectors: Tensor) -> Tensor:
    """Return (...): the sum of v . v' over pairs of f vectors, (..., f, d), in linear time (Rendle 2010, lemma 3.1)."""
    return (vectors.sum(-2).square().sum(-1) - vectors.square().sum((-2, -1))) / 2


def times(left: Tensor, right: Tensor) -> Tensor:
    """Return (b, n): products of b vectors with n vectors each, (b, n, d), or with the same n, (1, n, d)."""
    return left @ right[0].T if len(right) == 1 else (left[:, None] * right).sum(-1)


class FieldLesson(Lesson):
    """Logits predict the values of rows, or rank a row's item above unseen ones in the same context.

    Parameters
    ----------
    make : returns the network.
    fields : those of users, of items and of the context, by name of the table; the context has one entry a row.
    rows : int64 (m,) user, (m,) item and float32 (m,) value of each row.
    unseen, negatives : for the task rank, what draws unseen items, and how many for each row.
    regularization : of all vectors and weights of codes; lambda / 2 times their squared norm is added to the loss.
    decay : factor of the learning rate after a validation without improvement.
    """

    network: FieldNetwork

    def __init__(
        self,
        make: Callable[[], FieldNetwork],
        generator: torch.Generator,
        learning_rate: float,
        *,
        fields: Mapping[str, FieldTensors],
        rows: tuple[np.ndarray, np.ndarray, np.ndarray],
        task: Task,
        unseen: Unseen | None,
        negatives: int,
        regularization: float,
        decay: float,
    ) -> None:
        super().__init__(make, generator, learning_rate)
        self.fields, self.task, self.negatives, self.decay = fields, task, negatives, decay
        self.users, self.items, self.values = (torch.tensor(array, device=generator.device) for array in rows)
        self._unseen = unseen
        if task == "rating":
            nn.init.constant_(self.network.bias, float(self.values.mean()))
        others = [weights for name, weights in self.network.named_parameters() if name != "table"]
        groups: list[dict[str, Any]] = [
            {"params": [self.network.table], "weight_decay": regularization},
            {"params": others},
        ]
        self.optimizers = [torch.optim.Adam(groups, learning_rate, fused=True)]

    def passes(self, epoch: int) -> Iterator[Pass]:
        rows = torch.arange(len(self.users), device=self.users.device)
        if self._unseen is None:
            yield Pass((rows,), self._loss, self.optimizers[0])
        else:
            unseen = self._unseen.draw(self.users.repeat_interleave(self.negatives)).view(-1, self.negatives)
            yield Pass((rows, unseen), self._loss_of_ranks, self.optimizers[0])

    def _left(self, rows: Tensor) -> Tensor:
        table, users = self.network.table, self.users[rows]
        return torch.cat([self.fields["users"].vectors(table, users), self.fields["context"].vectors(table, rows)], 1)

    def _right(self, items: Tensor) -> Tensor:
        return self.fields["items"].vectors(self.network.table, items.flatten()).unflatten(0, items.shape)

    def _loss(self, rows: Tensor) -> Tensor:
        logits = self.network(self._left(rows), self._right(self.items[rows][:, None]), self.generator)[:, 0]
        values = self.values[rows]
        if self.task == "rating":
            return F.mse_loss(logits, values)
        return F.binary_cross_entropy_with_logits(logits, values)

    def _loss_of_ranks(self, rows: Tensor, unseen: Tensor) -> Tensor:
        right = self._right(torch.cat([self.items[rows][:, None], unseen], 1))
        logits = self.network(self._left(rows), right, self.generator)
        return F.cross_entropy(logits, torch.zeros_like(rows))


def scores(network: FieldNetwork, left: Tensor, right: Tensor) -> np.ndarray:
    """Return float32 (b, n): the logits of b users in contexts, (b, n_left, width), with n items, (n, n_right, width).

    In blocks of pairs, so that hidden layers fit into memory.
    """
    shape = network.shape
    wide = max([1, *shape.hidden, *([network.cross[0].in_features] if shape.cross else [])])
    step = max(1, HELD // (wide * max(1, len(right))))
    out = np.empty((len(left), len(right)), np.float32)
    for start in range(0, len(left), step):
        out[start : start + step] = network(left[start : start + step], right[None]).cpu().numpy()
    return out
