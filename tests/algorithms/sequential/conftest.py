"""Sessions by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from recexp.data import Dataset, Interactions, Queries

Sessions = list[list[int]]


def rows_of(sessions: Sessions, n_items: int, times: list[int] | None = None) -> Interactions:
    """One user a session; `times` are when sessions begin, a second between rows."""
    items = np.array([item for session in sessions for item in session], np.int32)
    users = np.repeat(np.arange(len(sessions), dtype=np.int32), [len(session) for session in sessions])
    begin = np.array(range(len(sessions)) if times is None else times)
    place = np.concatenate([np.arange(len(session)) for session in sessions]) if sessions else users
    when = 1000 * begin[users] + place if times is None else begin[users] + place
    return Interactions(
        users, items, np.ones(len(items), np.float32), len(sessions), n_items, timestamps=when, sessions=users
    )


@pytest.fixture(scope="session")
def visits() -> Callable[..., Dataset]:
    """Make a dataset of sessions, each a list of item codes in order."""

    def make(sessions: Sessions, n_items: int, times: list[int] | None = None) -> Dataset:
        return Dataset("visits", rows_of(sessions, n_items, times), np.arange(len(sessions)), np.arange(n_items))

    return make


@pytest.fixture(scope="session")
def asking() -> Callable[..., Queries]:
    """Make one query a list of item codes, of people whom nobody knows."""

    def make(histories: Sessions, n_items: int) -> Queries:
        users = np.arange(len(histories), dtype=np.int32)
        log = rows_of(histories, n_items)
        return Queries.of_users(users, log, exclude_seen=False).asked_by(-1)

    return make
