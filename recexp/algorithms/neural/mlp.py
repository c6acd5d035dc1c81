"""MLP: layers over the vectors of user and item."""

from recexp.algorithms.neural.pair_model import HalvedLayers, PairModel, split_layers
from recexp.params import params


@params
class MLP(PairModel):
    """score(u, i) = h . a_L(... a_2(W_2 [p_u ; q_i] + b_2) ...) + b, with a = relu.

    The multi-layer perceptron of neural collaborative filtering (He et al., WWW 2017, equation 10). All items of a user
    are scored with the first layer worked out once a user and once an item; what follows is paid for each pair.

    Parameters
    ----------
    layers : inputs of each layer; the last number is the length of h: [64, 32, 16, 8] means vectors of 32 numbers
        and three layers.
    """

    layers: HalvedLayers

    def _shape(self) -> tuple[int, int, list[int]]:
        return 0, *split_layers(self.layers)
