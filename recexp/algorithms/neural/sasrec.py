"""SASRec: self-attention over histories."""

from typing import TYPE_CHECKING, Literal

from recexp.algorithms.neural.sequence_model import SequenceModel, check_heads
from recexp.errors import ConfigError
from recexp.params import PositiveInt, Share, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.networks.attention import CausalTransformer
    from recexp.algorithms.neural.networks.modules import Table
    from recexp.algorithms.neural.networks.sequence_losses import SequenceLoss


@params
class SASRec(SequenceModel):
    """score(u, i) = h(u) . e_i, h what a causal transformer puts out at the latest item.

    SASRec (Kang and McAuley, ICDM 2018). With loss=gbce it is gSASRec (Petrov and Macdonald, RecSys 2023), with
    layer=ligr and loss=sampled eSASRec (2025), see the presets. On the same files eSASRec is ahead of TIGER (Amazon
    Beauty, recall@10 .0928 and .0648) and level with HSTU (ML-1M, .3133 and .3037), at a fraction of their cost, which
    is why these two are not here.

    Results in the literature are of two kinds that must not be compared: HR@10 is about .82 where a target is ranked
    among 100 sampled items and .25 among all, for the same model.

    Time: an epoch is O(m (factors^2 + length factors)), plus O(m n_items factors) for the full cross-entropy, m the
    rows.

    Parameters
    ----------
    blocks, heads : of attention and layers.
    norm : pre: x + f(LN(x)). original: as in the paper's code, where keys and values are not normalized and padding on
        the left is visible.
    layer : standard: two layers as wide as a vector, relu between them; ligr: gated blocks with SwiGLU layers four
        times as wide (Borisyuk et al., 2025), for norm=pre.
    loss : cross_entropy over all items; sampled: over the target and `negatives`; bce; gbce. See
        `networks.sequence_losses`.
    negatives : items drawn for each sequence, or, if 1, for each place; for cross_entropy none.
    log_q : of sampled, whether negatives stand for all other items.
    t : of gbce, the calibration; 0 is bce.
    """

    blocks: PositiveInt
    heads: PositiveInt
    norm: Literal["pre", "original"]
    layer: Literal["standard", "ligr"]
    loss: Literal["cross_entropy", "sampled", "bce", "gbce"]
    negatives: PositiveInt
    log_q: bool
    t: Share

    def check(self) -> None:
        super().check()
        check_heads(self.factors, self.heads)
        if self.layer == "ligr" and self.norm != "pre":
            raise ConfigError("algorithm.norm: layer=ligr has norm=pre")

    def _network_of(self, items: "Table") -> "CausalTransformer":
        from recexp.algorithms.neural.networks.attention import CausalTransformer, TransformerShape

        shape = TransformerShape(
            width=self.factors,
            blocks=self.blocks,
            heads=self.heads,
            norm=self.norm,
            layer=self.layer,
            wider=4 if self.layer == "ligr" else 1,
            rate=self.dropout,
            eps=1e-8,
        )
        return CausalTransformer(items, shape, self.length)

    def _loss(self, known: "torch.Tensor") -> "SequenceLoss":
        from recexp.algorithms.neural.networks.sequence_losses import BinaryCrossEntropy, CrossEntropy, SampledSoftmax

        if self.loss == "cross_entropy":
            return CrossEntropy(known)
        if self.loss == "sampled":
            return SampledSoftmax(known, self.negatives, "sequence", self.log_q)
        return BinaryCrossEntropy(known, self.negatives, "sequence", self.t if self.loss == "gbce" else 0.0)

    def _drawn(self) -> int:
        return 0 if self.loss == "cross_entropy" else self.negatives

    def _pads_left(self) -> bool:
        return self.norm == "original"
