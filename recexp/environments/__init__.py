"""Environments: simulators with known ground truth, in which policies act and from which datasets are drawn."""

from recexp.environments.base import Environment, Observation, Outcome, State
from recexp.environments.luck import Luck

__all__ = ["Environment", "Luck", "Observation", "Outcome", "State"]
