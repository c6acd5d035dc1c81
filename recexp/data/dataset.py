"""Dataset: interactions with the ids that their codes stand for and what is known about users and items."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from recexp.data.column import Column, Kind, frozen
from recexp.data.interactions import CLICKED, Interactions
from recexp.data.listed import Listed, joined_ids
from recexp.errors import ConfigError, DataError
from recexp.identity import digest, digest_arrays

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Dataset:
    """Coded interactions and their side tables; all parts of a split share the codes.

    Attributes
    ----------
    name : what the dataset is called in results.
    interactions : the rows.
    user_ids, item_ids : (n_users,), (n_items,): original ids, int64 or object of str; position is code.
    users, items : side tables, columns by name; row i describes code i.
    listed, listed_users : what the tables of items and users list besides, items and users that never had a row; None
        where there is no such table.
    links : int32 (l, 2) pairs of user codes that are connected, or None.
    """

    name: str
    interactions: Interactions
    user_ids: np.ndarray
    item_ids: np.ndarray
    users: Mapping[str, Column] = field(default_factory=dict)
    items: Mapping[str, Column] = field(default_factory=dict)
    links: np.ndarray | None = None
    listed: Listed | None = None
    listed_users: Listed | None = None

    def __post_init__(self) -> None:
        for side, ids, n in (("user", self.user_ids, self.n_users), ("item", self.item_ids, self.n_items)):
            if ids.shape != (n,):
                raise DataError(f"{self.name}: {len(ids)} {side} ids for {n} {side} codes")
        for side, table in self._tables.items():
            n = self.n_users if side == "user" else self.n_items
            for column, values in table.items():
                if len(values) != n:
                    raise DataError(f"{self.name}: {side} column {column} has {len(values)} rows, expected {n}")
        object.__setattr__(self, "user_ids", frozen(self.user_ids))
        object.__setattr__(self, "item_ids", frozen(self.item_ids))

    @staticmethod
    def from_frame(
        frame: "pd.DataFrame",
        items: "pd.DataFrame | None" = None,
        users: "pd.DataFrame | None" = None,
        *,
        links: "pd.DataFrame | None" = None,
        name: str = "frame",
        columns: Mapping[str, str | None] | None = None,
        context: Mapping[str, Kind] | None = None,
        explicit: bool = True,
        duplicates: Literal["refuse", "keep"] = "refuse",
        user_features: Mapping[str, Kind] | None = None,
        item_features: Mapping[str, Kind] | None = None,
    ) -> "Dataset":
        """Make a dataset of pandas DataFrames, the same as `dataset=files` makes of the same rows in csv files.

        Parameters
        ----------
        frame : a row an interaction. `user_id` and `item_id`, integers or text; where they are there, `rating`,
            `timestamp` (datetime64, or a number since 1970), `event` and `session_id`.
        items, users : side tables, a row an item or user, their ids in a column or index called as in `frame`.
        links : a row a pair of users, the first of whom trusts, follows or knows the second, in two columns.
        name : what the dataset is called in results.
        columns : other names of columns, by role: user, item, rating, timestamp, event, session, and fold for
            split=kfold; None: not read.
        context : further columns of `frame` to keep, and their kinds.
        explicit : whether the rating column holds ratings; False: counts or weights.
        duplicates : refuse or keep rows that repeat an earlier one's user, item, time and event.
        user_features, item_features : columns of the side tables and their kinds; None: all, their kinds inferred. A
            column of numbers is a price where its name has the English word "price"; say others by their kind:
            `item_features={"preis": "price", "marke": "category"}`, which takes these columns alone.

        Raises
        ------
        DataError : a column is missing, has empty ids, or holds what cannot be read.
        ConfigError : `columns` names no role.

        Examples
        --------
        >>> frame = pd.DataFrame({"user_id": ["ann", "ben"], "item_id": [7, 3], "rating": [4.0, 5.0]})
        >>> Dataset.from_frame(frame, items=pd.DataFrame({"item_id": [3, 7], "price": [9.5, 2.0]})).n_users
        2
        """
        from recexp.io.frame import code_frame  # pyarrow, where a frame is to be read

        coded = code_frame(
            frame,
            items,
            users,
            links=links,
            name=name,
            columns=columns,
            context=context,
            explicit=explicit,
            duplicates=duplicates,
            user_features=user_features,
            item_features=item_features,
        )
        return Dataset(name, *coded)

    @property
    def n_users(self) -> int:
        return self.interactions.n_users

    @property
    def n_items(self) -> int:
        return self.interactions.n_items

    def has(self, need: str) -> bool:
        """Return whether the data carry what a component may need.

        timestamps, order (in which rows happened: their times, or row numbers for `dataset.order=file`), sessions,
        events, ratings, labels (ratings that are 0 and 1), impressions, context (of interactions); links;
        user_features, item_features (any column), user_categories, item_categories (a category or multi_category
        column), item_prices, item_texts; a column by its name: items.publisher, users.age, context.position.
        """
        rows = self.interactions
        table, dot, column = need.partition(".")
        named: dict[str, Mapping[str, Column]] = {"users": self.users, "items": self.items, "context": rows.context}
        if dot and table in named:
            return column in named[table]
        kinds = {side: {c.kind for c in table.values()} for side, table in self._tables.items()}
        found = {
            "timestamps": rows.timestamps is not None,
            "order": rows.timestamps is not None,
            "sessions": rows.sessions is not None,
            "events": rows.events is not None,
            "ratings": rows.explicit,
            "labels": rows.labeled,
            "context": bool(rows.context),
            "impressions": any(name in rows.context for name in CLICKED),
            "links": self.links is not None,
            "item_prices": "price" in kinds["item"],
            "item_texts": "text" in kinds["item"],
            **{f"{side}_features": bool(kinds[side]) for side in kinds},
            **{f"{side}_categories": bool(kinds[side] & {"category", "multi_category"}) for side in kinds},
        }
        if need not in found:
            columns = ", ".join(f"{table}.COLUMN" for table in named)
            raise ConfigError(f"a component needs {need!r}, which is not one of {', '.join(found)}, {columns}")
        return found[need]

    @property
    def _tables(self) -> dict[str, Mapping[str, Column]]:
        return {"user": self.users, "item": self.items}

    def take(self, rows: np.ndarray) -> "Dataset":
        """Return the dataset with the given interactions (indices or mask) and the same codes."""
        return replace(self, interactions=self.interactions.take(rows))

    def joined(self, ids: np.ndarray, at: np.ndarray) -> "Dataset":
        """Return the dataset with codes for further items, after those of all others.

        `ids` (j,) are theirs; `at`, int (j,), says which of the `listed` each is, -1: none, and nothing is known of it.
        """
        items, listed = _joined(self.items, self.listed, ids, at)
        return replace(
            self,
            interactions=replace(self.interactions, n_items=self.n_items + len(ids)),
            item_ids=joined_ids(self.item_ids, ids),
            items=items,
            listed=listed,
        )

    def joined_users(self, ids: np.ndarray, at: np.ndarray) -> "Dataset":
        """Return the dataset with codes for further users, as `joined` for items."""
        users, listed = _joined(self.users, self.listed_users, ids, at)
        return replace(
            self,
            interactions=replace(self.interactions, n_users=self.n_users + len(ids)),
            user_ids=joined_ids(self.user_ids, ids),
            users=users,
            listed_users=listed,
        )

    def with_listed_users(self) -> "Dataset":
        """Return the dataset with codes for all users that the users table lists besides, after those of the others."""
        listed = self.listed_users
        return self.joined_users(listed.ids, np.arange(len(listed))) if listed is not None and len(listed) else self

    def compact(self, *, as_loaded: bool = False) -> "Dataset":
        """Return the dataset recoded so that each user and item left has at least one row; order of ids is kept.

        Of data `as_loaded` an item or user without a row never had one: it is listed, if there is a table.
        """
        rows, listed, listed_users = self.interactions, self.listed, self.listed_users
        if as_loaded:
            listed = _with_rowless(listed, self.item_ids, self.items, rows.known_items)
            listed_users = _with_rowless(listed_users, self.user_ids, self.users, rows.known_users)
        users, items = rows.used_users, rows.used_items
        if len(users) == self.n_users and len(items) == self.n_items:
            return self
        new_user, new_item = np.full(self.n_users, -1, np.int32), np.full(self.n_items, -1, np.int32)
        new_user[users], new_item[items] = np.arange(len(users)), np.arange(len(items))
        links = self.links
        if links is not None:
            links = new_user[links]
            links = links[(links >= 0).all(axis=1)]
        return Dataset(
            name=self.name,
            interactions=replace(
                rows, users=new_user[rows.users], items=new_item[rows.items], n_users=len(users), n_items=len(items)
            ),
            user_ids=self.user_ids[users],
            item_ids=self.item_ids[items],
            users={name: column.take(users) for name, column in self.users.items()},
            items={name: column.take(items) for name, column in self.items.items()},
            links=links,
            listed=listed,
            listed_users=listed_users,
        )

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over ids, rows, side tables and links: equal exactly when the content is. The listed have theirs."""
        parts = [digest_arrays([self.user_ids, self.item_ids, self.links]), self.interactions.fingerprint]
        for table in (self.users, self.items):
            for name in sorted(table):
                parts += [name, table[name].fingerprint]
        return digest(parts)


def _joined(
    table: Mapping[str, Column], listed: Listed | None, ids: np.ndarray, at: np.ndarray
) -> tuple[dict[str, Column], Listed | None]:
    """Return a table with the rows `at` of what is listed, -1: nothing is known, and what is still listed besides."""
    known = listed or Listed(ids[:0], {name: column.take(at[:0]) for name, column in table.items()})
    more = known.take(at).columns
    rest = None if listed is None else listed.take(np.setdiff1d(np.arange(len(listed)), at))
    return {name: column.followed_by(more[name]) for name, column in table.items()}, rest


def _with_rowless(
    listed: Listed | None, ids: np.ndarray, table: Mapping[str, Column], known: np.ndarray
) -> Listed | None:
    """Return what a table lists besides, with what it says of those that are not `known`, bool (n,): have no row."""
    if not table or known.all():
        return listed
    without = np.flatnonzero(~known)
    more = Listed(ids[without], {name: column.take(without) for name, column in table.items()})
    return more if listed is None else listed.followed_by(more)
