"""Statistics: the bootstrap over users; for comparisons, paired tests, corrections, effect sizes, ranks."""

from recexp.statistics.corrections import CORRECTIONS, benjamini_hochberg, holm
from recexp.statistics.effects import TIE, Effects
from recexp.statistics.paired import TESTS, least, permutation, t_test, wilcoxon
from recexp.statistics.ranks import average_ranks, cliques, critical_difference, friedman, ranks

__all__ = [
    "CORRECTIONS",
    "TESTS",
    "TIE",
    "Effects",
    "average_ranks",
    "benjamini_hochberg",
    "cliques",
    "critical_difference",
    "friedman",
    "holm",
    "least",
    "permutation",
    "ranks",
    "t_test",
    "wilcoxon",
]
