"""Answers: the lists that a fitted model returns for many users, by original ids."""

from collections.abc import Sequence
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

    def table(self, users: Sequence[Any]) -> "pd.DataFrame":
        """Return a row an item: user_id, as in `users` (m), rank from 1, item_id, title, score and fallback."""
        import pandas as pd

        listed = self.lists.items != PAD
        rows, ranks = np.nonzero(listed)
        codes = self.lists.items[listed]
        titles = {} if self.titles is None else {"title": self.titles[codes]}
        columns = {
            "user_id": pd.Series(users, dtype=object).take(rows).reset_index(drop=True),
            "rank": ranks + 1,
            "item_id": self.item_ids[codes],
            **titles,
            "score": self.lists.scores[listed].astype(np.float64),
            "fallback": self.fallback[rows],
        }
        return pd.DataFrame(columns).infer_objects()

    def _cut(self, padded: np.ndarray) -> list[list[Any]]:
        lengths = (self.lists.items != PAD).sum(axis=1).tolist()
        return [row[:end] for row, end in zip(padded.tolist(), lengths)]
