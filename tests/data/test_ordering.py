"""Sorts by counting against numpy's, which compares."""

import numpy as np
import pytest

from recexp.data.ordering import ascending, by_code


@pytest.mark.parametrize(
    "span", [1, 3, 2**15, 10**8, 2**44, 2**46, 2**62], ids=["equal", "ties", "one pass", "two", "three", "many", "ns"]
)
def test_rows_come_in_order_and_ties_as_they_were(span: int) -> None:
    rng = np.random.default_rng(span)
    for values in (rng.integers(0, span, 500), rng.integers(-span, span, 500), np.sort(rng.integers(0, span, 500))):
        assert ascending(values).tolist() == np.argsort(values, kind="stable").tolist()


def test_the_widest_times_are_sorted() -> None:
    ends = np.iinfo(np.int64)
    assert ascending(np.array([ends.max, 0, ends.min, -1])).tolist() == [2, 3, 1, 0]
    assert ascending(np.empty(0, np.int64)).tolist() == []


def test_groups_keep_the_order_of_their_rows() -> None:
    rows, begin = by_code(np.array([5, 1, 4, 0], np.int32), np.array([2, 0, 2, 0]), 4)
    assert (rows.tolist(), begin.tolist()) == ([1, 0, 5, 4], [0, 2, 2, 4, 4])
