"""WideDeep: weights of codes and a perceptron."""

from recexp.algorithms.neural.deep_field_model import DeepFieldModel
from recexp.params import params


@params
class WideDeep(DeepFieldModel):
    """score = b + sum of w over fields + mlp(vectors of all fields) (Cheng et al., DLRS 2016, equation 3).

    The wide part has a weight for each code, and no products of them that a person would have to choose.
    """
