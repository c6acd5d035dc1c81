"""What networks are made of: modules without PyTorch's global generator, sparse rows, tables with features."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar, cast

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.features import all_features
from recexp.data import Dataset
from recexp.errors import IncompatibleError

M = TypeVar("M", bound=nn.Module)

HELD = 2**24
"""Numbers that are held at once where a layer, or scores of all items, would take more: 64 MiB."""


def empty(make: Callable[[], M], device: torch.device) -> M:
    """Return a module whose weights are not drawn yet: PyTorch itself would draw them from its global generator."""
    with torch.device("meta"):
        module = make()
    return module.to_empty(device=device)


def restored(make: Callable[[], M], weights: Mapping[str, np.ndarray], device: torch.device) -> M:
    """Return a module with these weights, which it shares on a CPU."""
    with torch.device("meta"):
        module = make()
    module.load_state_dict({name: torch.from_numpy(array).to(device) for name, array in weights.items()}, assign=True)
    return module


def linears(*sizes: int) -> Sequence[nn.Linear]:
    """Return a layer from each size to the next; a module, too."""
    return cast(Sequence[nn.Linear], nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes)))


def uniform(weights: Tensor, bound: float, generator: torch.Generator) -> None:
    """Draw weights from U(-bound, bound)."""
    nn.init.uniform_(weights, -bound, bound, generator=generator)


def glorot(layer: nn.Linear, bias_std: float, generator: torch.Generator) -> None:
    """Draw weights from U(-a, a), a = sqrt(6 / (inputs + outputs)) (Glorot and Bengio, AISTATS 2010), and biases."""
    uniform(layer.weight, math.sqrt(6 / sum(layer.weight.shape)), generator)
    nn.init.normal_(layer.bias, 0.0, bias_std, generator=generator)


def dropout(x: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Return x with each entry set to 0 by probability `rate`, and the others divided by 1 - rate.

    Four entries share a random number of 64 bits, which is much faster than a draw for each; rates are in steps of
    2^-16.
    """
    if not rate:
        return x
    low, high = torch.iinfo(torch.int16).min, torch.iinfo(torch.int16).max
    drawn = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
    drawn.random_(torch.iinfo(torch.int64).min, None, generator=generator)
    kept = drawn.view(torch.int16)[: x.numel()] >= low + min(round(rate * 2**16), high - low)
    return x * kept.view(x.shape) / (1 - rate)


class Rows:
    """Sparse rows as tensors, of which some are taken at a time.

    Parameters
    ----------
    matrix : float32 CSR (n, m).
    """

    def __init__(self, matrix: sp.csr_array, device: torch.device) -> None:
        self.shape = matrix.shape
        self._begin = torch.from_numpy(matrix.indptr.astype(np.int64)).to(device)
        self._columns = torch.from_numpy(matrix.indices.astype(np.int64)).to(device)
        self._values = torch.from_numpy(matrix.data.astype(np.float32)).to(device)

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the entries of b rows, in turn: row (0 to b - 1), column, value; and where each row begins."""
        start = self._begin[rows]
        lengths = self._begin[rows + 1] - start
        begin = lengths.cumsum(0) - lengths
        owner = torch.repeat_interleave(torch.arange(len(rows), device=rows.device), lengths)
        at = torch.arange(len(owner), device=rows.device) + (start - begin)[owner]
        return owner, self._columns[at], self._values[at], begin

    def lengths(self, rows: Tensor) -> Tensor:
        """Return int64 (b,): the entries of b rows."""
        return self._begin[rows + 1] - self._begin[rows]

    def times(self, rows: Tensor, right: Tensor) -> Tensor:
        """Return the product of b rows with a dense matrix (m, d): (b, d)."""
        _, columns, values, begin = self.take(rows)
        return F.embedding_bag(columns, right, begin, mode="sum", per_sample_weights=values)


def rows_of_features(train: Dataset, device: torch.device) -> tuple[Rows | None, Rows | None]:
    """Return the features of users and of items, None where there are none.

    Raises IncompatibleError where neither has any.
    """
    found = [all_features(train.users, train.n_users), all_features(train.items, train.n_items)]
    if not any(matrix.nnz for matrix in found):
        raise IncompatibleError(f"algorithm.features: {train.name} has neither user nor item features")
    users, items = (Rows(matrix, device) if matrix.nnz else None for matrix in found)
    return users, items


class Table(nn.Module):
    """A vector for each of n users or items: one of its own, plus, where there are features, what they add to it.

    Parameters
    ----------
    features : float32 CSR (n, f), or None.
    given : float32 (n, g), vectors from elsewhere of which a linear map is added; or None.
    own : whether each learns a vector of its own, which else stays 0.
    """

    def __init__(
        self, n: int, width: int, features: Rows | None = None, given: Tensor | None = None, *, own: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n, width))
        self.features, self.given, self.own = features, given, own
        if features is not None:
            self.of_features = nn.Parameter(torch.empty(features.shape[1], width))
        if given is not None:
            self.of_given = nn.Parameter(torch.empty(given.shape[1], width))

    def draw(self, std: float, generator: torch.Generator) -> None:
        """Draw all vectors from N(0, std)."""
        for weights in self.parameters():
            nn.init.normal_(weights, 0.0, std, generator=generator)
        if not self.own:
            nn.init.zeros_(self.weight).requires_grad_(False)

    def forward(self, index: Tensor) -> Tensor:
        """Return (b, width): the vectors at an index."""
        vectors = F.embedding(index, self.weight)
        if self.features is not None:
            vectors = vectors + self.features.times(index, self.of_features)
        return vectors if self.given is None else vectors + self.given[index] @ self.of_given

    def whole(self) -> Tensor:
        """Return (n, width): all vectors."""
        if self.features is None and self.given is None:
            return self.weight
        return self(torch.arange(len(self.weight), device=self.weight.device))


def folded(network: nn.Module) -> dict[str, Tensor]:
    """Return the state of the network without features whose tables have what features add."""
    added = ("of_features", "of_given")
    state = {name: value for name, value in network.state_dict().items() if not name.endswith(added)}
    tables = {name: part for name, part in network.named_modules() if isinstance(part, Table)}
    return {**state, **{f"{name}.weight": table.whole() for name, table in tables.items()}}
