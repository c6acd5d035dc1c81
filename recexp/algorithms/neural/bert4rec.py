"""BERT4Rec: a transformer in both directions, which fills in masked items."""

from typing import TYPE_CHECKING

from recexp.algorithms.neural.sequence_model import SequenceModel, check_heads
from recexp.params import OpenFraction, PositiveInt, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.networks.attention import MaskedTransformer
    from recexp.algorithms.neural.networks.modules import Table
    from recexp.algorithms.neural.networks.sequence_losses import SequenceLoss


@params
class BERT4Rec(SequenceModel):
    """score(u, i) = h(u) . e_i, h what a transformer puts out at a mask after the latest item.

    BERT4Rec (Sun et al., CIKM 2019): items are masked at random and predicted from those before and after
    them, by cross-entropy over all items. Layers are BERT's: norm after each sum, gelu, four times as wide inside.

    Time: an epoch is O(m (factors^2 + length factors) + mask m n_items factors), m the rows.

    Parameters
    ----------
    blocks, heads : of attention and layers.
    mask : probability that an item is masked in training.
    """

    blocks: PositiveInt
    heads: PositiveInt
    mask: OpenFraction

    def check(self) -> None:
        super().check()
        check_heads(self.factors, self.heads)

    def _network_of(self, items: "Table") -> "MaskedTransformer":
        from recexp.algorithms.neural.networks.attention import MaskedTransformer, TransformerShape

        shape = TransformerShape(
            width=self.factors,
            blocks=self.blocks,
            heads=self.heads,
            norm="post",
            layer="standard",
            wider=4,
            rate=self.dropout,
            eps=1e-12,
        )
        return MaskedTransformer(items, shape, self.length, self.mask)

    def _loss(self, known: "torch.Tensor") -> "SequenceLoss":
        from recexp.algorithms.neural.networks.sequence_losses import CrossEntropy

        return CrossEntropy(known)
