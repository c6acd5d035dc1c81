"""What a network is taught."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recexp.algorithms.neural.networks.modules import empty

POOL = 8
"""Batches' worth of examples, drawn at random, of which those of like size become a batch."""


@dataclass(frozen=True)
class Pass:
    """One pass over examples, in an order that is drawn, batch by batch.

    Attributes
    ----------
    examples : tensors of equal length, an example a row.
    loss : returns the mean loss of a batch, given the rows of each of `examples`.
    optimizer : takes the steps.
    sizes : int (n,), or None. Examples of like size are put into a batch, which then has less padding.
    """

    examples: tuple[Tensor, ...]
    loss: Callable[..., Tensor]
    optimizer: torch.optim.Optimizer
    sizes: Tensor | None = None

    def batches(self, size: int, generator: torch.Generator) -> Sequence[Tensor]:
        """Return the examples of each batch, int64, in an order that is drawn."""
        n, device = len(self.examples[0]), generator.device
        order = torch.randperm(n, generator=generator, device=device)
        if self.sizes is None:
            return order.split(size)
        pool = torch.arange(n, device=device) // (POOL * size)
        order = order[torch.argsort(pool * (self.sizes.max() + 1) + self.sizes[order], stable=True)]
        batches = order.split(size)
        return [batches[i] for i in torch.randperm(len(batches), generator=generator, device=device).tolist()]


class Network(nn.Module, ABC):
    """A module that draws its first weights from a generator.

    Dropout and the like take a generator, too, and in training alone (see `modules.dropout`): PyTorch's own modules for
    that draw from its global generator, and would go on when the model answers, for no network is switched to `eval`.
    """

    @abstractmethod
    def draw(self, generator: torch.Generator) -> None:
        """Draw all weights."""


class Lesson(ABC):
    """What there is to learn: a network, its optimizers, and the passes over data that make up an epoch.

    All that training changes is in the network's state, the optimizers and the generator.

    Parameters
    ----------
    make : returns the network.
    generator : the source of all randomness; its device is that of all tensors.
    learning_rate : of Adam, which learns all weights unless a subclass sets other `optimizers`.

    Attributes
    ----------
    decay : factor of learning rates after a validation without improvement, and in a later fit after the same epochs.
    """

    decay = 1.0
    network: Network
    optimizers: Sequence[torch.optim.Optimizer]

    def __init__(self, make: Callable[[], Network], generator: torch.Generator, learning_rate: float) -> None:
        self.generator = generator
        self.network = empty(make, generator.device)
        self.network.draw(generator)
        self.optimizers = [adam(self.network, learning_rate)]

    @abstractmethod
    def passes(self, epoch: int) -> Iterator[Pass]:
        """Yield the passes of an epoch, from 1 on; the last one's loss is that of the epoch."""

    def weights(self) -> dict[str, Tensor]:
        """Return what the model answers with, by name."""
        return self.network.state_dict()


def adam(network: nn.Module, learning_rate: float) -> torch.optim.Adam:
    """Return Adam for all weights of a network, which updates each tensor in one pass (`fused`)."""
    return torch.optim.Adam(network.parameters(), learning_rate, fused=True)
