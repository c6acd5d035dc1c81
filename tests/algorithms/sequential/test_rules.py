"""Markov chains and rules: counts by hand, and what is known to be learned."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recexp.algorithms.sequential.association_rules import AssociationRules
from recexp.algorithms.sequential.markov import Markov
from recexp.algorithms.sequential.sequential_rules import SequentialRules
from recexp.data import Dataset, Queries
from recexp.errors import DataError
from recexp.ranking import Ranking

Visits, Asking = Callable[..., Dataset], Callable[..., Queries]
SESSIONS = [[0, 1, 2], [0, 2, 0, 1], [3]]
"""Transitions: 0-1 twice, 0-2, 1-2, 2-0 once; rows: 0 three times, 1 and 2 twice, 3 once."""


def rules(steps: int = 10, weighting: str = "div", pruning: int | None = None) -> SequentialRules:
    return SequentialRules(steps=steps, weighting=weighting, pruning=pruning)


def test_transitions_by_hand(visits: Visits, asking: Asking) -> None:
    model = Markov(steps=1, smoothing=0.5).fit(visits(SESSIONS, 4))
    popularity = np.array([3, 2, 2, 1]) / 8
    counts = np.array([[0, 2, 1, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    expected = (counts + 0.5 * popularity) / (counts.sum(axis=1, keepdims=True) + 0.5)
    found = model.score(asking([[2, 0], [0, 1], [2], [1, 3]], 4))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    plain = Markov(steps=1, smoothing=0.0).fit(visits(SESSIONS, 4)).score(asking([[0], [3]], 4))
    np.testing.assert_allclose(plain, [[0, 2 / 3, 1 / 3, 0], [0, 0, 0, 0]], rtol=1e-6)


def test_a_known_chain_is_learned(visits: Visits, asking: Asking) -> None:
    """Item i is followed by 7 i + 3 modulo 50 in nine of ten steps, else by any."""
    rng, follows = np.random.default_rng(0), (7 * np.arange(50) + 3) % 50
    sessions = [[int(rng.integers(50))] for _ in range(300)]
    for session in sessions:
        for _ in range(20):
            session.append(int(follows[session[-1]]) if rng.random() < 0.9 else int(rng.integers(50)))
    data, asked = visits(sessions, 50), asking([[item] for item in range(50)], 50)
    for model in (Markov(steps=1, smoothing=1.0), rules(steps=1), rules()):
        np.testing.assert_array_equal(model.fit(data).score(asked).argmax(axis=1), follows)


def test_pairs_of_a_session_by_hand(visits: Visits, asking: Asking) -> None:
    """In the second session item 0 is there twice: twice beside 1 and 2, and (2)(1) times beside itself."""
    model = AssociationRules(pruning=None).fit(visits(SESSIONS, 4))
    counts = model.score(asking([[0], [1], [2], [3]], 4))
    np.testing.assert_array_equal(counts, [[2, 3, 3, 0], [3, 0, 2, 0], [3, 2, 0, 0], [0, 0, 0, 0]])
    pruned = AssociationRules(pruning=2).fit(visits(SESSIONS, 4)).score(asking([[0], [1]], 4))
    np.testing.assert_array_equal(pruned, [[0, 3, 3, 0], [3, 0, 2, 0]])


@pytest.mark.parametrize(
    ("weighting", "weights"),
    [("same", [1, 1]), ("div", [1, 1 / 2]), ("quadratic", [1, 1 / 4]), ("log", 1 / np.log10([2.7, 3.7]))],
)
def test_rules_in_order_by_hand(weighting: str, weights: list[float], visits: Visits, asking: Asking) -> None:
    """Within two steps 0 is followed by 1 twice at once, by 2 at once and after a step, by itself after one."""
    near, far = weights
    expected = [[far, 2 * near, near + far, 0], [0, 0, near, 0], [near, far, 0, 0]]
    model = rules(2, weighting).fit(visits(SESSIONS, 4))
    np.testing.assert_allclose(model.score(asking([[0], [1], [2]], 4)), expected, rtol=1e-6)


def test_the_strongest_successors_are_kept_among_equals_the_lower(visits: Visits, asking: Asking) -> None:
    data = visits([[0, 3], [0, 2], [0, 1], [0, 2], [0, 4]], 5)
    assert rules(pruning=3).fit(data).score(asking([[0]], 5)).tolist() == [[0, 1, 2, 1, 0]]


@pytest.mark.parametrize("model", [Markov(steps=1, smoothing=1.0), AssociationRules(pruning=2), rules(pruning=2)])
def test_candidates_score_as_in_the_full_list(
    model: Markov | AssociationRules | SequentialRules, visits: Visits, asking: Asking
) -> None:
    rng = np.random.default_rng(1)
    model.fit(visits([rng.integers(0, 12, 6).tolist() for _ in range(40)], 12))
    asked, ranking = asking([[1, 2], [5], [3, 3]], 12), Ranking.draw(12, None, rng=rng)
    whole, wanted = model.recommend(asked, 12, ranking), sp.csr_array(np.arange(12) % 3 == 0) * np.ones((3, 1))
    some = model.recommend(replace(asked, candidates=sp.csr_array(wanted)), 4, ranking)
    for row in range(3):
        scores = dict(zip(whole.items[row], whole.scores[row], strict=True))
        assert sorted(some.items[row]) == [0, 3, 6, 9]
        np.testing.assert_array_equal([scores[item] for item in some.items[row]], some.scores[row])


def test_another_session_does_not_follow(visits: Visits, asking: Asking) -> None:
    """Sessions of one user are apart; a history is read to its end."""
    data = visits([[0, 1], [2, 3]], 4)
    one = replace(data.interactions, users=np.zeros(4, np.int32))
    model = rules().fit(replace(data, interactions=one))
    np.testing.assert_array_equal(model.score(asking([[1], [0, 2]], 4)), [[0, 0, 0, 0], [0, 0, 0, 1]])


def test_sessions_of_one_row_are_refused(visits: Visits) -> None:
    for model in (Markov(steps=1, smoothing=1.0), AssociationRules(pruning=2), rules()):
        with pytest.raises(DataError, match="none of the 2 sessions of visits has two rows"):
            model.fit(visits([[0], [1]], 2))
