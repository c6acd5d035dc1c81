"""Next item in held-out sessions, against a plain loop."""

from collections.abc import Callable

import numpy as np
import pytest

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.splits.base import Splitter

Make = Callable[..., Splitter]
Of = Callable[..., Dataset]


@pytest.fixture
def dataset(of: Of) -> Dataset:
    """60 sessions of 1 to 6 clicks of 7 items, mixed in the file; codes of sessions have gaps."""
    rng = np.random.default_rng(3)
    session = np.repeat(3 * rng.permutation(60), rng.integers(1, 7, 60))
    rng.shuffle(session)
    m = len(session)
    return of(session % 9, rng.integers(0, 7, m), rng.integers(0, 400, m), sessions=session.astype(np.int32))


def loop(dataset: Dataset, held: set[int]) -> set[tuple]:
    """(user, items before, next item) for each click of the held-out sessions but their first."""
    rows, found = dataset.interactions, []
    for session in held:
        mine = sorted(np.flatnonzero(rows.sessions == session), key=lambda row: rows.timestamps[row])
        for n in range(1, len(mine)):
            found.append((rows.users[mine[n]], tuple(rows.items[mine[:n]]), rows.items[mine[n]]))
    return sorted(found)


def asked(split) -> list[tuple]:
    q = split.queries
    items = split.target.indices
    return sorted((q.users[n], tuple(q.log.items[q.start[n] : q.stop[n]]), items[n]) for n in range(len(q)))


def test_each_prefix_of_the_last_sessions_is_a_query(make: Make, dataset: Dataset) -> None:
    [split] = make("sessions", test_ratio=0.2, validation_ratio=0.1).split(dataset)
    rows = dataset.interactions
    start = {s: rows.timestamps[rows.sessions == s].min() for s in set(rows.sessions)}
    held, validated = set(split.test.sessions), set(split.validation.test.sessions)
    assert len(start) == 60 and len(held) >= 12 and len(validated) >= 6
    assert max(start[s] for s in set(start) - held) < min(start[s] for s in held)
    assert max(start[s] for s in set(start) - held - validated) < min(start[s] for s in validated)
    assert asked(split) == loop(dataset, held)
    assert asked(split.validation) == loop(dataset, validated)
    assert set(split.train.interactions.sessions) == set(start) - held
    assert set(split.validation.train.interactions.sessions) == set(start) - held - validated


def test_items_may_come_again_unless_excluded(make: Make, of: Of) -> None:
    clicks = of([0] * 6, [0, 1, 2, 0, 2, 1], range(6), sessions=np.array([0, 0, 1, 1, 1, 1], np.int32))
    [free] = make("sessions", test_ratio=0.5).split(clicks)
    assert asked(free) == [(0, (2,), 0), (0, (2, 0), 2), (0, (2, 0, 2), 1)]
    [strict] = make("sessions", test_ratio=0.5, exclude_seen=True).split(clicks)
    assert asked(strict) == [(0, (2,), 0), (0, (2, 0, 2), 1)]
    assert strict.queries.exclude.toarray().tolist() == [[0, 0, 1], [1, 0, 1]]


def test_data_without_times_goes_by_file_order(make: Make, of: Of) -> None:
    clicks = of([0] * 5, [0, 1, 2, 3, 4], sessions=np.array([5, 2, 2, 5, 2], np.int32))
    [split] = make("sessions", test_ratio=0.5).split(clicks)
    assert asked(split) == [(0, (1,), 2), (0, (1, 2), 4)]
    with pytest.raises(DataError, match=r"test_from .*need timestamps"):
        list(make("sessions", test_ratio=None, test_from=3).split(clicks))


def test_data_without_sessions_or_pairs(make: Make, of: Of) -> None:
    with pytest.raises(DataError, match=r"split=sessions needs the session .*dataset\.columns\.session"):
        list(make("sessions").split(of([0, 1], [0, 1], [1, 2])))
    with pytest.raises(DataError, match="none of the 1 test sessions has two items"):
        list(make("sessions", test_ratio=0.5).split(of([0, 1], [0, 1], [1, 2], sessions=np.array([0, 1], np.int32))))
