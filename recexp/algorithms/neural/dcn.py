"""DCN: a deep and cross network, version 2."""

from dataclasses import replace

from recexp.algorithms.neural.deep_field_model import DeepFieldModel
from recexp.algorithms.neural.field_shape import FieldShape
from recexp.params import PositiveInt, params


@params
class DCN(DeepFieldModel):
    """score = b + w . [x_L ; mlp(x)], x the vectors of all fields, x_(l+1) = x * (W_l x_l + b_l) + x_l from x_0 = x.

    Wang et al. (WWW 2021, equation 1), the parallel structure with full matrices W.

    Parameters
    ----------
    cross : layers of the cross network, L.
    """

    cross: PositiveInt

    def _shape(self) -> FieldShape:
        return replace(super()._shape(), linear=False, cross=self.cross)
