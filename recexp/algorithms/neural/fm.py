"""FM: a factorization machine."""

from recexp.algorithms.neural.field_model import FieldModel
from recexp.algorithms.neural.field_shape import FieldShape
from recexp.params import Size, params


@params
class FM(FieldModel):
    """score = b + sum of w over fields + sum of v . v' over pairs of fields (Rendle, ICDM 2010, equation 1).

    A field with several categories, or a number, has one vector: the mean of those of its categories, or the number
    times a vector; within it there are no pairs. Lists are inner products of two sums of vectors.

    Parameters
    ----------
    factors : length of the vectors v.
    """

    factors: Size

    def _shape(self) -> FieldShape:
        return FieldShape(self.factors, pairs=True)
