"""Filters: what each keeps, on data with and without ratings, and what holds for all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from recexp.config import options
from recexp.config.building import build
from recexp.data import Column, Dataset, Interactions
from recexp.errors import ConfigError, DataError
from recexp.filters.base import Filter, Filters
from recexp.params import params
from recexp.testing import check_filter
from recexp.testing.examples import events

NAN = float("nan")
FOUND = sorted(options("filter"))
DAY = 86_400


def dataset(rows: list[tuple], *, explicit: bool = True, timed: bool = True, named: bool = True) -> Dataset:
    """Rows of (user, item, value, time, event); ids are the letters given, sorted."""
    users, items, values, times, names = (list(column) for column in zip(*rows, strict=True))
    user_ids, item_ids = sorted(set(users)), sorted(set(items))
    interactions = Interactions(
        users=np.array([user_ids.index(u) for u in users], np.int32),
        items=np.array([item_ids.index(i) for i in items], np.int32),
        values=np.array(values, np.float32),
        n_users=len(user_ids),
        n_items=len(item_ids),
        timestamps=np.array(times, np.int64) if timed else None,
        events=Column.category(names) if named else None,
        context={"row": Column.numeric(np.arange(len(rows)))},
        explicit=explicit,
    )
    return Dataset(
        "shop",
        interactions,
        np.array(user_ids, dtype=object),
        np.array(item_ids, dtype=object),
        items={"length": Column.numeric([len(i) for i in item_ids])},
    )


STORE = [  # as the electronics store: views and purchases have no rating
    ("anna", "tv", NAN, 5, "view"),
    ("ben", "tv", NAN, 1, "view"),
    ("anna", "tv", NAN, 6, "purchase"),
    ("anna", "tv", 5, 9, "rating"),
    ("ben", "hub", NAN, 2, "purchase"),
    ("ben", "hub", 3, 7, "rating"),
    ("carl", "pc", NAN, 4, "view"),
    ("carl", "tv", 4, 8, "rating"),
    ("anna", "pc", 2, 9, "rating"),
]


@pytest.fixture
def store() -> Dataset:
    return dataset(STORE)


def step(path: str, **fields: Any) -> Filter:
    return build({"_target_": f"recexp.filters.{path}", **fields}, Filter, "filter.steps[0]")


def kept(filtered: Dataset) -> list[int]:
    return filtered.interactions.context["row"].values.astype(int).tolist()


def apply(step: Filter, data: Dataset, seed: int = 1) -> Dataset:
    return Filters(steps=[step]).apply(data, seed=seed)[0]


def option(name: str) -> Filters:
    return build(OmegaConf.to_container(OmegaConf.load(options("filter")[name])), Filters, "filter")


def test_drop_nan_warns_with_a_count(store: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", logger="recexp")  # runs in this process may have left it lower
    assert kept(apply(step("values.DropNaN"), store)) == [3, 5, 7, 8]
    assert "shop: 5 of 9 rows have no rating and are dropped" in caplog.text
    caplog.clear()
    assert len(apply(step("values.DropNaN"), dataset(STORE, explicit=False)).interactions) == 9
    assert not caplog.text


def test_minimum_rating_counts_from_the_minimum_on(store: Dataset) -> None:
    filtered = apply(step("values.MinimumRating", minimum=4.0), store)
    assert kept(filtered) == [3, 7]
    assert filtered.user_ids.tolist() == ["anna", "carl"] and filtered.item_ids.tolist() == ["tv"]
    assert filtered.items["length"].values.tolist() == [2]
    assert len(apply(step("values.MinimumRating", minimum=4.0), dataset(STORE, explicit=False)).interactions) == 9


def test_binarize_forgets_values(store: Dataset) -> None:
    filtered = apply(step("values.Binarize"), store).interactions
    assert filtered.values.tolist() == [1] * 9 and not filtered.explicit


CORE = [  # e has one row; without it s has one, without that d, then r, then c: a chain
    ("a", "p", 1, 0, ""),
    ("a", "q", 1, 0, ""),
    ("b", "p", 1, 0, ""),
    ("b", "q", 1, 0, ""),
    ("c", "q", 1, 0, ""),
    ("c", "r", 1, 0, ""),
    ("d", "r", 1, 0, ""),
    ("d", "s", 1, 0, ""),
    ("e", "s", 1, 0, ""),
]


def test_k_core_goes_on_until_nothing_changes() -> None:
    core = apply(step("counts.KCore", per_user=2, per_item=2), dataset(CORE))
    assert kept(core) == [0, 1, 2, 3]
    assert (core.n_users, core.n_items) == (2, 2)


def test_minimum_interactions_counts_once() -> None:
    once = apply(step("counts.MinimumInteractions", per_user=2, per_item=2), dataset(CORE))
    assert kept(once) == [0, 1, 2, 3, 4, 5, 6, 7]  # e alone has too few
    assert kept(apply(step("counts.MinimumInteractions", per_user=0, per_item=3), dataset(CORE))) == [1, 3, 4]


def test_k_core_against_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    pairs = list(zip(rng.integers(0, 60, 300).tolist(), rng.integers(0, 50, 300).tolist(), strict=True))
    rows = [(f"{user:02}", f"{item:02}", 1, 0, "") for user, item in pairs]
    left = list(range(300))
    while True:
        users, items = [pairs[n][0] for n in left], [pairs[n][1] for n in left]
        stay = [n for n in left if users.count(pairs[n][0]) >= 4 and items.count(pairs[n][1]) >= 4]
        if stay == left:
            break
        left = stay
    assert 0 < len(left) < 300
    assert kept(apply(step("counts.KCore", per_user=4, per_item=4), dataset(rows))) == left


REPEATS = [
    ("a", "p", 2, 30, ""),
    ("b", "p", 1, 5, ""),
    ("a", "p", 4, 10, ""),
    ("a", "q", 3, 1, ""),
    ("a", "p", 4, 20, ""),
    ("b", "p", NAN, 5, ""),
    ("b", "q", NAN, 2, ""),
    ("b", "q", NAN, 3, ""),
]


@pytest.mark.parametrize(
    ("keep", "rows", "values"),
    [
        ("first", [1, 2, 3, 6], [1, 4, 3, NAN]),
        ("last", [0, 3, 5, 7], [2, 3, NAN, NAN]),
        ("max", [1, 2, 3, 6], [1, 4, 3, NAN]),
        ("sum", [0, 3, 5, 7], [10, 3, 1, NAN]),
    ],
)
def test_deduplicate_keeps_one_row_of_each_pair(keep: str, rows: list[int], values: list[float]) -> None:
    filtered = apply(step("repeats.Deduplicate", keep=keep), dataset(REPEATS))
    assert kept(filtered) == rows
    np.testing.assert_array_equal(filtered.interactions.values, np.array(values, np.float32))


def test_deduplicate_without_times_goes_by_file_order() -> None:
    untimed = dataset(REPEATS, timed=False)
    assert kept(apply(step("repeats.Deduplicate", keep="first"), untimed)) == [0, 1, 3, 6]
    assert kept(apply(step("repeats.Deduplicate", keep="last"), untimed)) == [3, 4, 5, 7]


@pytest.mark.parametrize(
    ("since", "until", "rows"),
    [
        (5, 8, [0, 2, 5]),
        (None, 2, [1]),
        (9, None, [3, 8]),
        ("1970-01-01T00:00:07", None, [3, 5, 7, 8]),
    ],
)
def test_time_window_is_half_open(store: Dataset, since: Any, until: Any, rows: list[int]) -> None:
    assert kept(apply(step("time.TimeWindow", since=since, until=until), store)) == rows


def test_time_window_reads_dates_as_utc() -> None:
    window = step("time.TimeWindow", since="1970-01-02", until="1970-01-03T02:00+02:00")
    assert (window.since, window.until) == (DAY, 2 * DAY)
    with pytest.raises(ConfigError, match=r"filter\.steps\[0\]\.since: must be seconds since 1970 or an ISO date"):
        step("time.TimeWindow", since="May", until=None)
    with pytest.raises(ConfigError, match="since must be before until"):
        step("time.TimeWindow", since="2020-01-01", until="2019-01-01")


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match=r"TimeWindow needs timestamps and shop has none.*dataset\.columns\.timestamp"):
        apply(step("time.TimeWindow", since=1, until=None), dataset(STORE, timed=False))
    with pytest.raises(DataError, match=r"KeepEvents needs events and shop has none.*dataset\.columns\.event"):
        apply(step("events.KeepEvents", events=["view"]), dataset(STORE, named=False))


def test_keep_events(store: Dataset) -> None:
    assert kept(apply(step("events.KeepEvents", events=["purchase", "view"]), store)) == [0, 1, 2, 4, 6]
    with pytest.raises(
        DataError, match=r"shop has no event purchse, sale; there are: purchase, rating, view; to keep purchase: "
    ):
        apply(step("events.KeepEvents", events=["purchse", "view", "sale"]), store)


def test_events_get_values_and_others_are_dropped(store: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    valued = apply(step("events.EventValues", values={"view": 1.0, "purchase": 5.0}), store)
    assert kept(valued) == [0, 1, 2, 4, 6]
    assert valued.interactions.values.tolist() == [1, 1, 5, 5, 1] and not valued.interactions.explicit
    assert not caplog.text
    apply(step("events.EventValues", values={"view": 1.0, "purchse": 5.0}), store)
    assert "filter EventValues: shop has no event purchse; there are: purchase, rating, view" in caplog.text
    with pytest.raises(DataError, match="EventValues: shop has no event purchse"):
        apply(step("events.EventValues", values={"purchse": 5.0}), store)
    with pytest.raises(ConfigError, match=r"values\.view: must be greater than 0 \(got -1"):
        step("events.EventValues", values={"view": -1.0})


def test_the_remedy_names_events_as_the_data_write_them(caplog: pytest.LogCaptureFixture) -> None:
    rows = [("anna", "tv", 1, 1, "view"), ("anna", "tv", 1, 2, "add_to_cart"), ("ben", "tv", 1, 3, "transaction")]
    valued = apply(step("events.EventValues", values={"view": 1.0, "cart": 3.0, "purchase": 5.0}), dataset(rows))
    assert kept(valued) == [0]
    for remedy in ("add_to_cart=3.0", "transaction=5.0"):
        assert f" +filter.steps.0.values.{remedy}" in caplog.text
    with pytest.raises(DataError, match=r"; to keep transaction: filter\.steps\.0\.events=\[view,transaction\]$"):
        apply(step("events.KeepEvents", events=["view", "purchase"]), dataset(rows))


@pytest.mark.parametrize(("name", "side"), [("SampleUsers", "user"), ("SampleItems", "item")])
def test_samples_are_seeded_and_of_the_size_asked_for(name: str, side: str) -> None:
    rng = np.random.default_rng(0)
    data = dataset([(f"u{rng.integers(50):02}", f"i{rng.integers(40):02}", 1, 0, "") for _ in range(2000)])
    n = getattr(data, f"n_{side}s")
    part = step(f"sample.{name}", ratio=0.2, n=None)
    one, again, other = apply(part, data, 1), apply(part, data, 1), apply(part, data, 2)
    assert getattr(one, f"n_{side}s") == n // 5
    assert one.fingerprint == again.fingerprint != other.fingerprint
    whole = [
        row
        for row, who in enumerate(getattr(data.interactions, f"{side}s"))
        if getattr(data, f"{side}_ids")[who] in set(getattr(one, f"{side}_ids"))
    ]
    assert kept(one) == whole
    assert getattr(apply(step(f"sample.{name}", ratio=None, n=7), data), f"n_{side}s") == 7
    assert getattr(apply(step(f"sample.{name}", ratio=None, n=10**6), data), f"n_{side}s") == n
    with pytest.raises(ConfigError, match="give either ratio or n"):
        step(f"sample.{name}", ratio=0.5, n=3)


def test_steps_come_in_order_and_effects_are_told(store: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    filtered, effects = option("positive").apply(store, seed=1)
    assert kept(filtered) == [3, 7] and filtered.interactions.values.tolist() == [1, 1]
    assert [(e.step, e.before, e.after) for e in effects] == [
        ("DropNaN", (9, 3, 3), (4, 3, 3)),
        ("MinimumRating", (4, 3, 3), (2, 2, 1)),
        ("Binarize", (2, 2, 1), (2, 2, 1)),
    ]
    assert "MinimumRating: 4 -> 2 rows, 3 -> 2 users, 3 -> 1 items" in caplog.text


def test_nothing_left_names_the_step(store: Dataset) -> None:
    nothing = Filters(steps=[step("values.DropNaN"), step("counts.KCore", per_user=9, per_item=9)])
    with pytest.raises(DataError, match=r"nothing is left of shop after filter step 2 \(KCore.*it had 4 rows"):
        nothing.apply(store, seed=1)


@pytest.mark.parametrize(
    ("name", "rows", "values"),
    [
        ("none", list(range(9)), None),
        ("positive", [3, 7], [1, 1]),
        ("all_positive", [3, 5, 7, 8], [1] * 4),
        ("implicit", [0, 1, 4, 6, 7, 8], [1] * 6),
        ("counts", [1, 3, 5, 6, 7, 8], [1, 3, 2, 1, 1, 1]),
        ("ratings", [3, 5, 7, 8], [5, 3, 4, 2]),
        ("clicks", [3, 7, 8], [1, 1, 0]),
        ("purchases", [2, 4], [1, 1]),
        ("event_values", [1, 2, 4, 6], [1, 5, 5, 1]),
        ("window", [3, 7], [1, 1]),
    ],
)
def test_ready_filters(store: Dataset, name: str, rows: list[int], values: list[float] | None) -> None:
    filtered, _ = option(name).apply(store, seed=1)
    assert kept(filtered) == rows
    if values is not None:
        assert filtered.interactions.values.tolist() == values
        assert filtered.interactions.explicit == (name in ("ratings", "clicks"))


def test_clicks_count_what_has_no_rating_and_keep_what_are_labels(
    store: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    clicks, _ = option("clicks").apply(store, seed=1)
    assert "shop: 5 of 9 rows have no rating and are dropped" in caplog.messages
    assert clicks.has("labels") and not store.has("labels")
    labels = dataset([("ann", "a", 0, 1, "view"), ("ann", "b", 1, 2, "view"), ("ben", "a", 1, 3, "view")])
    for given in (labels, labels.take(labels.interactions.values == 1)):
        assert (
            option("clicks").apply(given, seed=1)[0].interactions.values.tolist() == given.interactions.values.tolist()
        )
    assert labels.has("labels") and not labels.take(labels.interactions.values == 1).has("labels")
    assert not replace(labels, interactions=replace(labels.interactions, explicit=False)).has("labels")


def test_clicks_on_a_scale_where_4_is_not_liked_are_told(caplog: pytest.LogCaptureFixture) -> None:
    data = dataset([("ann", f"i{n}", value, n, "view") for n, value in enumerate((2, 3, 8, 10))])
    assert option("clicks").apply(data, seed=1)[0].interactions.values.tolist() == [0, 1, 1]
    assert "not in the upper half of values from 2 to 10; set filter.steps.0.positive_from" in caplog.text


@params
class Nightly(Filter):
    """A filter of a person's own, who does not think of codes."""

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        return dataset.take(dataset.interactions.timestamps < 3)


