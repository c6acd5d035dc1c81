"""A recurrent network over sequences of items."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.networks.modules import Table, dropout, uniform
from recexp.algorithms.neural.networks.sequences import BUCKETS, INIT_STD, Batch, CausalNetwork

Cell = Literal["gru", "lstm", "rnn"]
CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class Recurrent(CausalNetwork):
    """Cells read an item a step; what they put out is compared with the vectors of items.

    Parameters
    ----------
    items : the vectors of items, of which `width` numbers each go in.
    hidden : numbers of each layer's state.
    rate : probability of leaving out a number between layers, in training.
    gaps : whether the time since the event before adds a vector to that of the item.
    """

    def __init__(self, items: Table, width: int, hidden: int, layers: int, cell: Cell, rate: float, gaps: bool) -> None:
        super().__init__()
        self.items, self.rate = items, rate
        self.gaps = nn.Parameter(torch.empty(BUCKETS, width)) if gaps else None
        sizes = [width, *[hidden] * layers]
        cells = nn.ModuleList(CELLS[cell](*pair, batch_first=True) for pair in pairwise(sizes))
        self.cells = cast(Sequence[nn.RNNBase], cells)
        self.output = nn.Linear(hidden, width) if hidden != width else None

    def draw(self, generator: torch.Generator) -> None:
        """Draw vectors from N(0, INIT_STD), weights of cells from U(-1 / sqrt(hidden), 1 / sqrt(hidden))."""
        self.items.draw(INIT_STD, generator)
        if self.gaps is not None:
            nn.init.normal_(self.gaps, 0.0, INIT_STD, generator=generator)
        for part in [*self.cells, self.output]:
            for weights in part.parameters() if part is not None else ():
                uniform(weights, self.cells[0].hidden_size ** -0.5, generator)

    def forward(self, batch: Batch, generator: torch.Generator | None = None) -> Tensor:
        x = self.embed(batch)
        if self.gaps is not None and batch.gaps is not None:
            x = x + F.embedding(batch.gaps, self.gaps)
        for cell in self.cells:
            x, _ = cell(x if generator is None else dropout(x, self.rate, generator))
        return x if self.output is None else self.output(x)
