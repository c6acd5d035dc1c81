"""Diversity, coverage, novelty and concentration against arithmetic by hand and loops in plain Python."""

from itertools import combinations
from math import log2, sqrt

import numpy as np
import pytest

from recexp.errors import ConfigError, DataError
from recexp.metrics.base import JudgedLists

TRAIN = {"u": ["a", "b"], "v": ["a", "c"], "w": ["a"], "x": ["b"]}  # a: 3 users, b: 2, c: 1; d: none


def test_novelty_by_hand(build):
    # of 4 users: a 3/4, c 1/4, and d, unseen, counts as one user: 1/4
    value = build("novelty")(["a", "c", "d"], k=3, train=TRAIN)
    assert value == pytest.approx((-log2(3 / 4) - log2(1 / 4) - log2(1 / 4)) / 3)
    assert build("novelty")(["a", "c", "d"], k=1, train=TRAIN) == pytest.approx(-log2(3 / 4))
    assert np.isnan(build("novelty")([], k=1, train=TRAIN))


def test_average_popularity_by_hand(build):
    assert build("average_popularity")(["a", "c", "d"], k=3, train=TRAIN) == pytest.approx((3 + 1 + 0) / 3)
    assert build("average_popularity")(["a", "c"], k=5, train=TRAIN) == pytest.approx((3 + 1) / 2), "items, not places"


def test_serendipity_by_hand(build):
    # the 2 most popular are a and b: of the relevant hits a and c, only c surprises; k=2 places
    assert build("serendipity")(["a", "c"], {"a", "c"}, 2, train=TRAIN) == pytest.approx(1 / 2)
    assert build("serendipity")(["a", "b"], {"a", "b"}, 2, train=TRAIN) == 0
    # k=1: a alone is popular
    assert build("serendipity")(["b"], {"b"}, 1, train=TRAIN) == 1
    # b and c tie for the second place: both count as shown
    tied = {"u": ["a", "b"], "v": ["a", "c"]}
    assert build("serendipity")(["b", "c"], {"b", "c"}, 2, train=tied) == 0


def test_intra_list_diversity_by_features_by_hand(build):
    features = {"a": ["x"], "b": ["x", "y"], "c": ["z"], "d": []}
    # cosines: ab 1 / sqrt(1 * 2), ac 0, bc 0; d is unlike any other
    diversity = build("intra_list_diversity")
    assert diversity(["a", "b", "c"], k=3, features=features) == pytest.approx(1 - (1 / sqrt(2)) / 3)
    assert diversity(["a", "b", "c"], k=2, features=features) == pytest.approx(1 - 1 / sqrt(2))
    assert diversity(["a", "d"], k=2, features=features) == 1
    assert np.isnan(diversity(["a"], k=2, features=features)), "one item has no pairs"


def test_intra_list_diversity_by_interactions_by_hand(build):
    # users: a {u, v, w}, b {u, x}, c {v}; cosines ab 1 / sqrt(6), ac 1 / sqrt(3), bc 0
    value = build("intra_list_diversity_cooccurrence")(["a", "b", "c"], k=3, train=TRAIN)
    assert value == pytest.approx(1 - (1 / sqrt(6) + 1 / sqrt(3)) / 3)


def test_catalog_coverage_by_hand(build):
    assert build("catalog_coverage")([["a", "b"], ["a", "c"]], k=2, catalogue=list("abcdefgh")) == 3 / 8
    assert build("catalog_coverage")([["a", "b"], ["a", "c"]], k=1, catalogue=list("abcdefgh")) == 1 / 8


def test_long_tail_coverage_by_hand(build):
    # 10 interactions: a 4, b 4, c 1, d 1. More popular items hold 0 % for a, b and 80 % for c, d: these and e are tail
    train = {1: list("abcd"), 2: ["a", "b"], 3: ["a", "b"], 4: ["a", "b"]}
    assert build("long_tail_coverage")([["a", "c"]], k=2, train=train, catalogue=list("abcde")) == pytest.approx(1 / 3)
    assert build("long_tail_coverage")([["a", "c"]], k=1, train=train, catalogue=list("abcde")) == 0
    assert np.isnan(build("long_tail_coverage")([["a"]], k=1, train={1: list("ab")}, catalogue=list("ab"))), "no tail"


def test_gini_by_hand(build):
    gini = build("gini")
    assert gini([["a"], ["b"], ["c"]], k=1, catalogue=list("abc")) == pytest.approx(0)
    assert gini([["a"], ["a"], ["a"]], k=1, catalogue=list("abc")) == pytest.approx(1)
    # p ascending: 0, 1/4, 3/4; (2*1-3-1)*0 + (2*2-3-1)/4 + (2*3-3-1)*3/4 = 6/4; over n - 1 = 2
    assert gini([["a"], ["a"], ["a"], ["b"]], k=1, catalogue=list("abc")) == pytest.approx(6 / 4 / 2)


def test_entropy_by_hand(build):
    assert build("entropy")([["a"], ["a"], ["b"], ["c"]], k=1) == pytest.approx(0.5 * 1 + 2 * 0.25 * 2)
    assert build("entropy")([["a"], ["a"]], k=1) == 0


def test_personalization_by_hand(build):
    # overlaps of 2 places: (ab, ac) 1, (ab, cd) 0, (ac, cd) 1
    lists = [["a", "b"], ["a", "c"], ["c", "d"]]
    assert build("personalization")(lists, k=2) == pytest.approx(1 - (1 / 2 + 0 + 1 / 2) / 3)
    assert build("personalization")([["a", "b"], ["b", "a"]], k=2) == 0
    assert np.isnan(build("personalization")([["a"]], k=1)), "one list has no pairs"


