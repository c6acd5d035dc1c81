"""Compare: which of the tracked runs are better, by how much, and how sure that is."""

from recexp.compare.comparison import compare
from recexp.compare.results import Comparison, Options

__all__ = ["Comparison", "Options", "compare"]
