"""Tuning: the values of an algorithm, chosen on validation data; the test is sealed until one is chosen."""

from recexp.tuning.base import Tuning
from recexp.tuning.objective import Objective
from recexp.tuning.space import Choice, Dimension, Integer, Real
from recexp.tuning.study import Study

__all__ = ["Choice", "Dimension", "Integer", "Objective", "Real", "Study", "Tuning"]
