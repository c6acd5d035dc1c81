"""Algorithms, by family."""

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext

__all__ = ["Capabilities", "FitContext", "Recommender"]
