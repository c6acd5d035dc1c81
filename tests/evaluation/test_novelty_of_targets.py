"""Targets that the user had before and new ones are shown apart, where both may be recommended."""

from dataclasses import replace

import numpy as np
import pytest

from recexp.data import Interactions
from recexp.evaluation import slices
from recexp.metrics.base import JudgedLists
from recexp.ranking import Lists
from recexp.splits.base import build_split
from recexp.testing.examples import two_tastes


def judged(*, exclude_seen: bool) -> JudgedLists:
    """User 0 had items 0 and 1 and takes 1 and 2, user 1 had 2 and takes 2 and 0; lists are 2 1 3 and 0 3 1."""
    data = two_tastes()
    few = Interactions(
        np.array([0, 0, 1], np.int32), np.array([0, 1, 2], np.int32), np.ones(3, np.float32), data.n_users, data.n_items
    )
    held = replace(
        few.take(np.array([0, 0, 1, 1])), users=np.array([0, 0, 1, 1], np.int32), items=np.array([1, 2, 2, 0], np.int32)
    )
    split = build_split("test", replace(data, interactions=few), few, held, exclude_seen=exclude_seen)
    lists = Lists(np.array([[2, 1, 3], [0, 3, 1]], np.int32), np.zeros((2, 3), np.float32))
    return JudgedLists.of(lists, split.target, split.queries, split.train, np.arange(data.n_items) < data.n_items)


def test_targets_had_before_and_new_ones_by_hand() -> None:
    found = [
        group for group in slices.of_targets(judged(exclude_seen=False), [1, 3]) if group.slice == "target_novelty"
    ]
    assert [(group.group, group.size) for group in found] == [("had before", 2), ("new", 2)]
    before, new = (group.means.values.tolist() for group in found)
    assert before == [0, pytest.approx(1 / 2)], "1 of user 0, at the second place; 2 of user 1 is not listed"
    assert new == [1, 1], "2 of user 0 and 0 of user 1, both first"


def test_where_seen_items_are_excluded_all_targets_are_new() -> None:
    assert all(group.slice != "target_novelty" for group in slices.of_targets(judged(exclude_seen=True), [1, 3]))
