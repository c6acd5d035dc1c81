"""Compare: which of the tracked runs are better, by how much, and how sure that is."""

from recexp.compare.comparison import Comparison, Options, compare

__all__ = ["Comparison", "Options", "compare"]
