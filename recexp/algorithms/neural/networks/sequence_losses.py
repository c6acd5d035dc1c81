"""Losses of networks that predict the next item: over all items, or over some that are drawn."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from recexp.algorithms.neural.networks.modules import HELD


class SequenceLoss(ABC):
    """A sum over places, each of some weight."""

    @abstractmethod
    def __call__(
        self, vectors: Tensor, targets: Tensor, weights: Tensor, items: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return the weighted sum of losses.

        Parameters
        ----------
        vectors : float (b, l, width): what the network puts out at each place.
        targets : int64 (b, l): the item to predict.
        weights : float (b, l): 0 where there is none.
        items : float (n_items, width).
        """


class SoftmaxOfAll(torch.autograd.Function):
    """The weighted sum of -log softmax(v . items)[target]; its gradient is worked out with it, block by block."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, items: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        loss = vectors.new_zeros(())
        of_vectors, of_items = torch.empty_like(vectors), torch.zeros_like(items)
        step = max(1, HELD // len(items))
        for start in range(0, len(vectors), step):
            block = slice(start, start + step)
            weight, target = weights[block, None], targets[block, None]
            logits = (vectors[block] @ items.T).float()  # autocast multiplies in bfloat16
            log_sum = torch.logsumexp(logits, 1, keepdim=True)
            loss += ((log_sum - logits.gather(1, target)) * weight).sum()
            gradient = logits.sub_(log_sum).exp_().mul_(weight).scatter_add_(1, target, -weight)
            torch.mm(gradient, items, out=of_vectors[block])
            of_items.addmm_(gradient.T, vectors[block])
        ctx.save_for_backward(of_vectors, of_items)
        return loss

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        of_vectors, of_items = ctx.saved_tensors
        return gradient * of_vectors, gradient * of_items, None, None


@dataclass(frozen=True)
class CrossEntropy(SequenceLoss):
    """-log softmax over all known items; others are not learned to be unlikely.

    Parameters
    ----------
    known : int64 (n,), the items that are compared, ascending.
    """

    known: Tensor

    def __call__(
        self, vectors: Tensor, targets: Tensor, weights: Tensor, items: Tensor, generator: torch.Generator
    ) -> Tensor:
        at = weights > 0
        asked = targets[at]
        if len(self.known) < len(items):
            items, asked = items[self.known], torch.searchsorted(self.known, asked)
        loss: Tensor = SoftmaxOfAll.apply(vectors[at].float(), items.float(), asked, weights[at].float())
        return loss


@dataclass(frozen=True)
class SampledLoss(SequenceLoss):
    """A loss over the item that came next and others, which are drawn uniformly from those known.

    A single one is drawn for each place. Several are shared by the places of a sequence or of the batch. A drawn item
    that is the target does not count.

    Parameters
    ----------
    known : int64 (n,), the items that negatives are drawn from.
    negatives : how many are drawn; all, each once, where there are no more than that.
    shared : by what several are shared: for short sequences drawing for each is most of the work.
    """

    known: Tensor
    negatives: int
    shared: Literal["sequence", "batch"]

    def __call__(
        self, vectors: Tensor, targets: Tensor, weights: Tensor, items: Tensor, generator: torch.Generator
    ) -> Tensor:
        positive = (vectors * F.embedding(targets, items)).sum(-1)
        drawn = self._draw(targets, generator)
        others = F.embedding(drawn, items)
        if len(drawn) == 1:
            negative = vectors @ others[0, 0].T
        elif drawn.shape[1] == 1:
            negative = vectors @ others[:, 0].transpose(1, 2)
        else:
            negative = (vectors * others[:, :, 0]).sum(-1, keepdim=True)
        losses = self._losses(positive.float(), negative.float(), drawn == targets[:, :, None])
        return (losses * weights).sum()

    def _draw(self, targets: Tensor, generator: torch.Generator) -> Tensor:
        """Return int64 (1, 1, n) of items for the batch, (b, 1, n) for each sequence, or (b, l, 1) for each place."""
        n = len(self.known)
        if self.negatives >= n:
            return self.known[None, None]
        shape = (*targets.shape, 1)
        if self.negatives > 1:
            shape = (1 if self.shared == "batch" else len(targets), 1, self.negatives)
        return self.known[torch.randint(n, shape, generator=generator, device=targets.device)]

    @abstractmethod
    def _losses(self, positive: Tensor, negative: Tensor, same: Tensor) -> Tensor:
        """Return (b, l) from scores (b, l) and (b, l, n); `same` says where a negative is the target."""


@dataclass(frozen=True)
class SampledSoftmax(SampledLoss):
    """-log softmax over the target and the negatives.

    Parameters
    ----------
    log_q : whether negatives stand for all others: each weighs known / negatives, by its log Q. As those that are the
        target do not count, their sum is then on average that over all others.
    """

    log_q: bool

    def _losses(self, positive: Tensor, negative: Tensor, same: Tensor) -> Tensor:
        others = torch.logsumexp(negative.masked_fill(same, -torch.inf), -1)
        if self.log_q and self.negatives < len(self.known):
            others = others + math.log(len(self.known) / self.negatives)
        return F.softplus(others - positive)


@dataclass(frozen=True)
class BinaryCrossEntropy(SampledLoss):
    """-(beta log sigmoid(target) + the sum of log sigmoid(-negative)) / (negatives + 1), beta = t (a - 1) + 1.

    a = negatives / (known - 1): generalized binary cross-entropy of Petrov and Macdonald (RecSys 2023, equations 8 and
    14); t = 0 is the plain one.

    Parameters
    ----------
    t : calibration.
    """

    t: float

    def _losses(self, positive: Tensor, negative: Tensor, same: Tensor) -> Tensor:
        a = min(1.0, self.negatives / max(len(self.known) - 1, 1))
        beta = self.t * (a - 1) + 1
        others = F.softplus(negative).masked_fill(same, 0.0).sum(-1)
        return (beta * F.softplus(-positive) + others) / (negative.shape[-1] + 1)


@dataclass(frozen=True)
class BPRMax(SampledLoss):
    """-log of the sum of s_j sigmoid(target - j), plus `penalty` times the sum of s_j j^2, s = softmax(negatives).

    Hidasi and Karatzoglou (CIKM 2018, equations 10 and 11).

    Parameters
    ----------
    penalty : of squared scores.
    """

    penalty: float

    def _losses(self, positive: Tensor, negative: Tensor, same: Tensor) -> Tensor:
        share = torch.log_softmax(negative.masked_fill(same, torch.finfo(negative.dtype).min), -1)
        above = torch.logsumexp(share + F.logsigmoid(positive[..., None] - negative), -1)
        losses = self.penalty * (share.exp() * negative**2).sum(-1) - above
        return losses.masked_fill(same.all(-1), 0.0)
