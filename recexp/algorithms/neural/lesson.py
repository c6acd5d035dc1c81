"""What a network is taught."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Pass:
    """One pass over examples, in an order that is drawn, batch by batch.

    Attributes
    ----------
    examples : tensors of equal length, an example a row.
    loss : returns the mean loss of a batch, given the rows of each of `examples`.
    optimizer : takes the steps.
    """

    examples: tuple[Tensor, ...]
    loss: Callable[..., Tensor]
    optimizer: torch.optim.Optimizer


class Lesson(ABC):
    """What there is to learn: a network, its optimizers, and the passes over data that are an epoch.

    All that training changes is in the network's state, the optimizers and the generator that the lesson was made with.
    """

    network: nn.Module
    optimizers: Sequence[torch.optim.Optimizer]

    @abstractmethod
    def passes(self, epoch: int) -> Iterator[Pass]:
        """Yield the passes of an epoch, from 1 on; the last one's loss is that of the epoch."""

    def weights(self) -> dict[str, Tensor]:
        """Return what the model answers with, by name."""
        return self.network.state_dict()
