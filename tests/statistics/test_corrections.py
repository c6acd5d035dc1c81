"""Corrections against statsmodels'; ranks against Demsar's paper and scipy."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from recexp.rng import generator
from recexp.statistics import average_ranks, benjamini_hochberg, cliques, critical_difference, friedman, holm, ranks


@pytest.mark.parametrize(("ours", "theirs"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")], ids=["holm", "bh"])
def test_corrections_are_those_of_statsmodels(ours, theirs: str) -> None:
    p = generator(1, "p").uniform(size=40) ** 3
    p[5] = p[6]
    assert ours(p) == pytest.approx(multipletests(p, method=theirs)[1], abs=1e-15)
    holey = np.insert(p, [0, 7], np.nan)
    assert np.isnan(ours(holey)).sum() == 2
    assert ours(holey)[~np.isnan(holey)] == pytest.approx(ours(p))
    passed_over = multipletests(np.r_[p, np.ones(25)], method=theirs)[1][:40]
    assert ours(p, 65) == pytest.approx(passed_over, abs=1e-15)


# Demsar (JMLR 2006), table 6: AUC of C4.5 with parameters m, cf, both, on 14 data sets
AUC = np.array([
    [.763, .768, .771, .798], [.599, .591, .590, .569], [.954, .971, .968, .967], [.628, .661, .654, .657],
    [.882, .888, .886, .898], [.936, .931, .916, .931], [.661, .668, .609, .685], [.583, .583, .563, .625],
    [.775, .838, .866, .875], [1.000, 1.000, 1.000, 1.000], [.940, .962, .965, .962], [.619, .666, .614, .669],
    [.972, .981, .9751, .975], [.957, .978, .946, .970],
])  # fmt: skip


def test_ranks_and_friedman_as_in_demsars_example() -> None:
    assert average_ranks(AUC) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    chi2, p = friedman(AUC)
    expected = stats.friedmanchisquare(*AUC.T)
    assert (chi2, p) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    assert friedman(np.ones((3, 4))) == (0.0, 1.0)
    assert ranks(np.array([[0.1, 0.3, 0.3]])).tolist() == [[3.0, 1.5, 1.5]]


def test_critical_difference_as_in_demsars_tables() -> None:
    """Table 5a: q of .05 and .10 for 2 to 10 models."""
    q05 = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    q10 = [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920]
    for alpha, table in ((0.05, q05), (0.10, q10)):
        for k, q in enumerate(table, start=2):
            assert critical_difference(k, 14, alpha) == pytest.approx(q * np.sqrt(k * (k + 1) / 84), abs=0.002)


def test_cliques_are_the_largest_groups_within_reach() -> None:
    assert cliques(np.array([1.0, 4.0, 1.8, 2.6, 4.3]), 1.0) == [[0, 2], [2, 3], [1, 4]]
    assert cliques(np.array([1.0, 3.0]), 1.0) == []
    assert cliques(np.array([1.0, 1.5, 2.0]), 1.0) == [[0, 1, 2]]


def test_ranks_are_those_of_scipy() -> None:
    values = np.round(generator(2, "v").normal(size=(5, 40)), 1)
    assert ranks(values) == pytest.approx(stats.rankdata(-values, axis=1))
