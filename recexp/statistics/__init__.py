"""Statistics of comparisons: paired tests over users, corrections for many, effect sizes, ranks over data sets."""

from recexp.statistics.corrections import CORRECTIONS, benjamini_hochberg, holm
from recexp.statistics.effects import Effects
from recexp.statistics.paired import TESTS, permutation, t_test, wilcoxon
from recexp.statistics.ranks import average_ranks, cliques, critical_difference, friedman, ranks

__all__ = [
    "CORRECTIONS", "TESTS", "Effects", "average_ranks", "benjamini_hochberg", "cliques", "critical_difference",
    "friedman", "holm", "permutation", "ranks", "t_test", "wilcoxon",
]  # fmt: skip
