"""AutoRec's network: from a row of ratings to all ratings of that row."""

from collections.abc import Iterator
from typing import Literal

import scipy.sparse as sp
import torch
from torch import Tensor, nn

from recexp.algorithms.neural.lesson import Lesson, Network, Pass
from recexp.algorithms.neural.networks.modules import Rows, glorot, uniform


class RatingNetwork(Network):
    """h(r) = W sigmoid(V r + a) + b, of rows of n ratings, 0 where unknown, whose mean is `mean`."""

    def __init__(self, n: int, hidden: int, mean: float) -> None:
        super().__init__()
        self.mean = mean
        self.reader = nn.Parameter(torch.empty(n, hidden))
        self.bias = nn.Parameter(torch.empty(hidden))
        self.output = nn.Linear(hidden, n)

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights as Glorot's; all ratings begin near the mean."""
        uniform(self.reader, (6 / sum(self.reader.shape)) ** 0.5, generator)
        nn.init.zeros_(self.bias)
        glorot(self.output, 0.0, generator)
        nn.init.constant_(self.output.bias, self.mean)

    def forward(self, ratings: Rows, rows: Tensor) -> Tensor:
        """Return (b, n): the ratings of b rows."""
        return self.output(self.inside(ratings, rows))

    def inside(self, ratings: Rows, rows: Tensor) -> Tensor:
        """Return (b, hidden): the inner layer of b rows."""
        return torch.sigmoid(ratings.times(rows, self.reader) + self.bias)


class RatingLesson(Lesson):
    """Rows of ratings that are to be given back: squared errors of known ones, and of weights.

    Parameters
    ----------
    x : CSR (rows, n) of ratings in units; rows without teach nothing.
    by : whether the rows are of users or of items.
    mean, unit : of the ratings, and in which they are.
    regularization : of sum of errors^2 + regularization / 2 (|V|^2 + |W|^2), which a batch has its share of.
    """

    network: RatingNetwork

    def __init__(
        self,
        x: sp.csr_array,
        by: Literal["user", "item"],
        hidden: int,
        generator: torch.Generator,
        *,
        mean: float,
        unit: float,
        learning_rate: float,
        regularization: float,
    ) -> None:
        super().__init__(lambda: RatingNetwork(x.shape[1], hidden, mean), generator, learning_rate)
        self._ratings = Rows(x, generator.device)
        everything = torch.arange(x.shape[0], device=generator.device)
        self._rows = everything[self._ratings.lengths(everything) > 0]
        self._by, self._unit, self._regularization = by, unit, regularization

    def passes(self, epoch: int) -> Iterator[Pass]:
        yield Pass((self._rows,), self._loss, self.optimizers[0])

    def _loss(self, rows: Tensor) -> Tensor:
        owner, columns, values, _ = self._ratings.take(rows)
        errors = ((self.network(self._ratings, rows)[owner, columns] - values) ** 2).sum() / len(rows)
        norms = (self.network.reader**2).sum() + (self.network.output.weight**2).sum()
        return errors + self._regularization / (2 * len(self._rows)) * norms

    def weights(self) -> dict[str, Tensor]:
        """Return vectors and biases of users and items, of ratings as they are."""
        network, unit = self.network, self._unit
        outside = {"weight": network.output.weight * unit, "bias": network.output.bias * unit}
        if self._by == "user":
            reader = {"reader": network.reader / unit, "reader_bias": network.bias}
            return {**reader, "items": outside["weight"], "item_biases": outside["bias"]}
        inside = network.inside(self._ratings, torch.arange(self._ratings.shape[0], device=network.bias.device))
        biases = torch.zeros(len(inside), device=inside.device)
        return {"users": outside["weight"], "user_biases": outside["bias"], "items": inside, "item_biases": biases}