def test_codes_are_compact_whatever_a_filter_does(store: Dataset) -> None:
    filtered, effects = Filters(steps=[Nightly()]).apply(store, seed=1)
    assert filtered.user_ids.tolist() == ["ben"] and filtered.item_ids.tolist() == ["hub", "tv"]
    assert filtered.interactions.items.tolist() == [1, 0] and filtered.items["length"].values.tolist() == [3, 2]
    assert effects[0].after == (2, 1, 2)


def test_codes_without_rows_are_not_those_of_the_experiment(store: Dataset) -> None:
    """Also where no filter is: a source of a person's own may list items that nobody took."""
    untaken = store.take(store.interactions.items == 1)
    assert untaken.n_items == 3
    assert Filters(steps=[]).apply(untaken, seed=1)[0].item_ids.tolist() == ["pc"]


@pytest.mark.parametrize("name", FOUND)
def test_every_ready_filter_keeps_what_filters_promise(name: str) -> None:
    check_filter(option(name))


@pytest.mark.parametrize(
    ("name", "ratings"),
    [(name, ratings) for name in FOUND for ratings in (True, False) if (name, ratings) != ("shop", True)],
)  # the shop's filter refuses ratings, and events that are views
def test_codes_of_every_ready_filter_are_of_what_is_left(name: str, ratings: bool) -> None:
    filters = option(name)
    filtered, effects = filters.apply(events(ratings=ratings, named=name != "shop"), seed=1)
    assert len(effects) == len(filters.steps)
    assert len(np.unique(filtered.interactions.users)) == filtered.n_users
    assert len(np.unique(filtered.interactions.items)) == filtered.n_items


