"""What friends have, and what they say of it: shares and ratings worked out by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recexp.algorithms.cold_start.social import Social
from recexp.algorithms.cold_start.trust import trust
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError

Tiny = Callable[..., Dataset]
LINKS = np.array([[3, 0], [3, 1], [0, 2], [2, 0], [4, 3]], np.int32)
"""User 3 trusts 0 and 1, who trusts nobody; 0 and 2 each other; 4 trusts 3 alone. Users 3 and 4 have no rows."""
HAVE = [[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
P = np.array([2, 1, 1]) / 3


def model(**fields) -> Social:
    baselines = {"user_damping": 0.0, "item_damping": 0.0, "iterations": 1}
    return Social(**{"aggregate": "sum", "depth": 1, "both_ways": False, "shrinkage": 1.0, **baselines, **fields})


def linked(data: Dataset, links: np.ndarray = LINKS) -> Dataset:
    return replace(data, links=links)


def ask(data: Dataset, *users: int) -> Queries:
    known = Queries.of_users(np.maximum(np.array(users, np.int32), 0), data.interactions, exclude_seen=False)
    return replace(known, users=np.array(users, np.int32))


def test_trust_falls_with_the_shortest_way() -> None:
    """4 -> 3 -> 0 -> 2; the way from 0 back to itself is none."""
    expected = np.zeros((5, 5))
    expected[[3, 3, 0, 2, 4], [0, 1, 2, 0, 3]] = 1
    np.testing.assert_array_equal(trust(LINKS, 5, depth=1, both_ways=False).toarray(), expected)
    expected[[3, 4, 4], [2, 0, 1]] = 2 / 3
    expected[4, 2] = 1 / 3
    np.testing.assert_allclose(trust(LINKS, 5, depth=3, both_ways=False).toarray(), expected)
    both = trust(LINKS[:2], 4, depth=2, both_ways=True).toarray()
    np.testing.assert_array_equal(both, [[0, 0.5, 0, 1], [0.5, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]])


def test_shares_of_friends_by_hand(tiny: Tiny) -> None:
    data = linked(tiny(HAVE))
    found = model().fit(data)
    np.testing.assert_allclose(found.score(ask(data, 3, 2)), np.add(P, [[2, 1, 0], [1, 1, 0]]) / [[3], [2]], rtol=1e-6)
    far = model(depth=2, shrinkage=0.5).fit(data)
    expected = (0.5 * P + [1, 0.5, 0]) / 1.5, (0.5 * P + [2, 1, 0.5]) / 3
    np.testing.assert_allclose(far.score(ask(data, 4, 3)), expected, rtol=1e-6)


def test_users_without_a_friend_in_train_are_left_to_the_fallback(tiny: Tiny) -> None:
    """User 4's only friend has no rows; 1 trusts nobody; -1 is nobody known."""
    data = linked(tiny(HAVE))
    asked, trained = ask(data, 0, 1, 2, 3, 4, -1), data.interactions.known_users
    assert model().fit(data).can_answer(asked, trained).tolist() == [True, False, True, True, False, False]
    assert model(depth=2).fit(data).can_answer(asked, trained).tolist() == [True, False, True, True, True, False]
    np.testing.assert_allclose(model().fit(data).score(asked)[[1, 4, 5]], [P] * 3, rtol=1e-6)


def test_ratings_by_hand() -> None:
    """Mean 3; without damping b_i = (.5, -1), then b_u = .75 and -1.5, so that only user 0 is above: by (.75, -.75).

    User 2 trusts 0 and 1, user 3 trusts 0. Both have no ratings; b_u is 0.
    """
    users, items, values = [0, 0, 1], [0, 1, 0], [5, 2, 2]
    rows = Interactions(np.int32(users), np.int32(items), np.float32(values), 4, 2, explicit=True)
    data = Dataset("two", rows, np.arange(4), np.arange(2), links=np.array([[2, 0], [2, 1], [3, 0]], np.int32))
    found = model(aggregate="average_baselines").fit(data)
    expected = [[3.5 + 0.75 / 3, 2 - 0.75 / 2], [3.5 + 0.75 / 2, 2 - 0.75 / 2], [4.25, 2.75]]
    np.testing.assert_allclose(found.score(ask(data, 2, 3, 0)), expected, atol=1e-6)
    none = np.zeros(4, np.int64)
    history = Queries(np.array([2, 3, 3, -1], np.int32), rows, none, none)
    asked = Interactions(np.int32([2, 3, 3, 0]), np.int32([0, 1, 0, 0]), np.ones(4, np.float32), 4, 2, explicit=True)
    predicted = found.predict(asked, history)
    np.testing.assert_allclose(predicted, [3.75, 2, 3.875, 3.5], atol=1e-6, err_msg="the second is clipped to 2")
    assert found.can_answer(ask(data, 1, 3), rows.known_users).all()


def test_data_without_links_are_refused(tiny: Tiny) -> None:
    assert model().missing_requirements(tiny(HAVE)) == "Social needs links, but tiny has none after filtering"
    with pytest.raises(DataError, match="social needs links between users, which tiny does not have"):
        model().fit(tiny(HAVE))
