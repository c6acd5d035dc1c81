"""Small example data for checks of components."""

from dataclasses import replace

import numpy as np

from recexp.data import Column, Dataset, Interactions

DAY = 86400
"""Times of rows are whole days: many rows have the same."""


def numbered(dataset: Dataset) -> Dataset:
    """Return the dataset with the context column `row`, which holds row numbers."""
    rows = dataset.interactions
    numbers = Column.numeric(np.arange(len(rows)))
    return replace(dataset, interactions=replace(rows, context={**rows.context, "row": numbers}))


def repeated_rows(seed: int = 0, m: int = 500, *, n_users: int = 30, n_items: int = 40) -> Dataset:
    """Random ratings of five months with repeats, equal times, sessions and folds; a row's number is in its context."""
    rng = np.random.default_rng(seed)
    users = rng.integers(0, n_users, m).astype(np.int32)
    rows = Interactions(
        users=users,
        items=(n_items * rng.random(m) ** 2).astype(np.int32),
        values=rng.integers(1, 6, m).astype(np.float32),
        n_users=n_users,
        n_items=n_items,
        timestamps=DAY * rng.integers(1000, 1000 + m // 3, m),
        sessions=(users * 4 + rng.integers(0, 4, m)).astype(np.int32),
        context={"fold": Column.category([str(fold) for fold in rng.integers(0, 5, m)])},
        explicit=True,
    )
    return numbered(Dataset("random", rows, np.arange(n_users) + 100, np.arange(n_items) + 500))


def events(*, ratings: bool, named: bool = True, m: int = 4000) -> Dataset:
    """Random views, purchases and ratings of 500 days with repeats, or values of 1 alone; as `repeated_rows` else.

    `named` says whether a column names the events.
    """
    rng = np.random.default_rng(0)
    given = rng.integers(1, 6, m).astype(np.float32)
    given[rng.random(m) < 0.2] = np.nan
    kinds = Column("category", rng.integers(0, 3, m).astype(np.int32), ("purchase", "rating", "view"))
    rows = Interactions(
        users=rng.integers(0, 40, m).astype(np.int32),
        items=(30 * rng.random(m) ** 2).astype(np.int32),
        values=given if ratings else np.ones(m, np.float32),
        n_users=40,
        n_items=30,
        timestamps=DAY * rng.integers(0, 500, m),
        events=kinds if named else None,
        sessions=rng.integers(0, 300, m).astype(np.int32),
        explicit=ratings,
    )
    user_ids, item_ids = (
        np.array([f"{side}{code:02}" for code in range(n)], object) for side, n in (("u", 40), ("i", 30))
    )
    items = {"price": Column.numeric(rng.random(30) + 1, "price"), "kind": Column.category(list("abc" * 10))}
    return numbered(Dataset("events", rows, user_ids, item_ids, items=items))


def two_tastes() -> Dataset:
    """Ratings of 60 users and 24 items that follow two tastes, with everything that a model may need.

    User 7 and item 11 have no rows, user 3 has one twice. Users and items of one taste have codes that are both even,
    or both odd.
    """
    rng = np.random.default_rng(5)
    taste = np.arange(60)[:, None] % 2 == np.arange(24)[None, :] % 2
    likes = rng.random((60, 24)) < np.where(taste, 0.5, 0.1)
    likes[7], likes[:, 11] = False, False
    users, items = (part.astype(np.int32) for part in np.nonzero(likes))
    users, items = np.append(users, np.int32(3)), np.append(items, items[users == 3][0])
    order, m = rng.permutation(len(users)), len(users)
    users, items = users[order], items[order]
    ratings = np.where(taste[users, items], 4, 2) + rng.integers(-1, 2, m)
    rows = Interactions(
        users,
        items,
        ratings.astype(np.float32),
        60,
        24,
        timestamps=rng.integers(10**9, 10**9 + 10**6, m),
        sessions=(users * 2 + rng.integers(0, 2, m)).astype(np.int32),
        events=Column.category(["rating"] * m),
        explicit=True,
    )
    names = np.array(["odd" if item % 2 else "even" for item in range(24)])
    return Dataset(
        "store",
        rows,
        np.arange(100, 160),
        np.array([f"item{i}" for i in range(24)], dtype=object),
        users={"age": Column.numeric(rng.random(60)), "city": Column.category(list("ab" * 30))},
        items={
            "kind": Column.category(names),
            "tags": Column.multi_category([[name, "all"] for name in names]),
            "price": Column.numeric(rng.random(24) + 1, kind="price"),
            "title": Column.text([f"{name} thing" for name in names]),
        },
        links=np.stack([np.arange(58), np.arange(2, 60)], axis=1).astype(np.int32),
    )


def without(dataset: Dataset, needs: frozenset[str]) -> Dataset:
    """Return the dataset reduced to the given needs, without other optional data."""
    rows = dataset.interactions
    rated = "ratings" in needs
    rows = replace(
        rows,
        timestamps=rows.timestamps if needs & {"timestamps", "order"} else None,
        sessions=rows.sessions if "sessions" in needs else None,
        events=rows.events if "events" in needs else None,
        values=rows.values if rated else np.ones_like(rows.values),
        explicit=rated,
    )
    tables = {
        f"{side}s": getattr(dataset, f"{side}s") if any(need.startswith(side) for need in needs) else {}
        for side in ("user", "item")
    }
    return replace(dataset, interactions=rows, links=dataset.links if "links" in needs else None, **tables)