def test_filters_of_a_million_rows_are_quick(in_sorts: Callable) -> None:
    rng = np.random.default_rng(0)
    m = 1_000_000
    rows = Interactions(
        users=rng.integers(0, 100_000, m).astype(np.int32),
        items=(50_000 * rng.random(m) ** 3).astype(np.int32),
        values=np.ones(m, np.float32),
        n_users=100_000,
        n_items=50_000,
    )
    data = Dataset("large", rows, np.arange(100_000), np.arange(50_000))
    steps: list[Callable[[Dataset], Dataset]] = [
        lambda data: apply(step("counts.KCore", per_user=8, per_item=8), data),
        lambda data: apply(step("repeats.Deduplicate", keep="sum"), data),
    ]
    for run in steps:
        assert 0 < len(run(data).interactions) < m
        assert in_sorts(lambda run=run: run(data)) < 7, "1.4 to 1.8 where the bound was set"


@pytest.mark.parametrize(
    ("values", "minimum", "told"),
    [
        ([1, 2, 3, 4, 5], 4, ""),
        ([0.5, 3.5, 4], 4, ""),
        ([4, 5, 5], 4, ""),  # only the liked ones were kept
        ([6, 9, 10], 7, ""),
        ([-1, 1, NAN], 1, "from -1 to 1, around 0"),
        ([-9.5, 4, 8], 4, "from -9.5 to 8, around 0"),
        ([0, 40, 100], 4, "not in the upper half of values from 0 to 100"),
        ([30, 60, 90], 4, "not in the upper half of values from 30 to 90"),
        ([1, 4, 10], 4, "not in the upper half of values from 1 to 10"),
        ([1, 1, 1, 2, 57], 4, "not in the upper half of values from 1 to 57"),
        ([1, 1, 1, 2, 5], 4, "most values are 1, as those of counts are"),
    ],
)
def test_a_scale_on_which_the_minimum_is_not_what_is_liked_is_told(
    values: list[float], minimum: float, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    data = dataset([("ann", f"i{n}", value, n, "view") for n, value in enumerate(values)])
    assert len(apply(step("values.MinimumRating", minimum=float(minimum)), data).interactions)
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == bool(told)
    assert all(told in one and "set the minimum of MinimumRating" in one for one in warnings)
