"""Histories as sequences and as matrices."""

from dataclasses import replace

import numpy as np
import pytest

from recexp.data import Column, Interactions, Queries
from recexp.errors import DataError


def queries() -> Queries:
    users, items = np.array([0, 1, 0, 0], np.int32), np.array([3, 1, 2, 4], np.int32)
    times = np.array([30, 5, 10, 20])
    log = Interactions(users, items, np.ones(4, np.float32), 3, 5, timestamps=times)
    return Queries.of_users(np.array([0, 1, 2], np.int32), log, exclude_seen=True)


def test_sequences_hold_the_latest_items_oldest_first() -> None:
    assert queries().sequences(2).tolist() == [[4, 3], [-1, 1], [-1, -1]]
    assert queries().sequences(4).tolist() == [[-1, 2, 4, 3], [-1, -1, -1, 1], [-1] * 4]


def test_a_block_is_the_same_questions() -> None:
    whole = queries()
    block = whole.take(slice(1, 3))
    assert block.users.tolist() == [1, 2]
    assert block.log is whole.log, "shared, not copied"
    assert np.array_equal(block.history(values=True).toarray(), whole.history(values=True).toarray()[1:])
    assert np.array_equal(block.exclude.toarray(), whole.exclude.toarray()[1:])


def test_context_has_a_row_a_query() -> None:
    with pytest.raises(DataError, match=r"queries\.context column device must have 3 rows, got 2"):
        replace(queries(), context={"device": Column.category(["tv", "web"])})


def test_the_last_session_is_the_rows_at_the_end_of_a_history() -> None:
    """User 0 has sessions 1, 2, 1; user 1 has session 1, whose code is also that of the row before it."""
    users, sessions = np.array([0, 0, 0, 0, 1, 1], np.int32), np.array([1, 2, 2, 1, 1, 1], np.int32)
    rows = Interactions(users, np.arange(6, dtype=np.int32), np.ones(6, np.float32), 2, 6, sessions=sessions)
    asked = Queries(
        np.array([0, 0, 0, 0, 1, 1], np.int32), rows, np.array([0, 0, 0, 0, 4, 4]), np.array([4, 3, 1, 0, 6, 4])
    )
    last = asked.of_last_session()
    assert list(zip(last.start.tolist(), last.stop.tolist())) == [(3, 4), (1, 3), (0, 1), (0, 0), (4, 6), (4, 4)]


def test_without_sessions_the_whole_history_is_the_last_session() -> None:
    assert queries().of_last_session().start.tolist() == queries().start.tolist()
