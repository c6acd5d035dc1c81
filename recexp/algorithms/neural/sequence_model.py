"""SequenceModel: the base of networks that read a history in its order."""

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recexp import checksums
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.features import all_features
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import foresee
from recexp.algorithms.neural.base import NeuralModel
from recexp.algorithms.neural.item_vectors import item_vectors
from recexp.algorithms.sessions import training_sessions
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError, IncompatibleError
from recexp.io import check_file
from recexp.params import Fraction, Location, Size, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson
    from recexp.algorithms.neural.networks.modules import Table
    from recexp.algorithms.neural.networks.sequence_losses import SequenceLoss
    from recexp.algorithms.neural.networks.sequences import SequenceNetwork, Sequences

BLOCK = 512
"""Queries that are scored at once."""
ACTIVATIONS = 40
"""Numbers held in training for each number of a vector, at each place of a batch: an estimate."""
LOGITS = 8
"""Numbers held in training for each negative, at each place of a batch: an estimate; by the loss 4 to 10."""


@params
class SequenceModel(NeuralModel):
    """score(u, i) = h(u) . e_i, h what a network makes of the latest items of u's history.

    A user's rows in train, in time order, are a sequence, whose latest `length` + 1 the model learns from. A batch
    reads them from the rows; nothing is stored for a prefix. The split's `exclude_seen` says whether seen items may be
    recommended again. Serves anyone with a history.

    An item's vector e is the sum of a vector of its own (`item_ids`), what its features add (`item_features`, see
    `features.all_features`), and a linear map of its vector from a file (`item_vectors`). With item_ids=false new items
    are recommended by what is known of them. Where nothing is, items without rows are learned to be unlikely.

    Parameters
    ----------
    factors : numbers of an item's vector.
    length : latest items of a history that are read.
    dropout : probability of leaving out a number in training.
    item_ids, item_features : what an item's vector is made of.
    item_vectors : an npz file with `ids` and `vectors`; None: none.
    weights : a context column of numbers of 0 or more, the weights of rows as targets; None: all weigh alike.
    """

    factors: Size
    length: Size
    dropout: Fraction
    item_ids: bool
    item_features: bool
    item_vectors: Location | None
    weights: str | None

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        needs = {"order"} | ({"item_features"} if self.item_features else set())
        return Capabilities(needs=frozenset(needs | ({f"context.{self.weights}"} if self.weights else set())))

    def check(self) -> None:
        if not (self.item_ids or self.item_features or self.item_vectors):
            raise IncompatibleError(
                "algorithm.item_ids: false leaves nothing that tells items apart; set algorithm.item_features=true or "
                "algorithm.item_vectors=FILE"
            )
        if self.item_vectors is not None:
            check_file(Path(self.item_vectors).expanduser(), f"algorithm.item_vectors: {self.item_vectors}")

    def contents(self) -> dict[str, str]:
        path = Path(self.item_vectors or "").expanduser()
        return {"item_vectors": checksums.sha256(path)} if self.item_vectors and path.is_file() else {}

    def score(self, queries: Queries) -> np.ndarray:
        import torch

        scores = np.zeros((len(queries), queries.n_items), np.float32)
        with self._asked(lambda: self._plain(queries.n_items)) as network:
            items = network.items.whole()
            sequences = self._sequences(queries.log, items.device)
            for first in range(0, len(queries), BLOCK):
                block = slice(first, first + BLOCK)
                start, stop = (torch.tensor(ends[block], device=items.device) for ends in (queries.start, queries.stop))
                scores[block] = (network.last(sequences, start, stop) @ items.T).cpu().numpy()
        return scores

    @abstractmethod
    def _network_of(self, items: "Table") -> "SequenceNetwork":
        """Return a network over items of these vectors."""

    @abstractmethod
    def _loss(self, known: "torch.Tensor") -> "SequenceLoss":
        """Return the loss; `known`, int64 (n,), are the items that it compares, ascending."""

    def _sequences(self, rows: Interactions, device: "torch.device") -> "Sequences":
        from recexp.algorithms.neural.networks.sequences import Sequences

        return Sequences(rows, self.length, device, left=self._pads_left(), gaps=self._reads_gaps())

    def _pads_left(self) -> bool:
        """Return whether sequences are padded on the left."""
        return False

    def _reads_gaps(self) -> bool:
        """Return whether the network reads the times between events."""
        return False

    def _plain(self, n_items: int) -> "SequenceNetwork":
        from recexp.algorithms.neural.networks.modules import Table

        return self._network_of(Table(n_items, self.factors))

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        import torch

        from recexp.algorithms.neural.networks.modules import Rows, Table
        from recexp.algorithms.neural.networks.sequences import SequenceLesson

        rows, begin = training_sessions(replace(train, interactions=replace(train.interactions, sessions=None)))
        device, long = generator.device, np.flatnonzero(np.diff(begin) > 1)
        self._foresee(len(long), train.n_items)
        features = Rows(all_features(train.items, train.n_items), device) if self.item_features else None
        given = None
        if self.item_vectors is not None:
            given = torch.from_numpy(item_vectors(Path(self.item_vectors).expanduser(), train)).to(device)
        described = self.item_features or self.item_vectors is not None
        known = rows.used_items if described else np.arange(train.n_items)  # else items without rows would keep 0
        start, stop = (torch.from_numpy(ends.astype(np.int64)).to(device) for ends in (begin[long], begin[long + 1]))
        return SequenceLesson(
            self._sequences(rows, device),
            (start, stop),
            self._weights(rows, device),
            lambda: self._network_of(Table(train.n_items, self.factors, features, given, own=self.item_ids)),
            self._loss(torch.from_numpy(known).to(device)),
            generator,
            learning_rate=self.learning_rate,
        )

    def _weights(self, rows: Interactions, device: "torch.device") -> "torch.Tensor | None":
        import torch

        if self.weights is None:
            return None
        column = rows.context[self.weights]
        if column.kind not in ("numeric", "price") or not (np.isfinite(column.values) & (column.values >= 0)).all():
            raise DataError(f"algorithm.weights: the context column {self.weights} must hold numbers of 0 or more")
        if not column.values.any():
            raise DataError(
                f"algorithm.weights: the context column {self.weights} is 0 in all rows; nothing is learned"
            )
        return torch.from_numpy((column.values / column.values.max()).astype(np.float32)).to(device)

    def _foresee(self, sequences: int, n_items: int) -> None:
        places, drawn = min(self.batch_size, sequences) * self.length, min(self._drawn(), n_items)
        foresee(
            type(self).__name__,
            f"windows of {self.length:,} items",
            memory=4 * (places * (self.factors * ACTIVATIONS + drawn * LOGITS) + 4 * n_items * self.factors),
            instead=f"a smaller algorithm.length{', algorithm.negatives' if drawn else ''} or algorithm.batch_size",
        )

    def _drawn(self) -> int:
        """Return how many negatives are drawn for a place at most."""
        return 0


def check_heads(factors: int, heads: int) -> None:
    """Raise ConfigError unless `factors` can be divided among `heads`."""
    if factors % heads:
        raise ConfigError(f"algorithm.heads: {heads} does not divide algorithm.factors ({factors})")
