"""GRU4Rec: a recurrent network over histories."""

from typing import TYPE_CHECKING, Literal

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.neural.sequence_model import SequenceModel
from recexp.params import NonNegativeFloat, PositiveInt, Size, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.networks.modules import Table
    from recexp.algorithms.neural.networks.recurrent import Recurrent
    from recexp.algorithms.neural.networks.sequence_losses import SequenceLoss


@params
class GRU4Rec(SequenceModel):
    """score(u, i) = h(u) . e_i, h the output of recurrent cells after the latest item.

    GRU4Rec (Hidasi et al., ICLR 2016), learned from padded sequences with a loss at every place, as Klenitskiy and
    Vasilev (RecSys 2023) have it: equal results to session-parallel batches, with less work. In "third-party" versions
    Hidasi and Czapp (RecSys 2023) found missing parts and faults; here places of padding teach nothing and states never
    pass from one sequence to another.

    Time: an epoch is O(m hidden^2), plus O(m n_items factors) for the full cross-entropy, m the rows.

    Parameters
    ----------
    hidden : numbers of the state of each layer; a linear layer follows where they are not `factors`.
    layers : layers of cells; dropout is in front of each.
    cell : gru, lstm or rnn.
    loss : cross_entropy over all items; sampled, over the target and `negatives`; bpr_max of Hidasi and Karatzoglou
        (CIKM 2018). See `networks.sequence_losses`.
    negatives : items drawn for each batch, as in the authors' code; for cross_entropy none.
    penalty : of bpr_max, the weight of squared scores of negatives.
    time_gaps : whether the time since the event before adds a vector, by powers of two of a second.
    """

    hidden: Size
    layers: PositiveInt
    cell: Literal["gru", "lstm", "rnn"]
    loss: Literal["cross_entropy", "sampled", "bpr_max"]
    negatives: PositiveInt
    penalty: NonNegativeFloat
    time_gaps: bool

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        can = super().capabilities
        return Capabilities(needs=can.needs | ({"timestamps"} if self.time_gaps else set()))

    def _network_of(self, items: "Table") -> "Recurrent":
        from recexp.algorithms.neural.networks.recurrent import Recurrent

        return Recurrent(items, self.factors, self.hidden, self.layers, self.cell, self.dropout, self.time_gaps)

    def _loss(self, known: "torch.Tensor") -> "SequenceLoss":
        from recexp.algorithms.neural.networks.sequence_losses import BPRMax, CrossEntropy, SampledSoftmax

        if self.loss == "cross_entropy":
            return CrossEntropy(known)
        if self.loss == "sampled":
            return SampledSoftmax(known, self.negatives, "batch", log_q=False)
        return BPRMax(known, self.negatives, "batch", self.penalty)

    def _drawn(self) -> int:
        return 0 if self.loss == "cross_entropy" else self.negatives

    def _reads_gaps(self) -> bool:
        return self.time_gaps
