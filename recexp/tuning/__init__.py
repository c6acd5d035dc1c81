"""Tuning: values of what is compared, chosen without the final part, which is sealed until one is chosen."""

from recexp.tuning.base import Tuning
from recexp.tuning.space import Choice, Dimension, Integer, Real
from recexp.tuning.study import Study

__all__ = ["Choice", "Dimension", "Integer", "Real", "Study", "Tuning"]
