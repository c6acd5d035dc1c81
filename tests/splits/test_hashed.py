"""A split by a hash of ids is stable where data grows or comes in another order."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

import recexp
from recexp.data import Dataset
from recexp.splits.base import Splitter
from recexp.testing.examples import events

Row = tuple[object, object, float]


def by_hand(user: object, item: object, seed: int) -> float:
    """The number of a row, by whole numbers alone."""

    def mixed(x: int) -> int:
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
        return x ^ x >> 31

    def hashed(one: object, side: str) -> int:
        key = f"{seed} {side}".encode()
        return int.from_bytes(hashlib.blake2b(str(one).encode(), digest_size=8, key=key).digest(), "little")

    return mixed(hashed(user, "user") ^ mixed(hashed(item, "item"))) / 2**64


def held_out(splitter: Splitter, data: Dataset) -> set[Row]:
    """User, item and time of each test row."""
    (split,) = splitter.split(data)
    rows = split.test
    return set(zip(data.user_ids[rows.users], data.item_ids[rows.items], rows.timestamps.tolist(), strict=True))


@pytest.fixture(scope="module")
def hashed() -> Splitter:
    return recexp.make("split=hashed", "seed=3")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return events(ratings=False)


def test_rows_are_where_their_numbers_say(hashed: Splitter, data: Dataset) -> None:
    rows, found = data.interactions, held_out(hashed, data)
    everything = set(zip(data.user_ids[rows.users], data.item_ids[rows.items], rows.timestamps.tolist(), strict=True))
    assert found == {row for row in everything if by_hand(row[0], row[1], 3) < 0.2}
    assert 0.1 < len(found) / len(everything) < 0.3


def test_neither_order_nor_other_users_matter(hashed: Splitter, data: Dataset) -> None:
    rows, before = data.interactions, held_out(hashed, data)
    shuffled = data.take(np.random.default_rng(0).permutation(len(rows)))
    assert held_out(hashed, shuffled) == before
    without_first = data.take(rows.users != 0).compact()
    assert held_out(hashed, without_first) == {row for row in before if row[0] != data.user_ids[0]}


def test_more_rows_of_a_user_leave_the_others_where_they_are(hashed: Splitter, data: Dataset) -> None:
    fewer = data.take(np.arange(len(data.interactions)) % 3 > 0).compact()
    assert held_out(hashed, fewer) <= held_out(hashed, data)


def test_ids_count_as_their_text(hashed: Splitter, data: Dataset) -> None:
    """A column of numbers becomes one of texts when a text comes."""
    numbers = replace(data, user_ids=np.arange(data.n_users), item_ids=np.arange(data.n_items))
    texts = replace(numbers, user_ids=numbers.user_ids.astype(str).astype(object))
    assert {(str(user), item, time) for user, item, time in held_out(hashed, numbers)} == held_out(hashed, texts)
