"""What is said of two models: on which splits, corrected for how many, and who is ahead."""

import json
import re
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from recexp.comparison import report, summary, tables
from recexp.rng import generator

U = 120


def noise(name: str, scale: float = 0.05, u: int = U) -> np.ndarray:
    return generator(5, name).normal(0, scale, u)


def test_differences_and_verdicts_are_of_the_splits_that_both_have(shelf: Any) -> None:
    """als is worse on both common splits, and leads by a third that is easy."""
    als = {seed: level + noise(f"als {seed}") for seed, level in ((1, 0.4), (2, 0.42), (3, 0.95))}
    pop = {seed: 0.5 + noise(f"pop {seed}") for seed in (1, 2)}
    for name, runs in (("als", als), ("pop", pop)):
        for seed, values in runs.items():
            shelf.run(name, values, seed=seed)
    found = shelf.compare()
    (board,) = found.boards
    assert [ranked.row.label for ranked in board.rows] == ["als", "pop"]
    (pair,) = board.pairs
    common = np.mean([als[1] - pop[1], als[2] - pop[2]], axis=0)
    assert pair.difference == pytest.approx(common.mean()) and pair.difference < -0.05
    assert pair.p == pytest.approx(stats.ttest_1samp(common, 0).pvalue)
    assert pair.ahead == -1 and pair.d_z < 0 and pair.turned().ahead == 1
    assert "als is best on toy (ndcg@10 0.59" in report.as_html(shelf, found)
    unequal = "means are over different splits, differences over the splits that two models share: "
    unequal += "pop lacks seed 3 (split toy 3)"
    assert f"toy: {unequal}" in found.notes


def test_models_of_equal_splits_are_not_said_to_differ_in_them(shelf: Any) -> None:
    for seed in (1, 2, 3):
        shelf.run("als", 0.5 + noise(f"{seed}"), seed=seed, split="the only one")
    shelf.run("pop", 0.4 + noise("pop"), seed=1, split="the only one")
    found = shelf.compare()
    assert not [note for note in found.notes if "unequal" in note]
    assert found.boards[0].pairs[0].ahead == 1
    assert re.search(
        r"als is best on toy \(ndcg@10 0.5...\); pop is significantly worse, [12]\d% behind",
        report.as_html(shelf, found),
    )


def test_nobody_is_ahead_where_the_mean_and_the_test_disagree(shelf: Any) -> None:
    """One user with many queries decides the mean over queries, the other users the test."""
    owners = [0] * 400 + [*range(1, U)]
    here = np.r_[np.full(400, 0.9), 0.3 + noise("a", 0.01, U - 1)]
    there = np.r_[np.full(400, 0.5), 0.4 + noise("b", 0.01, U - 1)]
    shelf.run("one", here, owners=owners)
    shelf.run("two", there, owners=owners)
    (pair,) = shelf.compare().boards[0].pairs
    assert (pair.first, pair.ahead) == ("one", 0)
    assert pair.difference > 0 > pair.d_z and pair.adjusted < 1e-6


