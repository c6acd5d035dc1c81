"""DeepFieldModel: what models of fields with a perceptron share."""

from typing import Annotated

from pydantic import Field

from recexp.algorithms.neural.field_model import FieldModel
from recexp.algorithms.neural.field_shape import FieldShape
from recexp.params import Fraction, PositiveInt, Size, params


@params
class DeepFieldModel(FieldModel):
    """A perceptron with relu over the vectors of all fields, side by side.

    Parameters
    ----------
    factors : length of each field's vector.
    layers : outputs of each layer.
    batch_norm : whether each layer's outputs are normalized over a batch, before relu.
    dropout : probability of leaving out an output of a layer in training.
    """

    factors: Size
    layers: Annotated[list[PositiveInt], Field(min_length=1)]
    batch_norm: bool
    dropout: Fraction

    def _shape(self) -> FieldShape:
        return FieldShape(self.factors, hidden=self.layers, batch_norm=self.batch_norm, dropout=self.dropout)
