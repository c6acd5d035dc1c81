"""The simulated store as a dataset: the same each time, complete, in time order, and its truth beside it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import DataError
from recexp.testing import check_dataset

SMALL = ("dataset=electronics", "dataset.n_users=200", "dataset.n_products=100", "dataset.n_visits=3000")


@pytest.fixture(scope="module")
def store() -> Dataset:
    return recexp.make("dataset=electronics").load()


def kind(store: Dataset, name: str) -> np.ndarray:
    return store.interactions.events.values == store.interactions.events.categories.index(name)


def test_it_is_made_quickly(in_sorts: Callable) -> None:
    assert in_sorts(recexp.make(*SMALL).load) < 6, "0.9 where the bound was set"


def test_the_same_seed_is_the_same_store() -> None:
    check_dataset(recexp.make(*SMALL))
    first, second = (recexp.make(*SMALL, f"dataset.seed={seed}").load() for seed in (0, 1))
    assert first.fingerprint != second.fingerprint


def test_its_size_is_what_its_yaml_says(store: Dataset) -> None:
    counts = [len(store.interactions), store.n_users, store.n_items]
    counts += [kind(store, name).sum() for name in ("view", "purchase", "rating")]
    said = "{:,} events of {:,} users and {:,} products, of them {:,} views, {:,} purchases and {:,} ratings (1-5)"
    assert recexp.make("dataset=electronics").size == said.format(*counts)


def test_its_columns(store: Dataset) -> None:
    assert {name: column.kind for name, column in store.users.items()} == {
        "age": "numeric",
        "gender": "category",
        "city": "category",
        "segment": "category",
        "budget": "numeric",
        "device": "category",
        "registered": "numeric",
    }
    assert {name: column.kind for name, column in store.items.items()} == {
        "title": "text",
        "department": "category",
        "category": "category",
        "brand": "category",
        "price": "price",
        "margin": "price",
        "stock": "numeric",
        "released": "numeric",
        "description": "text",
    }
    assert (store.items["price"].values > store.items["margin"].values).all()
    assert (store.items["margin"].values > 0).all()
    assert len(store.links) > store.n_users and store.links.max() < store.n_users


def test_ratings_and_only_they_have_values(store: Dataset) -> None:
    rows = store.interactions
    assert rows.explicit and (np.isfinite(rows.values) == kind(store, "rating")).all()
    assert set(rows.values[kind(store, "rating")].tolist()) == {1, 2, 3, 4, 5}


def test_events_follow_each_other(store: Dataset) -> None:
    """What is bought was in the cart before, in the same visit, and what is rated or sent back was bought before."""
    rows = store.interactions
    assert (np.diff(rows.timestamps) >= 0).all()

    def first(name: str, *, visit: bool) -> dict[tuple[int, ...], int]:
        at = np.flatnonzero(kind(store, name))[::-1]
        columns = (rows.sessions, rows.users, rows.items) if visit else (rows.users, rows.items)
        return dict(zip(zip(*(column[at].tolist() for column in columns)), rows.timestamps[at].tolist()))

    for later, earlier, visit in (
        ("cart", "view", True),
        ("purchase", "cart", True),
        ("rating", "purchase", False),
        ("return", "purchase", False),
    ):
        before = first(earlier, visit=visit)
        assert all(before[key] < time for key, time in first(later, visit=visit).items())
    after = kind(store, "rating") | kind(store, "return")
    assert not np.isin(rows.sessions[after], rows.sessions[~after]).any()
    assert len(np.unique(rows.sessions[after])) == after.sum(), "each is a session of its own"


def test_a_visit_has_one_person_device_and_beginning(store: Dataset) -> None:
    rows = store.interactions
    order = np.argsort(rows.sessions, kind="stable")
    begin = np.flatnonzero(np.diff(rows.sessions[order], prepend=-1))
    visit = np.cumsum(np.diff(rows.sessions[order], prepend=-1) != 0) - 1
    for values in (rows.users, *(rows.context[name].values for name in ("hour", "weekday", "device", "city"))):
        assert (values[order] == values[order][begin][visit]).all()
    begun = rows.timestamps[order][begin]
    weekday = [rows.context["weekday"].categories[code] for code in rows.context["weekday"].values[order][begin]]
    hour = [rows.context["hour"].categories[code] for code in rows.context["hour"].values[order][begin]]
    moments = np.array(begun, "datetime64[s]").tolist()
    assert weekday == [moment.strftime("%A") for moment in moments]
    assert hour == [moment.strftime("%H") for moment in moments]
    city = store.users["city"]
    assert (
        np.array(rows.context["city"].categories)[rows.context["city"].values]
        == np.array(city.categories)[city.values[rows.users]]
    ).all()


def test_prices_are_those_of_the_table_or_reduced(store: Dataset) -> None:
    share = store.interactions.context["price"].values / store.items["price"].values[store.interactions.items]
    assert share.min() > 0.64 and share.max() < 1.001
    assert 0.7 < np.mean(share > 0.999) < 0.95


def test_segments_differ_in_what_they_pay(store: Dataset) -> None:
    rows = store.interactions.take(kind(store, "cart"))
    category, price = store.items["category"], np.log(store.items["price"].values)
    typical = np.array([np.median(price[category.values == code]) for code in range(len(category.categories))])
    relative = (price - typical[category.values])[rows.items]
    segment = store.users["segment"].values[rows.users]
    means = {name: relative[segment == code].mean() for code, name in enumerate(store.users["segment"].categories)}
    assert means["bargain"] < means["mainstream"] < means["premium"]


def test_the_truth_lies_beside_the_data(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    source = recexp.make(*SMALL, f"dataset.truth={tmp_path / 'truth'}")
    assert source.files() is None, "from the cache the truth would not be written"
    data, plain = source.load(), recexp.make(*SMALL).load()
    assert data.fingerprint == plain.fingerprint, "it is never in the data"
    rows, users, items, effects = (
        pq.read_table(tmp_path / "truth" / f"{name}.parquet").to_pandas()
        for name in ("rows", "users", "items", "effects")
    )
    viewed, rated = kind(data, "view"), kind(data, "rating")
    for column, of in (("exposure", viewed), ("click", viewed), ("rating", rated)):
        assert (rows[column].notna() == of).all()
        assert rows[column][of].between(0, 1).all() and rows[column][of].nunique() > 1
    assert (rows["place"][~viewed] == -1).all() and rows["place"].max() == 9
    shown = rows[viewed & (rows["place"] >= 0)]
    assert shown.groupby("place")["click"].mean().is_monotonic_decreasing
    assert (len(users), len(items)) == (200, 100)
    popular = np.bincount(data.interactions.items[viewed], minlength=data.n_items)
    exposed = items.set_index("item_id")["exposure"][data.item_ids]
    assert np.corrcoef(popular, exposed)[0, 1] > 0.5
    assert effects.groupby("context")["level"].nunique().to_dict() == {"month": 12, "hour": 24, "device": 3, "city": 10}


def test_a_truth_that_cannot_be_written_is_told_before_anything_is_simulated(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, said in ((tmp_path / "file", "is a file; name a folder"), (tmp_path / "no" / "truth", "no folder")):
        with pytest.raises(DataError, match=rf"dataset\.truth: .*{said}"):
            recexp.make(*SMALL, f"dataset.truth={place}").check()
