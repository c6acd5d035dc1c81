"""What sequences are learned from, and what happens where there are none."""

from dataclasses import replace

import numpy as np
import pytest

from recexp.algorithms import Capabilities
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.sessions import training_sessions
from recexp.data import Dataset, Interactions
from recexp.errors import DataError


def dataset(users: list[int], sessions: list[int] | None, times: list[int] | None) -> Dataset:
    m = len(users)
    rows = Interactions(
        np.array(users, np.int32),
        np.arange(m, dtype=np.int32),
        np.ones(m, np.float32),
        max(users) + 1,
        m,
        timestamps=None if times is None else np.array(times),
        sessions=None if sessions is None else np.array(sessions, np.int32),
    )
    return Dataset("visits", rows, np.arange(rows.n_users), np.arange(m))


def test_sessions_come_in_time_order() -> None:
    rows, begin = training_sessions(dataset([0, 1, 0, 0], [5, 5, 5, 2], [9, 1, 3, 4]))
    assert (rows.items.tolist(), begin.tolist()) == ([3, 2, 0, 1], [0, 1, 3, 4])


def test_sessions_of_length_one_are_refused() -> None:
    with pytest.raises(DataError, match=r"none of the 3 sessions of visits has two rows;.*session=null takes all rows"):
        training_sessions(dataset([0, 0, 1], [0, 1, 0], None))
    with pytest.raises(DataError, match="none of the 2 users of visits has two rows"):
        training_sessions(dataset([0, 1], None, None))


class Ordered(Popularity):
    capabilities = Capabilities(needs=frozenset({"order"}))


def test_data_without_times_have_no_order_unless_their_files_say_so() -> None:
    model, timed = Ordered(half_life_days=None), dataset([0, 0], None, [0, 1])
    assert model.missing_requirements(timed) == ""
    untimed = replace(timed, interactions=replace(timed.interactions, timestamps=None))
    assert model.missing_requirements(untimed) == (
        "Ordered needs order, but visits has none after filtering; name the column of times with "
        "dataset.columns.timestamp, or set dataset.order=file if the rows of the file are in the order in which they "
        "happened"
    )
