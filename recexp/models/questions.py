"""Turns questions with original ids into queries with codes; unknown ids are logged in one line."""

import logging
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from recexp.data import Interactions, Queries
from recexp.data.id_codes import IdCodes, may_hold_ids
from recexp.errors import DataError

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A part of the users who ask: `rows` int (b,) are their positions, `queries` their b questions.

    `unknown`, bool (b,): neither the user, where one is given, nor anything of the history, where that is, is known.
    """

    rows: np.ndarray
    queries: Queries
    unknown: np.ndarray


class Question(NamedTuple):
    """What a questionnaire asks about: the item's original id, and its title, "" where there is none."""

    item_id: Any
    title: str


@dataclass(frozen=True)
class Questions:
    """Makes queries for a model.

    Attributes
    ----------
    users, items : the ids that the model knows.
    histories : the known users' histories, user by user in time order.
    exclude_seen : whether what is in a history is kept out of the list.
    """

    users: IdCodes
    items: IdCodes
    histories: Interactions
    exclude_seen: bool

    def ask(self, user_ids: Iterable[Any], histories: Iterable[Iterable[Any] | None] | None = None) -> list[Asked]:
        """Return the queries of m users, None for someone anonymous: those with a history of their own (item ids from
        oldest to newest, in place of what is known of the user) apart from the others. Raises DataError.
        """
        users = ids_of(user_ids, "user_ids")
        given = [None] * len(users) if histories is None else [_items(history) for history in histories]
        if len(given) != len(users):
            raise DataError(f"{len(given)} histories given for {len(users)} users")
        codes = self.users.codes(users)
        missing = np.array([user is not None for user in users], bool) & (codes < 0)
        own = np.array([history is not None for history in given], bool)
        asked = []
        if len(rows := np.flatnonzero(~own)) or not users:
            asked.append(Asked(rows, self._stored(codes[rows]), missing[rows]))
        if len(rows := np.flatnonzero(own)):
            some = [history for history in given if history is not None]
            queries = self._given(codes[rows], some)
            empty = np.array([not history for history in some])
            asked.append(Asked(rows, queries, np.where(empty, missing[rows], queries.lengths == 0)))
        return asked

    def known_items(self, item_ids: Iterable[Any], what: str) -> np.ndarray:
        """Return int32: the codes of the given items that are known; the others are counted in a warning."""
        codes = self._codes(ids_of(item_ids, what), what)
        return codes[codes >= 0]

    def anonymous(self) -> Queries:
        """Return the query of an unknown user with no history, from whom no item is excluded."""
        return Queries(np.array([-1], np.int32), self.histories, np.zeros(1, np.int64), np.zeros(1, np.int64))

    def warn_of_unanswered(self, users: Sequence[Any], n: int) -> None:
        """Log in one line that `users` (None: a history alone), of the n who ask, get no list of their own."""
        if not users:
            return
        known = self.users.codes(list(users)) >= 0
        unknown = [user for user, code in zip(users, known) if user is not None and not code]
        others = [user for user, code in zip(users, known) if user is None or code]
        message = []
        if unknown:
            first = f"{short(unknown[0])}{self.users.hint(unknown[0])}"
            message.append(
                f"user {first} is unknown" if n == 1 else f"{len(unknown)} of {n} users are unknown, such as {first}"
            )
        if others:
            first = "a history without an id" if others[0] is None else f"user {short(others[0])}"
            what = first if n == 1 else f"{len(others)} of {n} users, such as {first}"
            message.append(f"the model cannot answer {what}")
        log.warning("%s: the fallback's list is used", "; ".join(message))

    def _codes(self, item_ids: list[Any], what: str) -> np.ndarray:
        """Return int32 (m,): the codes of items, -1 of those that are unknown, which a warning counts."""
        codes = self.items.codes(item_ids)
        if (unknown := codes < 0).any():
            first = item_ids[int(unknown.argmax())]
            message = f"{short(first)}{self.items.hint(first)}"
            log.warning("%d of %d %s are unknown, the first is %s", unknown.sum(), len(item_ids), what, message)
        return codes

    def _stored(self, codes: np.ndarray) -> Queries:
        """Return the queries of users, int32 (b,), whose histories the model has; -1 has none."""
        rows, begin = self.histories.histories
        start, stop = (np.where(codes >= 0, ends[codes], 0).astype(np.int64) for ends in (begin[:-1], begin[1:]))
        return self._masked(Queries(codes, rows, start, stop))

    def _given(self, codes: np.ndarray, histories: Sequence[Sequence[Any]]) -> Queries:
        """Return the queries of users, int32 (b,), with histories of theirs; unknown items are ignored."""
        items = self._codes([item for history in histories for item in history], "items in histories")
        known = items >= 0
        rows = np.repeat(np.arange(len(codes), dtype=np.int32), [len(history) for history in histories])[known]
        values = np.ones(len(rows), np.float32)
        own = Interactions(rows, items[known], values, max(1, len(codes)), self.histories.n_items)
        begin = np.append(0, np.cumsum(np.bincount(rows, minlength=len(codes))))
        return self._masked(Queries(codes, own, begin[:-1], begin[1:]))

    def _masked(self, queries: Queries) -> Queries:
        return replace(queries, exclude=queries.history(values=False)) if self.exclude_seen else queries


def ids_of(given: Any, what: str) -> list[Any]:
    """Return the ids in `given`; raises DataError, which names `what`, unless it is a list of ids."""
    if isinstance(given, Mapping) or not may_hold_ids(given):
        raise DataError(f"{what} must be a list of ids (got {short(given)})")
    return list(given)


def _items(history: Any) -> list[Any] | None:
    return None if history is None else ids_of(history, "a history")


def short(value: Any) -> str:
    """Return a value as text of a few characters."""
    return " ".join(reprlib.repr(value.item() if isinstance(value, np.generic) else value).split())
