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


# Demsar (JMLR 2006), table 6: AUC of C4.5 with parameters m, cf, both, on 14 datasets
AUC = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)


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
