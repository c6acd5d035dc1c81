"""Sequences of items as padded batches, and networks that predict the next item."""

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recexp.algorithms.neural.lesson import Lesson, Network, Pass
from recexp.algorithms.neural.networks.modules import Table, folded
from recexp.algorithms.neural.networks.sequence_losses import SequenceLoss
from recexp.data import Interactions

INIT_STD = 0.02
"""Standard deviation of initial vectors."""
BUCKETS = 32
"""Buckets of the time between two events: 0 for a first event, then powers of two of a second up to 2^30 (34 years)."""


@dataclass(frozen=True)
class Batch:
    """b sequences side by side, l places wide.

    Attributes
    ----------
    items : int64 (b, l); any item where there is none.
    present : bool (b, l): where there is one.
    places : int64 (b, l): each item's place in a window whose last place is that of the latest item.
    rows : int64 (b, l): where each item is in the rows.
    gaps : int64 (b, l): the bucket of the time since the event before, or None.
    """

    items: Tensor
    present: Tensor
    places: Tensor
    rows: Tensor
    gaps: Tensor | None


class Sequences:
    """Rows in order, of which ranges are read; nothing is stored for a prefix.

    Parameters
    ----------
    rows : m rows, those of a sequence side by side, oldest first.
    length : places of a window; of a longer range the latest items are read.
    left : whether sequences are padded to `length` places on the left; else on the right, to the longest of a batch.
    gaps : whether times between events are read.
    """

    def __init__(self, rows: Interactions, length: int, device: torch.device, *, left: bool, gaps: bool) -> None:
        self.items = _shared(rows.items, device)
        self.times = _shared(rows.timestamps, device) if gaps and rows.timestamps is not None else None
        self.per_second, self.length, self.left = rows.per_second, length, left

    def read(self, start: Tensor, stop: Tensor) -> Batch:
        """Return the items in rows start to stop - 1, int64 (b,) each."""
        start = torch.maximum(start, stop - self.length)
        width = self.length if self.left else max(int((stop - start).max()), 1)
        first = stop - width if self.left else start
        rows = first[:, None] + torch.arange(width, device=start.device)
        present = (rows >= start[:, None]) & (rows < stop[:, None])
        places = (rows - stop[:, None] + self.length).clamp(0, self.length - 1)
        rows = rows.clamp(0, max(len(self.items) - 1, 0))
        return Batch(self.items[rows].long(), present, places, rows, self._gaps(rows, start))

    def _gaps(self, rows: Tensor, start: Tensor) -> Tensor | None:
        if self.times is None:
            return None
        seconds = (self.times[rows] - self.times[(rows - 1).clamp(min=0)]).clamp(min=0) // self.per_second
        buckets = torch.log2(seconds.double() + 1).long() + 1
        return torch.where(rows == start[:, None], 0, buckets.clamp(max=BUCKETS - 1))


class SequenceNetwork(Network):
    """What gives a vector for the next item of a sequence; an item's score is the product with its own vector."""

    items: Table
    share = 1.0  # of the places of a sequence, how many are learned from

    def embed(self, batch: Batch) -> Tensor:
        """Return float (b, l, width): the vectors of a batch's items."""
        vectors: Tensor = self.items(batch.items.flatten()).view(*batch.items.shape, -1)
        return vectors

    @abstractmethod
    def taught(
        self, sequences: Sequences, start: Tensor, stop: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return vectors, float (b, l, width), the rows of what should follow, int64 (b, l), and where there is any."""

    @abstractmethod
    def last(self, sequences: Sequences, start: Tensor, stop: Tensor) -> Tensor:
        """Return float (b, width): vectors for what follows after rows start to stop - 1."""


class CausalNetwork(SequenceNetwork):
    """A network whose vector at each place depends on the items up to that place alone."""

    @abstractmethod
    def forward(self, batch: Batch, generator: torch.Generator | None = None) -> Tensor:
        """Return float (b, l, width), in training where there is a generator."""

    def taught(
        self, sequences: Sequences, start: Tensor, stop: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        batch = sequences.read(start, stop - 1)
        return self(batch, generator), batch.rows + 1, batch.present

    def last(self, sequences: Sequences, start: Tensor, stop: Tensor) -> Tensor:
        batch = sequences.read(start, stop)
        return at_end(self(batch), batch)


def _shared(array: np.ndarray, device: torch.device) -> Tensor:
    """Return the array as a tensor, which on a CPU is the same memory: it must not be written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array).to(device)


def at_end(vectors: Tensor, batch: Batch) -> Tensor:
    """Return float (b, width): of vectors (b, l, width) those of the latest items, 0 where there is none."""
    places = torch.arange(batch.present.shape[1], device=vectors.device)
    end = torch.where(batch.present, places, 0).amax(1)
    at = torch.arange(len(vectors), device=vectors.device)
    return vectors[at, end] * batch.present.any(1, keepdim=True)


class SequenceLesson(Lesson):
    """Each item of a sequence is predicted from the items before it, or around it.

    Parameters
    ----------
    sequences : the rows.
    ranges : int64 (n,) each: where in them each sequence starts and stops.
    weights : float32 (m,): weight of each row as a target; None: 1.
    loss : summed over places.
    """

    network: SequenceNetwork

    def __init__(
        self,
        sequences: Sequences,
        ranges: tuple[Tensor, Tensor],
        weights: Tensor | None,
        make: Callable[[], SequenceNetwork],
        loss: SequenceLoss,
        generator: torch.Generator,
        *,
        learning_rate: float,
    ) -> None:
        super().__init__(make, generator, learning_rate)
        self._sequences, self._ranges, self._criterion = sequences, ranges, loss
        self._weights = None if weights is None else weights / weights.mean()
        self._places = (ranges[1] - ranges[0] - 1).clamp(max=sequences.length)
        self._usual = float(self._places.double().mean()) * self.network.share

    def passes(self, epoch: int) -> Iterator[Pass]:
        yield Pass(self._ranges, self._loss, self.optimizers[0], None if self._sequences.left else self._places)

    def weights(self) -> dict[str, Tensor]:
        """Return the network's state, with what features add to items in the items' own vectors."""
        return folded(self.network)

    def _loss(self, start: Tensor, stop: Tensor) -> Tensor:
        """Return the loss of a batch over the usual number of places, so that a place weighs alike in any batch."""
        vectors, rows, asked = self.network.taught(self._sequences, start, stop, self.generator)
        rows = rows.clamp(max=len(self._sequences.items) - 1)
        weights = asked.to(vectors.dtype) if self._weights is None else asked * self._weights[rows]
        items, targets = self.network.items.whole(), self._sequences.items[rows].long()
        return self._criterion(vectors, targets, weights, items, self.generator) / (len(start) * self._usual)
