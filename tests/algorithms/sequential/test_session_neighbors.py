"""Neighbor sessions: scores by hand, against a plain loop, and what must not change them."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recexp.algorithms.sequential.session_neighbors import SessionNeighbors
from recexp.algorithms.sequential.sknn import SKNN
from recexp.algorithms.sequential.stan import STAN
from recexp.algorithms.sequential.vsknn import VSKNN
from recexp.data import Dataset, Queries
from recexp.errors import DataError
from recexp.ranking import Ranking

Visits, Asking = Callable[..., Dataset], Callable[..., Queries]
SESSIONS = [[0, 1], [1, 2], [0, 2, 3], [4, 4]]
"""The oldest first."""
DAY = 86_400


def vsknn(**fields) -> VSKNN:
    return VSKNN(**{"k": 9, "sample": None, "weighting": "quadratic", "score_weighting": "div", "idf": 5.0, **fields})


def stan(h: float | None = 1.0, a: float | None = 1.0, b: float | None = 2.0, **fields) -> STAN:
    decays = {"position_decay": h, "recency_decay": a, "neighbor_decay": b}
    return STAN(**{"k": 9, "sample": None, **decays, **fields})


@pytest.mark.parametrize(
    ("k", "sample", "expected"),
    [
        (9, None, [2 / 2**0.5 + 1 / 3**0.5, 3 / 2**0.5, 1 / 2**0.5 + 1 / 3**0.5, 1 / 3**0.5, 0]),
        (2, None, [2 / 2**0.5, 3 / 2**0.5, 1 / 2**0.5, 0, 0]),
        (9, 2, [1 / 3**0.5, 1 / 2**0.5, 1 / 2**0.5 + 1 / 3**0.5, 1 / 3**0.5, 0]),
        (9, 1, [1, 0, 1, 1, 0]),
    ],
    ids=["all", "nearest", "newest two", "newest"],
)
def test_cosine_of_sets_by_hand(
    k: int, sample: int | None, expected: list[float], visits: Visits, asking: Asking
) -> None:
    model = SKNN(k=k, sample=sample).fit(visits(SESSIONS, 5))
    found = model.exact_scores(asking([[0, 1], [1, 0, 0, 1]], 5))
    np.testing.assert_allclose(found, np.array([expected, expected]) / max(expected), rtol=1e-12)


def test_of_equal_neighbors_the_newer_count(visits: Visits, asking: Asking) -> None:
    """Sessions end at 7, 9, 9 and 3: of the two that end last, the later number is newer."""
    data = visits([[0, 1], [0, 2], [0, 3], [0, 4]], 5, times=[6, 8, 8, 2])
    assert SKNN(k=1, sample=None).fit(data).exact_scores(asking([[0]], 5)).tolist() == [[1, 0, 0, 1, 0]]
    assert SKNN(k=9, sample=3).fit(data).exact_scores(asking([[0]], 5)).tolist() == [[1, 1 / 3, 1 / 3, 1 / 3, 0]]


def test_weights_by_place_and_rarity_by_hand(visits: Visits, asking: Asking) -> None:
    """Of 2 0 1 0, item 2 weighs 1/16, 1 weighs 9/16, 0 weighs 1; the last that 1 2 shares is second from the end."""
    sums = np.array([25 + 17, 25 + 10 / 2, 10 / 2 + 17, 17, 0]) / 16
    expected = sums * (1 + 5 * np.log(4 / np.array([2, 2, 2, 1, 2])))
    found = vsknn().fit(visits(SESSIONS, 5)).exact_scores(asking([[2, 0, 1, 0]], 5))
    np.testing.assert_allclose(found[0], expected / expected.max(), rtol=1e-12)


def test_decays_by_hand(visits: Visits, asking: Asking) -> None:
    """0 1 is two days and two seconds older than 2 1 3 2, whose item 1 is one place from 3 and two from the last 2."""
    data = visits([[0, 1], [2, 1, 3, 2]], 4, times=[0, 2 * DAY])
    old = (1 + math.exp(-1)) / 2**0.5 * math.exp(-(2 + 2 / DAY))
    new = 1 / 3**0.5
    expected = np.array([old * math.exp(-0.5), old + new, new * math.exp(-1), new * math.exp(-0.5)])
    found = stan().fit(data).exact_scores(asking([[0, 1]], 4))
    np.testing.assert_allclose(found[0], expected / expected.max(), rtol=1e-12)
    without = stan(None, None, None).fit(data).exact_scores(asking([[0, 1]], 4))
    plain = SKNN(k=9, sample=None).fit(data).exact_scores(asking([[0, 1]], 4))
    np.testing.assert_allclose(without, plain, rtol=1e-12)


def naive(model: SessionNeighbors, sessions: list[list[int]], asked: list[int], n_items: int) -> np.ndarray:
    """Score one session by dictionaries; the sessions end in their order, 1000 seconds apart."""
    asked = [item for item in asked if any(item in items for items in sessions)]
    place = {item: p + 1 for p, item in enumerate(asked)}
    length, scores, found = len(asked), np.zeros(n_items), []
    sharing = [s for s, items in enumerate(sessions) if place.keys() & set(items)]
    for s in sorted(sharing, reverse=True)[: model.sample]:
        items, shared = sessions[s], place.keys() & set(sessions[s])
        if isinstance(model, VSKNN):
            similarity = sum(place[i] ** 2 for i in shared)  # 3^2 + 4^2 is 5^2
        elif isinstance(model, STAN):
            similarity = sum(math.exp((place[i] - length) / model.position_decay) for i in shared)
            similarity *= len(set(items)) ** -0.5
            end = 1000 * s + len(items) - 1
            similarity *= math.exp((end - 1000 * len(sessions)) / DAY / model.recency_decay)
        else:
            similarity = len(shared) / len(set(items)) ** 0.5
        found.append((similarity, s, shared))
    for similarity, s, shared in sorted(found, key=lambda one: (-one[0], -one[1]))[: model.k]:
        last = {item: p for p, item in enumerate(sessions[s])}
        anchor = max(last[i] for i in shared)
        for item, p in last.items():
            link = 1 / (length - max(place[i] for i in shared) + 1) if isinstance(model, VSKNN) else 1.0
            near = math.exp(-abs(p - anchor) / model.neighbor_decay) if isinstance(model, STAN) else 1.0
            scores[item] += similarity * link * near
    if isinstance(model, VSKNN):
        rows = np.bincount([i for items in sessions for i in items], minlength=n_items)
        scores *= 1 + model.idf * np.log(len(sessions) / np.maximum(1, rows))
    return scores / (scores.max() or 1)


MODELS = [SKNN(k=7, sample=20), vsknn(k=7, sample=20), stan(k=7, sample=20), vsknn(idf=0.5), stan()]


@pytest.mark.parametrize("model", MODELS, ids=["sknn", "vsknn", "stan", "vsknn all", "stan all"])
def test_agrees_with_a_plain_loop(model: SessionNeighbors, visits: Visits, asking: Asking) -> None:
    rng = np.random.default_rng(2)
    sessions = [rng.integers(0, 25, 2 + s % 7).tolist() for s in range(120)]
    asked = [rng.integers(0, 26, 1 + q % 6).tolist() for q in range(40)]
    found = model.fit(visits(sessions, 26)).exact_scores(asking(asked, 26))
    for row, history in enumerate(asked):
        np.testing.assert_allclose(found[row], naive(model, sessions, history, 26), rtol=1e-9, atol=1e-12)


def test_order_of_a_session_matters_to_all_but_sets(visits: Visits, asking: Asking) -> None:
    rng = np.random.default_rng(3)
    data = visits([rng.integers(0, 30, 8).tolist() for _ in range(200)], 30)
    one, other = asking([[3, 8, 1, 20, 11]], 30), asking([[11, 3, 20, 8, 1]], 30)
    sets = SKNN(k=50, sample=60).fit(data)
    np.testing.assert_array_equal(sets.exact_scores(one), sets.exact_scores(other))
    for model in (vsknn().fit(data), stan().fit(data)):
        assert (model.score(one) != model.score(other)).any()


@pytest.mark.parametrize("model", MODELS[:3], ids=["sknn", "vsknn", "stan"])
def test_candidates_score_as_in_the_full_list(model: SessionNeighbors, visits: Visits, asking: Asking) -> None:
    rng = np.random.default_rng(1)
    model.fit(visits([rng.integers(0, 12, 6).tolist() for _ in range(40)], 12))
    asked, ranking = asking([[1, 2], [5], [3, 3]], 12), Ranking.draw(12, None, rng=rng)
    scores, wanted = model.score(asked), np.tile(np.arange(12) % 3 == 0, (3, 1))
    some = model.recommend(replace(asked, candidates=sp.csr_array(wanted.astype(np.float32))), 4, ranking)
    for row in range(3):
        assert sorted(some.items[row]) == [0, 3, 6, 9]
        np.testing.assert_array_equal(scores[row, some.items[row]], some.scores[row])


def test_only_the_last_session_is_read(visits: Visits, asking: Asking) -> None:
    model, asked = SKNN(k=9, sample=None).fit(visits(SESSIONS, 5)), asking([[0, 1, 2], [2]], 5)
    sessions = np.array([7, 7, 8, 8], np.int32)
    scores = model.score(replace(asked, log=replace(asked.log, sessions=sessions)))
    np.testing.assert_array_equal(scores[0], scores[1])


def test_items_that_train_does_not_know_are_left_out(visits: Visits, asking: Asking) -> None:
    data = visits(SESSIONS, 7)
    for model in (vsknn().fit(data), stan().fit(data)):
        scores = model.score(asking([[6, 0, 5, 1, 6], [0, 1], [6]], 7))
        np.testing.assert_array_equal(scores[0], scores[1])
        assert not scores[2].any()


def test_old_neighbors_alone_are_not_lost(visits: Visits, asking: Asking) -> None:
    """Ages are counted from the newest session that shares an item: thirty years are no reason to find nothing."""
    data = visits([[0, 1], [2, 3]], 4, times=[0, 30 * 365 * DAY])
    assert stan(b=None).fit(data).score(asking([[0]], 4)).tolist() == [[1, 1, 0, 0]]


def test_neighbors_so_old_that_they_weigh_nothing_are_passed_over(visits: Visits, asking: Asking) -> None:
    """exp(-2920) is 0 in float64. The items of such neighbors were counted as new ones each time."""
    data = visits([[0, 1, 2]] * 3000 + [[0, 3]], 4, times=[0] * 3000 + [40 * 365 * DAY])
    found = stan(a=5.0, k=5000).fit(data).exact_scores(asking([[0]], 4))
    np.testing.assert_allclose(found, [[1, 0, 0, math.exp(-0.5)]], rtol=1e-12)


def test_sessions_of_one_row_are_refused(visits: Visits) -> None:
    for model in MODELS[:3]:
        with pytest.raises(DataError, match="none of the 2 sessions of visits has two rows"):
            model.fit(visits([[0], [1]], 2))
