"""The k best against a naive loop: masks, candidates, ties, scores that are no numbers."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms.sparse_products import csr_arrays, lists_of_product, times
from recexp.data import Interactions, Queries
from recexp.ranking import Ranking

B, N = 40, 17


def asked(exclude: np.ndarray | None = None, candidates: np.ndarray | None = None) -> Queries:
    nothing = Interactions(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32), B, N)
    queries = Queries.of_users(np.arange(B, dtype=np.int32), nothing, exclude_seen=False)
    masks = {"exclude": exclude, "candidates": candidates}
    return replace(queries, **{name: None if mask is None else sp.csr_array(mask) for name, mask in masks.items()})


def naive(scores: np.ndarray, usable: np.ndarray, ties: np.ndarray, k: int) -> list[list[int]]:
    lists = []
    for row, allowed in zip(scores, usable):
        items = [i for i in range(len(row)) if allowed[i] and not np.isnan(row[i]) and row[i] != -np.inf]
        lists.append(sorted(items, key=lambda i: (-row[i], ties[i]))[:k])
    return lists


@pytest.mark.parametrize("k", [1, 3, N, N + 5])
@pytest.mark.parametrize("listed", [False, True], ids=["catalogue", "candidates"])
@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
def test_lists_agree_with_a_naive_loop(k: int, listed: bool, masked: bool) -> None:
    rng = np.random.default_rng(7)
    scores = rng.integers(0, 4, (B, N)).astype(np.float32)  # many ties
    scores[rng.random((B, N)) < 0.1] = np.nan
    scores[rng.random((B, N)) < 0.1] = -np.inf
    scores[rng.random((B, N)) < 0.05] = np.inf
    exclude, candidates = (rng.random((B, N)) < share for share in (0.4, 0.5))
    exclude[3], candidates[5] = True, False
    ranking = Ranking.draw(N, rng.random(N) < 0.8, rng=rng)
    usable = np.broadcast_to(ranking.catalogue, (B, N)) & (~exclude | (not masked)) & (candidates | (not listed))
    queries, before = asked(exclude if masked else None, candidates if listed else None), scores.copy()
    for count in (1, 3):
        with threads.limit(count):
            lists = ranking.top_k(scores, queries, k)
        assert lists.items.shape == lists.scores.shape == (B, min(k, N))
        for row, expected in enumerate(naive(scores, usable, ranking.ties, k)):
            rest = min(k, N) - len(expected)
            assert lists.items[row].tolist() == expected + [-1] * rest
            assert lists.scores[row].tolist() == scores[row, expected].tolist() + [-np.inf] * rest
    np.testing.assert_array_equal(scores, before)


@pytest.mark.parametrize("k", [1, 3, N, N + 5])
@pytest.mark.parametrize("share", [0.02, 0.2])
@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
def test_products_of_sparse_matrices_give_the_lists_of_their_scores(k: int, share: float, masked: bool) -> None:
    rng = np.random.default_rng(3)
    left = np.where(rng.random((B, N)) < share, rng.integers(-1, 3, (B, N)), 0).astype(np.float32)
    right = np.where(rng.random((N, N)) < share, rng.integers(-2, 3, (N, N)), 0).astype(np.float32)  # sums of 0, too
    right[0], left[:, 0] = 0, np.arange(B) % 4 == 0
    right[0, :3] = [np.nan, np.inf, -np.inf]  # no numbers are met by each fourth row
    scores = left[:, 1:] @ right[1:]
    scores[::4, :3] += right[0, :3]
    exclude = rng.random((B, N)) < 0.4
    exclude[3] = True
    ranking = Ranking.draw(N, rng.random(N) < 0.8, rng=rng)
    usable = np.broadcast_to(ranking.catalogue, (B, N)) & (~exclude | (not masked))
    queries = asked(exclude if masked else None)
    sides = [csr_arrays(sp.csr_array(side)) for side in (left, right)]
    for count in (1, 3):
        with threads.limit(count):
            lists = ranking.top_k_of_product(*sides, queries, k)
        for row, expected in enumerate(naive(scores, usable, ranking.ties, k)):
            rest = min(k, N) - len(expected)
            assert lists.items[row].tolist() == expected + [-1] * rest
            assert lists.scores[row].tolist() == scores[row, expected].tolist() + [-np.inf] * rest


def test_a_product_of_few_entries_is_ranked_as_written_out() -> None:
    """Bit by bit: fractions are added in the same order, whichever way is taken."""
    rng, n = np.random.default_rng(5), 2000
    left = sp.random_array((B, n), density=0.004, format="csr", dtype=np.float32, rng=rng)
    right = sp.random_array((n, n), density=0.005, format="csr", dtype=np.float32, rng=rng)
    queries = replace(of(n), exclude=sp.csr_array(left))
    ranking = Ranking.draw(n, None, rng=rng)
    found = lists_of_product(left, right, queries, 50, ranking)
    expected = ranking.top_k(times(left, right), queries, 50)
    np.testing.assert_array_equal(found.items, expected.items)
    np.testing.assert_array_equal(found.scores, expected.scores)
    listed = replace(queries, candidates=sp.csr_array(right[:B]))
    np.testing.assert_array_equal(
        lists_of_product(left, right, listed, 5, ranking).items, ranking.top_k(times(left, right), listed, 5).items
    )


def test_ties_favour_no_position() -> None:
    rules = [Ranking.draw(5, None, rng=np.random.default_rng(seed)) for seed in range(300)]
    first = [rule.top_k(np.zeros((B, 5), np.float32), of(5), 1).items[0, 0] for rule in rules]
    assert (np.bincount(first, minlength=5) > 30).all()  # 60 expected, standard deviation 7


def of(n_items: int) -> Queries:
    nothing = Interactions(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32), B, n_items)
    return Queries.of_users(np.arange(B, dtype=np.int32), nothing, exclude_seen=False)


def test_scores_of_any_layout_are_read() -> None:
    ranking = Ranking(np.arange(N, dtype=np.int32), np.ones(N, bool))
    scores = np.random.default_rng(0).random((N, B)).T  # float64, by columns
    expected = np.argsort(-scores.astype(np.float32), axis=1, kind="stable")[:, :4]
    np.testing.assert_array_equal(ranking.top_k(scores, asked(), 4).items, expected)
    same = np.broadcast_to(np.arange(N, dtype=np.float32), (B, N))  # read-only
    assert (ranking.top_k(same, asked(), 1).items == N - 1).all()
