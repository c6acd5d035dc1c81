"""NCF: the plain network over two vectors that tutorials show."""

from typing import Annotated

from pydantic import Field

from recexp.algorithms.neural.pair_model import PairModel
from recexp.params import PositiveInt, Size, params


@params
class NCF(PairModel):
    """score(u, i) = h . relu(W_2 relu(W_1 [p_u ; q_i] + b_1) + b_2) + b: vectors side by side, and layers.

    It is `MLP` with layers that need not begin at twice the length of the vectors, as tutorials of neural collaborative
    filtering have it.

    Parameters
    ----------
    factors : length of the vectors p and q.
    hidden : outputs of each layer.
    """

    factors: Size
    hidden: Annotated[list[PositiveInt], Field(min_length=1)]

    def _shape(self) -> tuple[int, int, list[int]]:
        return 0, self.factors, self.hidden