@pytest.mark.parametrize(("correction", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
@pytest.mark.parametrize("baseline", ["base", None])
def test_p_is_corrected_for_the_models_that_were_passed_over(
    shelf: Any, correction: str, theirs: str, baseline: str | None
) -> None:
    """Of 31 models the best 20 are tested: the pairs of the others count as p = 1."""
    for number in range(30):
        shelf.run("m", 0.5 + 0.0006 * number + noise(f"m{number}", 0.02), params={"k": f"{number:02}"})
    shelf.run("base", 0.5 + noise("base", 0.02))
    found = shelf.compare(correction=correction, baseline=baseline)
    pairs = found.boards[0].pairs
    p, m = [pair.p for pair in pairs], 30 if baseline else 31 * 30 // 2
    assert len(p) == (20 if baseline else 190)
    expected = multipletests([*p, *[1.0] * (m - len(p))], method=theirs)[1][: len(p)]
    assert [pair.adjusted for pair in pairs] == pytest.approx(expected)
    assert len({round(pair.adjusted, 12) for pair in pairs}) > 3 and min(expected) < 0.1
    assert any(f"p is corrected for all {m} possible comparisons" in note for note in found.notes)
    title = {"holm": "Holm", "bh": "Benjamini-Hochberg"}[correction]
    assert tables.method(found)[1].endswith(title)


def test_holm_and_bh_differ_as_by_hand(shelf: Any) -> None:
    """Three pairs, one of them nearly equal models."""
    base = noise("base", 0.2)
    for name, level in (("a", 0.012), ("b", 0.010), ("c", 0.0)):
        shelf.run(name, 0.5 + base + level + noise(name, 0.03))
    for correction in ("holm", "bh"):
        p, q = zip(*[(pair.p, pair.adjusted) for pair in shelf.compare(correction=correction).boards[0].pairs])
        low, middle, high = sorted(p)
        holm = np.maximum.accumulate([3 * low, 2 * middle, high])
        bh = np.minimum.accumulate([high, 1.5 * middle, 3 * low])[::-1]
        assert sorted(q) == pytest.approx(holm if correction == "holm" else bh)
    assert holm[1] > bh[1] * 1.2


def test_a_permutation_test_that_can_find_nothing_is_told(shelf: Any) -> None:
    """The smallest p of 12 users is 2 / 2^12; times 190 pairs it is .093."""
    for number in range(20):
        shelf.run("m", 0.2 + 0.03 * number + noise(f"m{number}", u=12), params={"k": str(number)})
    told = "permutation test, 0.00049, is 0.093 after correction for 190 comparisons of 12 users; --test t"
    strict, usual, t = (
        shelf.compare(test=test, confidence=level)
        for test, level in (("permutation", 0.95), ("permutation", 0.9), ("t", 0.95))
    )
    assert [any(told in note for note in found.notes) for found in (strict, usual, t)] == [True, False, False]
    assert not any(pair.ahead for pair in strict.boards[0].pairs) and any(pair.ahead for pair in t.boards[0].pairs)


def test_many_models_can_be_told_apart(shelf: Any) -> None:
    """780 pairs: 10,000 flips alone could give no p below .078."""
    for number in range(40):
        shelf.run("m", 0.2 + 0.03 * number + noise(f"m{number}"), params={"k": str(number)})
    found = shelf.compare()
    assert not any("can be significant" in note for note in found.notes)
    assert sum(pair.ahead != 0 for pair in found.boards[0].pairs) > 150


def test_what_shares_no_split_is_not_said_to_be_alike(shelf: Any) -> None:
    shelf.run("one", 0.5 + noise("one"), seed=1)
    shelf.run("two", 0.4 + noise("two"), seed=2)
    (said,) = summary.summaries(shelf.compare())
    assert said.endswith("; two is not tested against it, because they share no split.")


def test_rounding_is_no_difference(shelf: Any) -> None:
    values = 0.5 + noise("v")
    shelf.run("one", values)
    shelf.run("two", values + 1e-14)
    (pair,) = shelf.compare().boards[0].pairs
    assert (pair.p, pair.d_z, pair.ties, pair.ahead) == (1.0, 0.0, U, 0)


def test_the_same_difference_for_all_is_infinite_in_deviations_and_null_in_files(shelf: Any) -> None:
    values = 0.5 + noise("v")
    shelf.run("one", values + 0.1)
    shelf.run("two", values)
    found = shelf.compare()
    assert found.boards[0].pairs[0].d_z == np.inf
    assert json.loads(tables.as_json(found))["pairs"][0]["d_z"] is None
    assert "-inf" in tables.terminal(found) and "inf: the same for all" in tables.terminal(found)
    assert 'data-value="-Infinity"' in report.as_html(shelf, found)


def test_few_users_are_told(shelf: Any) -> None:
    for dataset, u in (("small", 99), ("large", 100)):
        for name in ("one", "two"):
            shelf.run(name, 0.5 + noise(f"{name} {dataset}", u=u), dataset=dataset)
    found = shelf.compare()
    assert [note for note in found.notes if "users" in note] == [
        "small: 99 users: with so few, intervals may be too narrow"
    ]
    assert "for these fitted models" in tables.method(found)[0]
