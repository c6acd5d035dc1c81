"""DeepFM: a factorization machine and a perceptron over the same vectors."""

from dataclasses import replace

from recexp.algorithms.neural.deep_field_model import DeepFieldModel
from recexp.algorithms.neural.field_shape import FieldShape
from recexp.params import params


@params
class DeepFM(DeepFieldModel):
    """score = b + sum of w over fields + sum of v . v' over pairs of fields + mlp(v of all fields).

    Guo et al. (IJCAI 2017, equations 1 to 4): both parts share the vectors.
    """

    def _shape(self) -> FieldShape:
        return replace(super()._shape(), pairs=True)
