"""Sorts by counting, and what is found among sorted rows, against numpy and plain sets, which compare."""

import numpy as np
import pytest
import scipy.sparse as sp

from recexp import threads
from recexp.data.ordering import ascending, by_code, by_code_and_time, count_distinct, pairs
from recexp.data.overlap import found_in


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


@pytest.mark.parametrize("block", [1, 7, 2**15])
@pytest.mark.parametrize("span", [1, 4, 10**9, 2**62], ids=["equal", "ties", "seconds", "ns"])
def test_each_group_is_in_order_of_time_and_ties_as_they_were(
    monkeypatch: pytest.MonkeyPatch, span: int, block: int
) -> None:
    monkeypatch.setattr("recexp.data.ordering.BLOCK", block)
    rng = np.random.default_rng(span)
    codes, times = rng.integers(0, 30, 400).astype(np.int32), rng.integers(-span, span, 400)
    codes[codes % 7 == 3] = 5  # some groups are empty, one is large
    for given in (times, np.sort(times)):
        with threads.limit(2):
            rows, begin = by_code_and_time(codes, given, 40)
        assert rows.tolist() == np.lexsort((given, codes)).tolist()
        assert begin.tolist() == np.append(0, np.cumsum(np.bincount(codes, minlength=40))).tolist()


def test_of_no_rows_there_is_no_order() -> None:
    rows, begin = by_code_and_time(np.empty(0, np.int32), np.empty(0, np.int64), 3)
    assert (rows.tolist(), begin.tolist()) == ([], [0, 0, 0, 0])


def test_items_of_each_user_ascend_and_repeat() -> None:
    users, items = np.array([2, 0, 2, 2, 0], np.int32), np.array([3, 4, 1, 3, 0], np.int32)
    found, begin = pairs(users, items, 3, 5)
    assert (found.tolist(), begin.tolist()) == ([0, 4, 1, 3, 3], [0, 2, 2, 5])


@pytest.mark.parametrize("block", [1, 50, 2**15])
def test_entries_are_found_whatever_their_order(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("recexp.data.ordering.BLOCK", block)
    rng = np.random.default_rng(1)
    codes, lengths = rng.integers(0, 20, 300), rng.integers(0, 9, 60)
    start = rng.integers(0, 290, 60)  # ranges overlap, some are empty
    wanted_of, wanted = rng.integers(0, 9, 60), rng.integers(0, 20, 600).astype(np.int32)
    indptr = np.append(0, np.cumsum(wanted_of))
    matrix = sp.csr_array((np.zeros(indptr[-1]), wanted[: indptr[-1]], indptr), shape=(60, 20))
    expected = [
        code in codes[start[row] : start[row] + lengths[row]]
        for row in range(60)
        for code in matrix.indices[indptr[row] : indptr[row + 1]]
    ]
    with threads.limit(2):
        assert found_in(start, start + lengths, codes, matrix).tolist() == expected
    assert not found_in(start, start, codes, matrix).any()


@pytest.mark.parametrize("largest", [3, 2**62])
def test_distinct_values_and_rows_are_counted(largest: int) -> None:
    """Also where a row has no room in one number."""
    first, second = np.array([5, 5, 5, -1, 5]), np.array([1, largest, 1, 1, -largest])
    third = np.array([7, 7, 7, 7, 7], np.int32)
    assert count_distinct(first, [second, third]) == (2, 4)
    assert count_distinct(first, []) == (2, 2)
    assert count_distinct(first[:0], [second[:0]]) == (0, 0)
