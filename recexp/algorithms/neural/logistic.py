"""Logistic: a weight for each code of each field."""

from recexp.algorithms.neural.field_model import FieldModel
from recexp.algorithms.neural.field_shape import FieldShape
from recexp.params import params


@params
class Logistic(FieldModel):
    """score = b + sum of w over fields: logistic regression for task=click (Richardson et al., WWW 2007).

    It ranks items alike for everybody: who asks, and where, adds the same number to all scores. Its probabilities
    differ.
    """

    def _shape(self) -> FieldShape:
        return FieldShape(0)
