"""What filters leave to the parts of a split by time, row by row by hand; and weights that are no likes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import recexp
from recexp.audit import Audit
from recexp.data import Dataset, Interactions, Split
from recexp.datasets.base import Source
from recexp.errors import DataError
from recexp.params import params
from recexp.prepared import Preparation
from recexp.runners.fold import Fold

NOW = 100
ROWS = [  # user, item, value, time: bread is bought by ann before NOW and after it, milk by ben
    ("ann", "bread", 2, 1),
    ("ann", "tea", 1, 2),
    ("ben", "milk", 1, 3),
    ("ann", "bread", 3, 4),
    ("ben", "tea", 1, 5),
    ("ann", "bread", 5, NOW),
    ("ben", "milk", 1, NOW + 1),
    ("ann", "milk", 1, NOW + 2),
    ("ann", "milk", 4, NOW + 3),
    ("ben", "bread", 1, NOW + 4),
]
LATE = ("counts", "deduplicate", "ratings")
BY_TIME = {"temporal": (f"split.test_from={NOW}", "split.test_ratio=null"), "leave_last": ("split.test_n=3",)}


@params
class Given(Source):
    """Rows as they are given; the table is set from outside."""

    table: Any

    def check(self) -> None:
        pass

    def load(self) -> Dataset:
        return self.table


def dataset(rows: list[tuple], *, explicit: bool = False) -> Dataset:
    users, items, values, times = (list(column) for column in zip(*rows, strict=True))
    names = [np.array(sorted(set(column)), object) for column in (users, items)]
    codes = [np.searchsorted(ids, column).astype(np.int32) for ids, column in zip(names, (users, items))]
    made = Interactions(
        *codes, np.array(values, np.float32), len(names[0]), len(names[1]), np.array(times), explicit=explicit
    )
    return Dataset("shop", made, *names)


def prepared(data: Dataset, filter: str | list[str], split: str, *more: str) -> tuple[Split, Any]:
    words = [filter] if isinstance(filter, str) else filter
    source = Given(name="shop", terms="", size="", table=data)
    parts = recexp.make(f"filter={words[0]}", *words[1:]), recexp.make(f"split={split}", *more)
    with Preparation(source, *parts, seed=1, cache=False) as preparation:
        loaded = preparation.load()
        (made,) = preparation.splits(loaded)
    return made, loaded


def rows_of(part: Dataset | Interactions, data: Dataset) -> set[tuple]:
    rows = part.interactions if isinstance(part, Dataset) else part
    ids = data.user_ids[rows.users], data.item_ids[rows.items]
    return set(zip(*ids, rows.values.tolist(), rows.timestamps.tolist(), strict=True))


def targets(split: Split, data: Dataset) -> set[tuple[str, str]]:
    found = split.target.tocoo()
    return set(zip(data.user_ids[split.queries.users[found.row]], data.item_ids[found.col], strict=True))


@pytest.mark.parametrize("name", LATE)
def test_each_part_merges_its_own_rows(name: str) -> None:
    data = dataset(ROWS, explicit=name == "ratings")
    split, loaded = prepared(data, name, "temporal", *BY_TIME["temporal"])
    value = (lambda last, added: added) if name == "counts" else lambda last, added: last
    assert rows_of(split.train, data) == {
        ("ann", "bread", value(3, 5), 4),
        ("ann", "tea", 1, 2),
        ("ben", "milk", 1, 3),
        ("ben", "tea", 1, 5),
    }
    assert rows_of(split.test, data) == {
        ("ann", "bread", 5, NOW),
        ("ben", "milk", 1, NOW + 1),
        ("ann", "milk", value(4, 5), NOW + 3),
        ("ben", "bread", 1, NOW + 4),
    }
    assert targets(split, data) == {("ann", "milk"), ("ben", "bread")}, "what was bought before is no new target"
    assert split.queries.timestamps.tolist() == [NOW, NOW + 1], "a question is asked at the user's first row"
    assert loaded.revised, "old runs, which asked otherwise, are of another protocol"


@pytest.mark.parametrize("name", [*LATE, "none", "all_positive"])
@pytest.mark.parametrize("split", BY_TIME)
def test_repurchases_are_asked_where_seen_items_are_not_excluded(name: str, split: str) -> None:
    data = dataset(ROWS, explicit=name == "ratings")
    made, loaded = prepared(data, name, split, "split.exclude_seen=false", *BY_TIME[split])
    again = {("ann", "bread"), ("ben", "milk")} if split == "temporal" else {("ben", "milk")}
    new = {("ann", "milk"), ("ben", "bread")}
    assert targets(made, data) >= new | again if split == "temporal" else new
    report = Audit(policy="error", similarity=0.9).inspect(
        made,
        "point" if split == "temporal" else "history",
        loaded.dataset.interactions if loaded.unfiltered is None else loaded.unfiltered,
        loaded.dataset.interactions if loaded.later else None,
    )
    before = {
        pair for pair in targets(made, data) if any((user, item) == pair and time < NOW for user, item, _, time in ROWS)
    }
    if split == "temporal":
        assert report.metrics["targets_had_before"] == len(before) / len(targets(made, data)) == 0.5


def test_first_stays_before_the_split_and_asks_for_no_repurchase() -> None:
    data = dataset(ROWS)
    split, loaded = prepared(data, "implicit", "temporal", "split.exclude_seen=false", *BY_TIME["temporal"])
    assert targets(split, data) == {("ann", "milk"), ("ben", "bread")}
    assert not loaded.revised and not loaded.later


@pytest.mark.parametrize("name", [*LATE, "implicit", "k_core", "positive"])
@pytest.mark.parametrize("split", ["random_rows", "user_holdout"])
def test_other_splits_get_what_was_merged_before(name: str, split: str) -> None:
    words = [f"filter={name}", *(f"filter.steps.4.per_{side}=1" for side in ("user", "item") if name == "k_core")]
    data = dataset(ROWS, explicit=True)
    filters, splitter = recexp.make(*words), recexp.make(f"split={split}", "split.test_ratio=0.5")
    source = Given(name="shop", terms="", size="", table=data)
    with Preparation(source, filters, splitter, seed=1, cache=False) as preparation:
        loaded = preparation.load()
    assert loaded.dataset.fingerprint == filters.apply(data, seed=1)[0].fingerprint
    assert not loaded.revised and not loaded.later and loaded.unfiltered is None


@pytest.mark.parametrize("name", LATE)
def test_without_repeats_nothing_is_put_off(name: str) -> None:
    """So that such runs keep their protocol."""
    data = dataset([row for n, row in enumerate(ROWS) if n not in (0, 5, 6, 7)], explicit=name == "ratings")
    _, loaded = prepared(data, name, "temporal", *BY_TIME["temporal"])
    assert not loaded.revised and not loaded.later


def test_what_counts_chooses_among_all_and_leaves_rows_as_they_are() -> None:
    """Users with two items at least: ann has three, ben three, and cat one, however often."""
    data = dataset([*ROWS, ("cat", "tea", 1, 6), ("cat", "tea", 1, 7), ("cat", "tea", 1, NOW + 9)])
    steps = "filter.steps=[{_target_: recexp.filters.repeats.Deduplicate, keep: last}, "
    steps += "{_target_: recexp.filters.counts.KCore, per_user: 2, per_item: 1}]"
    split, loaded = prepared(data, ["none", steps], "temporal", *BY_TIME["temporal"])
    plain, _ = prepared(dataset(ROWS), "deduplicate", "temporal", *BY_TIME["temporal"])
    assert loaded.dataset.user_ids.tolist() == ["ann", "ben"] and loaded.later == [0]
    assert rows_of(split.train, loaded.dataset) == rows_of(plain.train, dataset(ROWS))


def test_a_session_is_asked_in_the_order_in_which_it_happened() -> None:
    """bread, tea, bread: tea is asked after bread, which was not only there at the end."""
    data = dataset([("ann", "tea", 1, 1), ("ann", "bread", 1, 10), ("ann", "tea", 1, 11), ("ann", "bread", 1, 12)])
    data = replace(data, interactions=replace(data.interactions, sessions=np.array([0, 1, 1, 1], np.int32)))
    split, _ = prepared(data, "counts", "sessions", "split.test_from=10", "split.test_ratio=null")
    assert rows_of(split.train, data) == {("ann", "tea", 1, 1)}
    assert rows_of(split.test, data) == {("ann", "bread", 2, 10), ("ann", "tea", 1, 11)}
    assert targets(split, data) == {("ann", "tea")}


# weights

CLICKS = [
    *[("ann", "bread", 0, 1), ("ann", "bread", 0, 2)],  # never
    *[("ann", "tea", 0, 3), ("ann", "tea", 1, 4), ("ann", "tea", 1, 5)],  # twice
    *[("ben", "milk", 3, 6), ("ben", "milk", -3, 7)],  # taken back
    *[("ben", "tea", 3, 8), ("ben", "tea", -1, 9)],  # taken back in part
]


def kept(filter: str, rows: list[tuple] = CLICKS, *, explicit: bool = False, steps: str = "") -> set[tuple]:
    words = [f"filter={filter}", *([f"filter.steps={steps}"] if steps else [])]
    data = recexp.make(*words).apply(dataset(rows, explicit=explicit), seed=1)[0]
    return rows_of(data, data)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("positive", {("ann", "tea", 1, 4), ("ann", "tea", 1, 5), ("ben", "tea", 1, 8)}),
        ("all_positive", {("ann", "tea", 1, 4), ("ann", "tea", 1, 5), ("ben", "tea", 1, 8)}),
        ("implicit", {("ann", "tea", 1, 4), ("ben", "tea", 1, 8)}),
        ("counts", {("ann", "tea", 2, 5), ("ben", "tea", 2, 8)}),
    ],
)
def test_a_weight_of_zero_or_below_is_no_like(name: str, expected: set[tuple]) -> None:
    assert kept(name) == expected


def test_ratings_are_no_weights() -> None:
    """Those of -10 to 10 count, however low, where every rating counts."""
    assert kept("all_positive", explicit=True) == {(user, item, 1, time) for user, item, _, time in CLICKS}


NAN = float("nan")


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ([("ann", "milk", NAN, 20)], {("ann", "milk", 1, 20)}),  # a row like all others of data without weights
        ([("ann", "milk", 2, 20), ("ann", "milk", NAN, 21)], {("ann", "milk", 1, 20), ("ann", "milk", 1, 21)}),
        ([("ann", "milk", -2, 20), ("ann", "milk", NAN, 21)], set()),  # taken back
    ],
)
def test_a_row_without_a_weight_says_nothing_against_a_like(more: list[tuple], left: set[tuple]) -> None:
    assert {row for row in kept("positive", [*CLICKS, *more]) if row[3] >= 20} == left


@pytest.mark.parametrize("name", ["none", "deduplicate", "implicit"])
def test_weights_that_no_filter_compares_are_told(name: str, caplog: pytest.LogCaptureFixture) -> None:
    data = dataset([*ROWS, ("ben", "wine", -1, 6)])
    split, loaded = prepared(data, name, "temporal", *BY_TIME["temporal"])
    parts = recexp.make(f"filter={name}"), recexp.make("split=temporal"), Audit(policy="off", similarity=0.9)
    Fold.of(dict(zip(("filter", "split", "audit"), parts)), loaded, split)  # type: ignore[arg-type]
    told = "train rows have a weight of 0 or less and still count as likes" in caplog.text
    assert told == (name != "implicit")


def test_what_is_taken_back_after_the_split_was_a_like_before_it() -> None:
    data = dataset([*ROWS, ("ben", "tea", -1, NOW + 9)])
    split, loaded = prepared(data, "positive", "temporal", *BY_TIME["temporal"])
    assert ("ben", "tea", 1, 5) in rows_of(split.train, data)
    assert ("ben", "tea") not in targets(split, data)
    assert loaded.revised


MERGED = "{_target_: recexp.filters.repeats.Deduplicate, keep: sum}"
AT_LEAST = "{_target_: recexp.filters.values.MinimumRating, minimum: 3}"
ONES = "{_target_: recexp.filters.values.Binarize}"


@pytest.mark.parametrize("explicit", [True, False])
def test_sums_are_compared_whatever_was_added_up(explicit: bool) -> None:
    rows = [("ann", "tea", 2, 1), ("ann", "tea", 1, 2), ("ben", "tea", 2, 3)]
    assert kept("none", rows, explicit=explicit, steps=f"[{MERGED}, {AT_LEAST}]") == {("ann", "tea", 3, 2)}


def test_without_sums_values_that_are_no_ratings_are_not_compared() -> None:
    rows = [("ann", "tea", 2, 1), ("ann", "tea", 1, 2), ("ben", "tea", 2, 3)]
    assert len(kept("none", rows, steps=f"[{AT_LEAST}]")) == 3
    assert len(kept("none", rows, steps=f"[{MERGED}, {ONES}, {AT_LEAST}]")) == 2


def test_weights_of_which_none_is_a_like_are_refused() -> None:
    with pytest.raises(DataError, match="nothing is left of shop after filter step"):
        kept("implicit", [("ann", "tea", 0, 1), ("ben", "tea", -2, 2)])
