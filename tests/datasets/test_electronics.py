"""The simulated store: the same each time, complete, in time order, and worth learning from."""

from collections.abc import Callable

import numpy as np
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import ConfigError
from recexp.testing import check_dataset


@pytest.fixture(scope="module")
def store() -> Dataset:
    return recexp.make("dataset=electronics").load()


def kind(store: Dataset, name: str) -> np.ndarray:
    return store.interactions.events.values == store.interactions.events.categories.index(name)


def test_it_is_made_quickly(in_sorts: Callable) -> None:
    assert in_sorts(recexp.make("dataset=electronics").load) < 2, "0.4 where the bound was set"


def test_the_same_seed_is_the_same_store(store: Dataset) -> None:
    check_dataset(recexp.make("dataset=electronics"))
    assert recexp.make("dataset=electronics", "dataset.seed=1").load().fingerprint != store.fingerprint


def test_its_columns(store: Dataset) -> None:
    assert {name: column.kind for name, column in store.users.items()} == {
        "age": "numeric",
        "gender": "category",
        "city": "category",
        "segment": "category",
    }
    assert {name: column.kind for name, column in store.items.items()} == {
        "category": "category",
        "brand": "category",
        "price": "price",
        "description": "text",
        "year": "numeric",
    }
    assert (store.items["price"].values > 0).all()


def test_ratings_and_only_they_have_values(store: Dataset) -> None:
    rows = store.interactions
    assert rows.explicit and (np.isfinite(rows.values) == kind(store, "rating")).all()
    values = rows.values[kind(store, "rating")]
    assert set(values.tolist()) == {1, 2, 3, 4, 5}
    positive = kind(store, "rating") & (rows.values >= 4)
    pairs = np.stack([rows.users[positive], rows.items[positive]])
    assert len(np.unique(pairs, axis=1).T) == positive.sum() >= 15 * store.n_users


def test_events_follow_each_other(store: Dataset) -> None:
    rows = store.interactions
    assert (np.diff(rows.timestamps) >= 0).all()
    counts = [kind(store, name).sum() for name in ("view", "cart", "purchase", "rating")]
    assert counts == sorted(counts, reverse=True) and counts[-1] > 0
    for later, earlier in (("cart", "view"), ("purchase", "cart"), ("rating", "purchase")):

        def keys(name: str) -> set[tuple[int, int, int]]:
            at = kind(store, name)
            return set(zip(rows.sessions[at].tolist(), rows.users[at].tolist(), rows.items[at].tolist()))

        assert keys(later) <= keys(earlier)
    pairs = rows.users[kind(store, "view")].astype(np.int64) * store.n_items + rows.items[kind(store, "view")]
    assert len(np.unique(pairs)) < len(pairs)  # a user may view a product again


def test_ratings_depend_on_tastes(store: Dataset) -> None:
    """What a user thought of a category before predicts the ratings that follow in it, beyond user and item means."""
    rows = store.interactions.take(kind(store, "rating"))
    category = store.items["category"].values[rows.items]
    group = rows.users.astype(np.int64) * 10 + category
    residual = (
        rows.values
        - np.bincount(rows.items, rows.values, store.n_items)[rows.items]
        / np.bincount(rows.items, minlength=store.n_items)[rows.items]
    )
    half = np.arange(len(rows)) % 2 == 0
    size = store.n_users * 10
    n = [np.bincount(group[side], minlength=size) for side in (half, ~half)]
    both = (n[0] > 1) & (n[1] > 1)
    means = [
        np.bincount(group[side], residual[side], size)[both] / count[both] for side, count in zip((half, ~half), n)
    ]
    assert np.corrcoef(*means)[0, 1] > 0.3


def test_segments_differ_in_what_they_pay(store: Dataset) -> None:
    rows = store.interactions.take(kind(store, "purchase"))
    typical = np.array([np.median(store.items["price"].values[store.items["category"].values == c]) for c in range(10)])
    relative = np.log(store.items["price"].values / typical[store.items["category"].values])[rows.items]
    segment = store.users["segment"].values[rows.users]
    means = {name: relative[segment == code].mean() for code, name in enumerate(store.users["segment"].categories)}
    assert means["bargain"] < means["mainstream"] < means["premium"]


def test_a_number_of_ratings_keeps_every_user_and_product(store: Dataset) -> None:
    small = recexp.make("dataset=electronics", "dataset.n_ratings=5000").load()
    assert kind(small, "rating").sum() == 5000 and len(small.interactions) == 20_000
    rated = store.interactions.take(kind(store, "rating"))
    assert small.n_users == len(np.unique(rated.users)) and small.n_items == len(np.unique(rated.items))
    with pytest.raises(ConfigError, match=r"dataset\.n_ratings: 30000 is more than the 26173 there are"):
        recexp.make("dataset=electronics", "dataset.n_ratings=30000").load()
