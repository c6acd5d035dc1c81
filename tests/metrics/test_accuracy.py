"""Accuracy metrics against arithmetic by hand and against ranx."""

import importlib
from math import log2

import numpy as np
import pytest

RANKED = ["a", "b", "c", "d", "e"]
RELEVANT = {"b", "d", "x"}  # hits at ranks 2 and 4; x is not listed

BY_HAND = {
    # at k=4: 2 hits of 3 relevant; at k=2: 1 hit
    ("precision", 4): 2 / 4,
    ("precision", 2): 1 / 2,
    ("recall", 4): 2 / 3,
    ("recall", 2): 1 / 3,
    ("recall_capped", 4): 2 / 3,  # min(3, 4) = 3
    ("recall_capped", 2): 1 / 2,  # min(3, 2) = 2
    ("f1", 4): 2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3),
    ("f1", 1): 0.0,
    ("ndcg", 4): (1 / log2(3) + 1 / log2(5)) / (1 / log2(2) + 1 / log2(3) + 1 / log2(4)),
    ("ndcg", 2): (1 / log2(3)) / (1 / log2(2) + 1 / log2(3)),  # the ideal list is cut at 2 too
    ("map", 4): (1 / 2 + 2 / 4) / 3,
    ("map", 2): (1 / 2) / 2,
    ("mrr", 4): 1 / 2,
    ("mrr", 1): 0.0,
    ("hit_rate", 4): 1.0,
    ("hit_rate", 1): 0.0,
    # k beyond the list: missing places are misses
    ("precision", 8): 2 / 8,
    ("recall", 8): 2 / 3,
    ("recall_capped", 8): 2 / 3,
    ("f1", 8): 2 * (2 / 8) * (2 / 3) / (2 / 8 + 2 / 3),
    ("ndcg", 8): (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3) + 1 / log2(4)),
    ("map", 8): (1 / 2 + 2 / 4) / 3,
    ("mrr", 8): 1 / 2,
}
ACCURACY = ["precision", "recall", "recall_capped", "f1", "ndcg", "map", "mrr", "hit_rate"]


@pytest.mark.parametrize(("name", "k"), BY_HAND)
def test_by_hand(build, name, k):
    assert build(name)(ranked=RANKED, relevant=RELEVANT, k=k) == pytest.approx(BY_HAND[name, k], abs=1e-12)


@pytest.mark.parametrize("name", ACCURACY)
def test_best_worst_and_empty_lists(build, name):
    metric = build(name)
    best = {"precision": 1.0, "recall": 2 / 3, "f1": 2 * 1 * (2 / 3) / (1 + 2 / 3)}.get(name, 1.0)  # 3 relevant, k=2
    assert metric(["a", "b", "z"], {"a", "b", "c"}, 2) == pytest.approx(best)
    assert metric(["x", "y"], {"a", "b"}, 2) == 0
    assert metric([], {"a"}, 2) == 0
    assert np.isnan(metric(["a"], set(), 1)), "nothing is relevant: no value"


def test_without_k_the_whole_list_counts(build):
    assert build("precision")([3, 1, 2], {1}) == pytest.approx(1 / 3)


def test_map_and_ndcg_tell_orders_apart_that_recall_does_not(build):
    early, late = ["a", "x", "y"], ["x", "y", "a"]
    assert build("recall")(early, {"a"}, 3) == build("recall")(late, {"a"}, 3) == 1
    assert build("map")(late, {"a"}, 3) == pytest.approx(1 / 3)
    assert build("ndcg")(late, {"a"}, 3) == pytest.approx(1 / log2(4))


@pytest.fixture(scope="module")
def ranx():
    """ranx's functions, uncompiled: these few lists take them less time than compiling does."""
    import numba

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)
        return importlib.import_module("ranx.metrics")


@pytest.mark.parametrize("k", [1, 3, 10])
def test_agrees_with_ranx(ranx, build, full_world, k):
    """Same definitions but for average precision: ranx divides by R, we by min(R, k).

    Lists are as long as k, since ranx divides the precision of shorter ones by their length.
    """
    qrels = [np.array([[i, 1] for i in sorted(wanted)], float) for wanted in full_world.relevant]
    run = [np.array([[i, 100 - rank] for rank, i in enumerate(ranked)], float) for ranked in full_world.lists]
    judged = full_world.judged()
    size = np.array([len(wanted) for wanted in full_world.relevant])
    assert (size > k).any() and (k < 3 or (size <= k).any()), "both sides of min(R, k) must occur"
    theirs = {
        "precision": ranx.precision,
        "recall": ranx.recall,
        "f1": ranx.f1,
        "ndcg": ranx.ndcg,
        "map": ranx.average_precision,
        "mrr": ranx.reciprocal_rank,
        "hit_rate": ranx.hit_rate,
    }
    for name, function in theirs.items():
        ours = build(name).values(judged, k) * (np.minimum(size, k) / size if name == "map" else 1)
        np.testing.assert_allclose(ours, function(qrels, run, k), atol=1e-12, err_msg=name)
        assert ours.any(), name


@pytest.mark.parametrize("k", [1, 4, 10, 15])
def test_agrees_with_loops_on_padded_lists(build, world, k):
    judged = world.judged()
    values = {name: build(name).values(judged, k) for name in ACCURACY}
    for q, (ranked, wanted) in enumerate(zip(world.lists, world.relevant)):
        hits = [rank for rank, item in enumerate(ranked[:k], 1) if item in wanted]
        n, most = len(hits), min(len(wanted), k)
        expected = {
            "precision": n / k,
            "recall": n / len(wanted),
            "recall_capped": n / most,
            "f1": 2 * n / (k + len(wanted)),
            "ndcg": sum(1 / log2(r + 1) for r in hits) / sum(1 / log2(r + 1) for r in range(1, most + 1)),
            "map": sum((j + 1) / r for j, r in enumerate(hits)) / most,
            "mrr": 1 / hits[0] if hits else 0,
            "hit_rate": float(n > 0),
        }
        for name in ACCURACY:
            assert values[name][q] == pytest.approx(expected[name], abs=1e-12), (name, q)
