"""Interactions in time order, user by user, and taken in blocks."""

import numpy as np
import pytest

from recexp.data import Interactions
from recexp.data.column import take_rows

USERS = np.array([2, 0, 2, 0, 2, 3], np.int32)


def log(timestamps: list[int] | None, users: np.ndarray = USERS) -> Interactions:
    """Rows whose item is their place in the file."""
    times = None if timestamps is None else np.array(timestamps, np.int64)
    n = len(users)
    return Interactions(users, np.arange(n, dtype=np.int32), np.ones(n, np.float32), 5, n, timestamps=times)


@pytest.mark.parametrize(
    ("timestamps", "expected"), [(None, [1, 3, 0, 2, 4, 5]), ([9, 5, 7, 5, 7, 1], [1, 3, 2, 4, 0, 5])]
)
def test_histories_are_in_time_order_and_ties_keep_file_order(timestamps, expected) -> None:
    rows, begin = log(timestamps).histories
    assert rows.items.tolist() == expected
    assert rows.users.tolist() == [0, 0, 2, 2, 2, 3]
    assert begin.tolist() == [0, 2, 2, 5, 6, 6]


def test_rows_that_are_histories_already_are_not_copied() -> None:
    rows = log([1, 2, 3, 3, 4, 1], np.sort(USERS))
    assert rows.histories[0] is rows
    empty = rows.take(np.zeros(0, np.int64))
    assert len(empty.histories[0]) == 0


def test_many_rows_are_taken_in_blocks() -> None:
    rows = np.random.default_rng(1).integers(0, 7, 2**20 + 3, np.int32)
    assert (take_rows(np.arange(7) * 11, rows) == rows * 11).all()


def test_sessions_are_those_of_one_user_in_time_order() -> None:
    users, sessions = np.array([0, 1, 0, 1, 0], np.int32), np.array([5, 5, 7, 5, 5], np.int32)
    times = np.array([3, 9, 2, 8, 1])
    rows = Interactions(
        users, np.arange(5, dtype=np.int32), np.ones(5, np.float32), 3, 5, timestamps=times, sessions=sessions
    )
    ordered, begin = rows.sessions_in_order()
    assert ordered.items.tolist() == [4, 0, 2, 3, 1]
    assert begin.tolist() == [0, 2, 3, 5]


def test_without_sessions_the_rows_of_a_user_are_one() -> None:
    users = np.array([2, 0, 2], np.int32)
    rows = Interactions(users, np.arange(3, dtype=np.int32), np.ones(3, np.float32), 4, 3)
    ordered, begin = rows.sessions_in_order()
    assert ordered.items.tolist() == [1, 0, 2]
    assert begin.tolist() == [0, 1, 3], "users 1 and 3 have no rows, and so no session"