def test_personalization_of_short_lists_by_hand(build):
    measure = build("personalization")
    assert measure([["a", "b"]] * 3, k=10) == 0, "the same lists are not personal, however short"
    assert measure([["a"], ["a", "b"], ["c"]], k=10) == pytest.approx(1 - (1 / 2 + 0 + 0) / 3)
    assert measure([["a", "b"], ["a", "b"], []], k=5) == 0, "an empty list does not count"
    assert np.isnan(measure([[], [], ["a"]], k=5))


def test_a_missing_input_is_named(build):
    with pytest.raises(ConfigError, match=r"Novelty needs train="):
        build("novelty")(["a"], k=1)
    with pytest.raises(ConfigError, match=r"IntraListDiversity needs features="):
        build("intra_list_diversity")(["a", "b"], k=2)


def test_bad_input_is_refused(build):
    with pytest.raises(ConfigError, match=r"k must be at least 1 \(got 0\)"):
        build("gini")([["a"]], k=0)
    with pytest.raises(DataError, match="a list contains an item twice"):
        build("recall")(["a", "a"], {"a"}, 2)
    with pytest.raises(DataError, match="3 predicted ratings for 1 actual ones"):
        build("rmse")([1, 2, 3], [2])
    with pytest.raises(ConfigError, match="IntraListDiversity needs features="):
        build("intra_list_diversity")(["a", "b"], k=2, features={})
    assert np.isnan(build("gini")([], k=1))
    assert build("recall")(["a"], np.array(["a", "b"]), 1) == 1 / 2


@pytest.mark.parametrize("k", [1, 3, 10])
def test_list_metrics_agree_with_loops(build, world, k):
    judged = world.judged()
    users = {i: {u for u, seen in world.train.items() if i in seen} for i in range(world.n_items)}
    traits = {i: {*world.features[i], world.brands[i]} - {None} for i in range(world.n_items)}
    counts = {i: len(users[i]) for i in users}
    popular = {i for i in users if sum(counts[j] > counts[i] for j in users) < k}

    def cosine(sets, i, j):
        return len(sets[i] & sets[j]) / sqrt(len(sets[i]) * len(sets[j])) if sets[i] and sets[j] else 0

    def diversity(sets, ranked):
        pairs = [1 - cosine(sets, i, j) for i, j in combinations(ranked, 2)]
        return np.mean(pairs) if pairs else np.nan

    for q, ranked in enumerate(world.lists):
        ranked = ranked[:k]
        n_users = len(world.train)
        expected = {
            "novelty": np.mean([-log2(max(1, counts[i]) / n_users) for i in ranked]) if ranked else np.nan,
            "average_popularity": np.mean([counts[i] for i in ranked]) if ranked else np.nan,
            "serendipity": len([i for i in ranked if i in world.relevant[q] and i not in popular]) / k,
            "intra_list_diversity": diversity(traits, ranked),
            "intra_list_diversity_cooccurrence": diversity(users, ranked),
        }
        for name, value in expected.items():
            assert build(name).values(judged, k)[q] == pytest.approx(value, abs=1e-12, nan_ok=True), (name, q)


@pytest.mark.parametrize("density", [0.01, 0.5], ids=["few in bits", "all in bits"])
def test_cooccurrence_of_many_users_is_exact(build, density):
    rng = np.random.default_rng(7)
    chance = density * 2 * np.linspace(1, 0, 300) ** 4  # from popular items to some that no one has
    owned = rng.random((700, 300)) < chance
    users, train = owned.sum(axis=0), {user: np.flatnonzero(row) for user, row in enumerate(owned)}
    lists = [rng.permutation(300)[: rng.integers(1, 40)] for _ in range(60)]
    metric = build("intra_list_diversity_cooccurrence")
    judged = JudgedLists.of_ids(lists, [()] * len(lists), train, {}, range(300))
    cosine = owned.T.astype(float) @ owned / np.sqrt(np.maximum(np.outer(users, users), 1))
    for k in (2, 17, 40):
        expected = [[1 - cosine[i, j] for i, j in combinations(ranked[:k], 2)] for ranked in lists]
        values = metric.values(judged, k)
        assert values == pytest.approx([np.mean(v) if v else np.nan for v in expected], abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_run_metrics_agree_with_loops(build, world, k):
    judged = world.judged()
    lists, n = [ranked[:k] for ranked in world.lists], world.n_items
    times = [sum(i in ranked for ranked in lists) for i in range(n)]
    counts = [sum(i in seen for seen in world.train.values()) for i in range(n)]
    tail = [i for i in range(n) if sum(c for c in counts if c > counts[i]) >= 0.8 * sum(counts)]
    shares = [t / sum(times) for t in times]
    expected = {
        "catalog_coverage": sum(t > 0 for t in times) / n,
        "long_tail_coverage": sum(times[i] > 0 for i in tail) / len(tail),
        "gini": sum(abs(a - b) for a in shares for b in shares) / 2 / (n - 1),  # mean absolute difference form
        "entropy": -sum(p * log2(p) for p in shares if p),
        "personalization": 1
        - np.mean([len({*a} & {*b}) / max(len(a), len(b)) for a, b in combinations(filter(None, lists), 2)]),
    }
    for name, value in expected.items():
        assert build(name).value(judged, k) == pytest.approx(value, abs=1e-12), name


def test_items_outside_the_catalogue_are_not_counted_against_coverage(build):
    assert build("catalog_coverage")([["a"]], k=1, train={1: list("abcd")}, catalogue=list("ab")) == 1 / 2
