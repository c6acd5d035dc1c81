"""Small data on which components are tried."""

from dataclasses import replace

import numpy as np

from recexp.data import Column, Dataset, Interactions


def numbered(dataset: Dataset) -> Dataset:
    """Return the dataset with the context column `row`, which says which row each is."""
    rows = dataset.interactions
    numbers = Column.numeric(np.arange(len(rows)))
    return replace(dataset, interactions=replace(rows, context={**rows.context, "row": numbers}))


def repeated_rows(seed: int = 0, m: int = 500, *, n_users: int = 30, n_items: int = 40) -> Dataset:
    """Random ratings with repeats and equal seconds, times, sessions and folds; a row's number is in its context."""
    rng = np.random.default_rng(seed)
    users = rng.integers(0, n_users, m).astype(np.int32)
    rows = Interactions(
        users=users,
        items=(n_items * rng.random(m) ** 2).astype(np.int32),
        values=rng.integers(1, 6, m).astype(np.float32),
        n_users=n_users,
        n_items=n_items,
        timestamps=rng.integers(1000, 1000 + m // 3, m),
        sessions=(users * 4 + rng.integers(0, 4, m)).astype(np.int32),
        context={"fold": Column.category([str(fold) for fold in rng.integers(0, 5, m)])},
        explicit=True,
    )
    return numbered(Dataset("random", rows, np.arange(n_users) + 100, np.arange(n_items) + 500))


def events(*, ratings: bool, m: int = 4000) -> Dataset:
    """Random views, purchases and ratings with repeats, without ratings all of value 1; as `repeated_rows` else."""
    rng = np.random.default_rng(0)
    given = rng.integers(1, 6, m).astype(np.float32)
    given[rng.random(m) < 0.2] = np.nan
    rows = Interactions(
        users=rng.integers(0, 40, m).astype(np.int32),
        items=(30 * rng.random(m) ** 2).astype(np.int32),
        values=given if ratings else np.ones(m, np.float32),
        n_users=40,
        n_items=30,
        timestamps=rng.integers(0, 500, m),
        events=Column("category", rng.integers(0, 3, m).astype(np.int32), ("purchase", "rating", "view")),
        sessions=rng.integers(0, 300, m).astype(np.int32),
        explicit=ratings,
    )
    ids = [np.array([f"{side}{code:02}" for code in range(n)], object) for side, n in (("u", 40), ("i", 30))]
    items = {"price": Column.numeric(rng.random(30) + 1, "price"), "kind": Column.category(list("abc" * 10))}
    return numbered(Dataset("events", rows, *ids, items=items))
