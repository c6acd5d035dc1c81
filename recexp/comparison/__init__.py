"""Compare: which of the tracked runs are better, by how much, and with what certainty."""

from recexp.comparison.best import best_run
from recexp.comparison.comparison import compare
from recexp.comparison.groups import find_runs, group_runs
from recexp.comparison.results import Comparison, Options

__all__ = ["Comparison", "Options", "best_run", "compare", "find_runs", "group_runs"]
