"""Answers: the lists that a fitted model returns for many users, by original ids."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recexp.ranking import PAD, Lists

if TYPE_CHECKING:
    import pandas as pd

Id = int | str


@dataclass(frozen=True)
class Answers:
    """Lists of m users, best first.

    Attributes
    ----------
    lists : m lists of item codes.
    item_ids, titles : (n_items,) by code; titles None where the model has none.
    fallback : bool (m,), which lists are not made for this very user. A user who is unknown gets the list that all such
        get, whether the model or its fallback makes it.
    """

    lists: Lists
    item_ids: np.ndarray
    titles: np.ndarray | None
    fallback: np.ndarray

    @property
    def items(self) -> list[list[Id]]:
        """The item ids of each list, without padding."""
        return self._cut(self.item_ids[self.lists.items])

    @property
    def names(self) -> list[list[str]] | None:
        """The title of each item of each list."""
        return None if self.titles is None else self._cut(self.titles[self.lists.items])

    @property
    def scores(self) -> list[list[float]]:
        """The score of each item of each list."""
        return self._cut(self.lists.scores)

    @property
    def lengths(self) -> np.ndarray:
        """int64 (m,): how many items each list has."""
        return (self.lists.items != PAD).sum(axis=1)

    def columns(self, users: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return a row an item: user_id, as in `users` (m), rank from 1, item_id, title, score and fallback."""
        listed = self.lists.items != PAD
        rows, ranks = np.nonzero(listed)
        codes = self.lists.items[listed]
        titles = {} if self.titles is None else {"title": self.titles[codes]}
        return {
            "user_id": _ids(users)[rows],
            "rank": ranks + 1,
            "item_id": self.item_ids[codes],
            **titles,
            "score": self.lists.scores[listed].astype(np.float64),
            "fallback": self.fallback[rows],
        }

    def table(self, users: Sequence[Any]) -> "pd.DataFrame":
        """Return the same as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.columns(users))

    def _cut(self, padded: np.ndarray) -> list[list[Any]]:
        return [row[:end] for row, end in zip(padded.tolist(), self.lengths.tolist())]


def _ids(given: Sequence[Any]) -> np.ndarray:
    """Return ids (m,): int64 or float64 where all are of this kind, else as they are."""
    ids = np.empty(len(given), object)
    ids[:] = given
    kinds = {type(one) for one in given}
    for kind, dtype in ((int, np.int64), (float, np.float64)):
        if kinds and bool not in kinds and all(issubclass(one, kind | np.dtype(dtype).type) for one in kinds):
            with suppress(OverflowError):  # an integer that no id can be
                return ids.astype(dtype)
    return ids
