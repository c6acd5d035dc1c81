"""What a fitted model answers many users, by original ids."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recexp.ranking import PAD, Lists

if TYPE_CHECKING:
    import pandas as pd

Id = int | str


class Answers(NamedTuple):
    """Lists of m users, best first; `fallback`, bool (m,): which are not made for this very user.

    A user who is unknown gets the list that all such get, whether the model or its fallback makes it.
    """

    items: list[list[Id]]
    scores: list[list[float]]
    fallback: np.ndarray

    @staticmethod
    def of(lists: Lists, item_ids: np.ndarray, fallback: np.ndarray) -> "Answers":
        """Return lists of codes as lists of ids, without what pads them."""
        lengths = (lists.items != PAD).sum(axis=1).tolist()
        items, scores = item_ids[lists.items].tolist(), lists.scores.tolist()
        return Answers(_cut(items, lengths), _cut(scores, lengths), fallback)

    def table(self, users: Sequence[Any]) -> "pd.DataFrame":
        """Return a row an item: user_id, as in `users` (m), rank from 1, item_id, score and fallback."""
        import pandas as pd

        lengths = np.array([len(items) for items in self.items], np.int64)
        rows = np.repeat(np.arange(len(users)), lengths)
        return pd.DataFrame(
            {
                "user_id": pd.Series(users, dtype=object).take(rows).infer_objects().reset_index(drop=True),
                "rank": np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1,
                "item_id": [item for items in self.items for item in items],
                "score": [score for scores in self.scores for score in scores],
                "fallback": self.fallback[rows],
            }
        )


def _cut(rows: list[list[Any]], lengths: list[int]) -> list[list[Any]]:
    return [row[:end] for row, end in zip(rows, lengths)]
