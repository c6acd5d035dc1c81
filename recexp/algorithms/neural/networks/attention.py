"""Transformers over sequences of items, causal (SASRec) and in both directions (BERT4Rec)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recexp.algorithms.neural.networks.modules import Table, dropout
from recexp.algorithms.neural.networks.sequences import (
    INIT_STD,
    Batch,
    CausalNetwork,
    SequenceNetwork,
    Sequences,
    at_end,
)

Norm = Literal["pre", "original", "post"]
Layer = Literal["standard", "ligr"]


@dataclass(frozen=True)
class TransformerShape:
    """What the blocks of a transformer are.

    Attributes
    ----------
    width : numbers of a place.
    norm : pre: x + f(LN(x)); original: LN(x) + f(LN(x)), keys and values of x, as SASRec has it; post: LN(x + f(x)).
    layer : standard: relu (post: gelu) layers; ligr: gated (Borisyuk et al., 2025), with norm pre.
    wider : how many times `width` the inner layer of a block has.
    rate : probability of leaving out a number, in training.
    eps : what is added to variances in norms.
    """

    width: int
    blocks: int
    heads: int
    norm: Norm
    layer: Layer
    wider: int
    rate: float
    eps: float


class Attention(nn.Module):
    """Multi-head attention, softmax(q k / sqrt(width / heads)) v, with layers to and from."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))

    def forward(self, asking: Tensor, asked: Tensor, visible: Tensor | None) -> Tensor:
        """Return (b, l, width); a place sees those before it and itself, or, if given, `visible`, bool (b, 1, 1, l)."""
        q, k, v = self._split(self.query(asking)), self._split(self.key(asked)), self._split(self.value(asked))
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=visible, is_causal=visible is None)
        return self.output(found.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """Attention, then layers at each place."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.shape, inner, gated = shape, shape.wider * shape.width, shape.layer == "ligr"
        self.attention = Attention(shape.width, shape.heads)
        self.norms = nn.ModuleList(nn.LayerNorm(shape.width, shape.eps) for _ in range(2))
        self.inner = nn.Linear(shape.width, (2 if gated else 1) * inner, bias=not gated)
        self.outer = nn.Linear(inner, shape.width, bias=not gated)
        self.gates = nn.ModuleList(nn.Linear(shape.width, shape.width) for _ in range(2)) if gated else None

    def forward(self, x: Tensor, visible: Tensor | None, generator: torch.Generator | None) -> Tensor:
        first, second = self.norms
        if self.shape.norm == "post":
            x = first(x + self._kept(self.attention(x, x, visible), generator))
            return second(x + self._layers(x, generator))
        normed = first(x)
        if self.shape.norm == "original":
            x = normed + self._kept(self.attention(normed, x, visible), generator)
            y = second(x)
            return y + self._layers(y, generator)
        x = x + self._gate(0, x, self._kept(self.attention(normed, normed, visible), generator))
        return x + self._gate(1, x, self._layers(second(x), generator))

    def _layers(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        x = self.inner(x)
        if self.gates is not None:
            gate, x = x.chunk(2, -1)
            x = F.silu(gate) * x
        else:
            x = F.gelu(x) if self.shape.norm == "post" else F.relu(x)
        return self._kept(self.outer(self._kept(x, generator)), generator)

    def _gate(self, number: int, x: Tensor, added: Tensor) -> Tensor:
        return added if self.gates is None else torch.sigmoid(self.gates[number](x)) * added

    def _kept(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        return x if generator is None else dropout(x, self.shape.rate, generator)


class Transformer(nn.Module):
    """Places are added to what is there, then blocks follow.

    Parameters
    ----------
    length : places of a window.
    """

    def __init__(self, shape: TransformerShape, length: int) -> None:
        super().__init__()
        self.shape = shape
        self.places = nn.Parameter(torch.empty(length, shape.width))
        self.blocks = cast(Sequence[Block], nn.ModuleList(Block(shape) for _ in range(shape.blocks)))
        self.norm = nn.LayerNorm(shape.width, shape.eps)

    def draw(self, generator: torch.Generator) -> None:
        """Draw places from N(0, INIT_STD) and layers as Glorot's, with biases of 0."""
        nn.init.normal_(self.places, 0.0, INIT_STD, generator=generator)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight, generator=generator)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
            elif isinstance(part, nn.LayerNorm):
                nn.init.ones_(part.weight)
                nn.init.zeros_(part.bias)

    def forward(self, x: Tensor, batch: Batch, visible: Tensor | None, generator: torch.Generator | None) -> Tensor:
        """Return (b, l, width) from what is at each place."""
        x = x + F.embedding(batch.places, self.places)
        if self.shape.norm == "post":
            x = self.norm(x)
        if generator is not None:
            x = dropout(x, self.shape.rate, generator)
        x = x * batch.present[:, :, None]
        for block in self.blocks:
            x = block(x, visible, generator)
        return x if self.shape.norm == "post" else self.norm(x)


class CausalTransformer(CausalNetwork):
    """SASRec: a place sees what was before it. Padding is on the right, where nothing that counts sees it.

    With norm original it is on the left and is seen, as in the code by which published weights were learned.
    """

    def __init__(self, items: Table, shape: TransformerShape, length: int) -> None:
        super().__init__()
        self.items, self.body = items, Transformer(shape, length)

    def draw(self, generator: torch.Generator) -> None:
        self.items.draw(INIT_STD, generator)
        self.body.draw(generator)

    def forward(self, batch: Batch, generator: torch.Generator | None = None) -> Tensor:
        x = self.embed(batch)
        out: Tensor = self.body(x * math.sqrt(x.shape[-1]), batch, None, generator)
        return out


class MaskedTransformer(SequenceNetwork):
    """BERT4Rec: masked items are predicted from the items around them; the next item is a mask at the end.

    Parameters
    ----------
    share : probability that an item is masked, in training.
    """

    def __init__(self, items: Table, shape: TransformerShape, length: int, share: float) -> None:
        super().__init__()
        self.items, self.body, self.share = items, Transformer(shape, length), share
        self.mask = nn.Parameter(torch.empty(shape.width))
        self.output = nn.Linear(shape.width, shape.width)

    def draw(self, generator: torch.Generator) -> None:
        self.items.draw(INIT_STD, generator)
        self.body.draw(generator)
        nn.init.normal_(self.mask, 0.0, INIT_STD, generator=generator)
        nn.init.xavier_uniform_(self.output.weight, generator=generator)
        nn.init.zeros_(self.output.bias)

    def taught(
        self, sequences: Sequences, start: Tensor, stop: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        batch = sequences.read(start, stop)
        drawn = torch.empty(batch.items.shape, device=start.device).bernoulli_(self.share, generator=generator) > 0
        masked = drawn & batch.present
        return self(batch, masked, generator), batch.rows, masked

    def last(self, sequences: Sequences, start: Tensor, stop: Tensor) -> Tensor:
        batch = sequences.read(start, stop + 1)
        return at_end(self(batch, batch.places == len(self.body.places) - 1), batch)

    def forward(self, batch: Batch, masked: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return (b, l, width); masked, bool (b, l), says where an item is not to be seen."""
        x = torch.where(masked[:, :, None], self.mask, self.embed(batch))
        out: Tensor = self.output(self.body(x, batch, batch.present[:, None, None, :], generator))
        return out
