"""Algorithms, by family. docs/add_an_algorithm.md shows how to write one."""

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext

__all__ = ["Capabilities", "FitContext", "Recommender"]
