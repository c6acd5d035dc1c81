"""Tuning: hyperparameter search without access to the final part, which stays sealed until values are chosen."""

from recexp.tuning.base import Tuning
from recexp.tuning.space import Choice, Dimension, Integer, Real
from recexp.tuning.study import Study

__all__ = ["Choice", "Dimension", "Integer", "Real", "Study", "Tuning"]
