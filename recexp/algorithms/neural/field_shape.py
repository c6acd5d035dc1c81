"""What a network of fields is made of."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldShape:
    """The parts of a network, see `networks.fields.FieldNetwork`.

    Attributes
    ----------
    factors : length of each field's vector; 0: there are none.
    linear : whether each code has a weight of its own.
    pairs : whether products of vectors are summed over pairs of fields.
    cross : layers of the cross network.
    hidden : outputs of each layer of the perceptron.
    batch_norm : whether the perceptron's layers are normalized.
    dropout : probability of leaving out an output of the perceptron's layers in training.
    """

    factors: int
    linear: bool = True
    pairs: bool = False
    cross: int = 0
    hidden: Sequence[int] = ()
    batch_norm: bool = False
    dropout: float = 0.0
