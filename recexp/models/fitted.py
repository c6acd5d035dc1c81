"""FittedModel: a trained recommender with its ids, history and fallback; what people use, save and serve."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recexp import progress
from recexp.algorithms.base import Recommender
from recexp.data import Dataset, Interactions, Queries
from recexp.data.id_codes import IdCodes
from recexp.errors import DataError, ModelError
from recexp.models import saving
from recexp.models.answers import Answers, Id
from recexp.models.arrays import check_parts
from recexp.models.questions import Questions, ids_of, warn_of_unanswered
from recexp.ranking import Lists, Ranking
from recexp.version import __version__

if TYPE_CHECKING:
    import pandas as pd

LEAN = 4096
"""Bytes that a query takes, at most, where no scores are held, beside its history and its list."""


@dataclass(frozen=True)
class FittedModel:
    """Recommends by original ids; unknown users get the fallback, never an exception.

    Attributes
    ----------
    model : the fitted algorithm.
    fallback : a fitted algorithm that answers queries which `model` cannot (no history, unknown user).
    ranking : masks and ties, the same in evaluation as in serving.
    user_ids, item_ids : (n_users,), (n_items,): original ids by code.
    histories : the interactions that histories of users are made of, user by user in time order.
    trained : bool (n_users,), which users the model learned from.
    exclude_seen : whether what is in a history is kept out of the list.
    block_mib : how much memory a block of dense scores may take.
    """

    model: Recommender
    fallback: Recommender
    ranking: Ranking
    user_ids: np.ndarray
    item_ids: np.ndarray
    histories: Interactions
    trained: np.ndarray
    exclude_seen: bool
    block_mib: int

    @staticmethod
    def of(
        model: Recommender,
        fallback: Recommender,
        ranking: Ranking,
        train: Dataset,
        *,
        exclude_seen: bool,
        block_mib: int,
    ) -> "FittedModel":
        """Wrap models fitted on `train`, whose interactions are the known users' histories."""
        histories, begin = train.interactions.histories
        ids, trained = (train.user_ids, train.item_ids), np.diff(begin) > 0
        return FittedModel(model, fallback, ranking, *ids, histories, trained, exclude_seen, block_mib)

    def with_history(self, interactions: Interactions, ranking: Ranking) -> "FittedModel":
        """Return the same model, fitted on less, with all `interactions` so far as histories, and the rule for it."""
        return replace(self, histories=interactions.histories[0], ranking=ranking)

    def can_answer(self, queries: Queries) -> np.ndarray:
        """Return bool (b,): which queries the model answers; the fallback answers the others."""
        return self.model.can_answer(queries, self.trained)

    def lists(self, queries: Queries, k: int) -> Lists:
        """Return the k best items of each query, worked out in blocks of users."""
        if k < 1:
            raise DataError(f"the number of items to recommend must be at least 1 (got {k})")
        answered = self.can_answer(queries)
        lists = Lists.empty(len(queries), min(k, len(self.item_ids)))
        with progress.bar(len(queries), "recommend") as advance:
            for model, mask in ((self.model, answered), (self.fallback, ~answered)):
                at, rows = np.flatnonzero(mask), self._rows_at_once(model, queries, k)
                for start in range(0, len(at), rows):
                    block = slice(start, start + rows) if mask.all() else at[start : start + rows]
                    part = model.recommend(queries.take(block), k, self.ranking)
                    lists.items[block], lists.scores[block] = part.items, part.scores
                    advance(len(part.items))
        return lists

    def _rows_at_once(self, model: Recommender, queries: Queries, k: int) -> int:
        """Return how many queries are answered together: as many as a block's memory has room for."""
        row = 4 * max(1, len(self.item_ids))
        if not model.dense_lists:  # histories, what they are multiplied with, and lists
            row = min(row, LEAN + 32 * (int(queries.lengths.sum()) // max(1, len(queries))) + 8 * k)
        return max(1, self.block_mib * 2**20 // row)

    def recommend(self, user_id: Id | None, n: int = 10, history: Sequence[Id] | None = None) -> list[tuple[Id, float]]:
        """Return at most n (item id, score) pairs, best first.

        `history`, item ids from oldest to newest, replaces what is known of the user; unknown items in it are passed
        over. An unknown or missing user without history gets the list that all such get. What is unknown is told by a
        warning; see `recexp.data.id_codes` for which ids match.
        """
        answers = self.answer([user_id], n, [history])
        return list(zip(answers.items[0], answers.scores[0]))

    def recommend_many(
        self, user_ids: Iterable[Id | None], n: int = 10, histories: Iterable[Iterable[Id] | None] | None = None
    ) -> "pd.DataFrame":
        """Return the lists of many users at once: a table of user_id, rank from 1, item_id, score and fallback.

        As `recommend` gives them, user by user. `fallback`: the list is not made for this very user, who is unknown,
        or whom the model cannot answer.
        """
        users = ids_of(user_ids, "user_ids")
        return self.answer(users, n, histories).table(users)

    def answer(
        self, user_ids: Iterable[Any], n: int = 10, histories: Iterable[Iterable[Any] | None] | None = None
    ) -> Answers:
        """Return the lists of many users at once, as Python values; see `recommend`. Raises DataError for a bad n."""
        if isinstance(n, bool) or not isinstance(n, int | np.integer):
            raise DataError(f"the number of items to recommend must be a whole number (got {n!r})")
        users = ids_of(user_ids, "user_ids")
        whole, fallback = Lists.empty(len(users), max(0, min(n, len(self.item_ids)))), np.zeros(len(users), bool)
        for rows, queries, unknown in self._questions.ask(users, histories):
            part = self.lists(queries, n)
            whole.items[rows], whole.scores[rows] = part.items, part.scores
            fallback[rows] = unknown | ~self.can_answer(queries)
        warn_of_unanswered([users[row] for row in np.flatnonzero(fallback) if users[row] is not None], len(users))
        return Answers.of(whole, self.item_ids, fallback)

    def predict(
        self, user_id: Id | None, item_ids: Sequence[Id], history: Sequence[Id] | None = None
    ) -> dict[Id, float]:
        """Return item id -> predicted rating where the model predicts ratings, else score; NaN for unknown items."""
        ((_, query, unknown),) = self._questions.ask([user_id], [history])
        warn_of_unanswered([user_id] if unknown[0] else [], 1)
        items = ids_of(item_ids, "item_ids")
        codes = self._questions.items.codes(items)
        known = codes[codes >= 0]
        if self.model.capabilities.predicts:
            ones = np.ones(len(known), np.float32)
            rows = Interactions(np.zeros(len(known), np.int32), known, ones, 1, len(self.item_ids))
            found = self._predict(rows, query.take(np.zeros(len(known), np.int64)))
        else:
            found = (self.model if self.can_answer(query)[0] else self.fallback).score(query)[0, known]
        values = dict(zip(known.tolist(), found.tolist()))
        return {item: values.get(code, float("nan")) for item, code in zip(items, codes.tolist())}

    def estimate(self, rows: Interactions, queries: Queries) -> np.ndarray:
        """Return float32 (m,): the predicted rating of each row, its user's history being that of the user's query."""
        query = np.full(len(self.user_ids), -1)
        query[queries.users] = np.arange(len(queries))
        at = query[rows.users]
        start, stop = (np.where(at >= 0, ends[at], 0) for ends in (queries.start, queries.stop))
        history = Queries(rows.users, queries.log, start, stop, timestamps=rows.timestamps, context=rows.context)
        return self._predict(rows, history)

    def _predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        """Return float32 (m,): the model's predictions, the fallback's for whom only that can answer."""
        predicted = self.model.predict(rows, history)
        others = np.flatnonzero(~self.can_answer(history))
        if self.fallback.capabilities.predicts and len(others):
            predicted[others] = self.fallback.predict(rows.take(others), history.take(others))
        return predicted

    def save(self, path: str | Path) -> None:
        """Write the model's folder (see `saving`)."""
        model, arrays = saving.pack(self.model, "model")
        fallback, more = saving.pack(self.fallback, "fallback")
        histories = self.histories
        own = {
            "user_ids": self.user_ids,
            "item_ids": self.item_ids,
            "trained": self.trained,
            "ties": self.ranking.ties,
            "catalogue": self.ranking.catalogue,
            "known.users": histories.users,
            "known.items": histories.items,
            "known.values": histories.values,
        }
        times = {"known.timestamps": histories.timestamps, "known.sessions": histories.sessions}
        own |= {name: array for name, array in times.items() if array is not None}
        header = {
            "recexp": __version__,
            "model": model,
            "fallback": fallback,
            "exclude_seen": self.exclude_seen,
            "block_mib": self.block_mib,
            "explicit": histories.explicit,
            "time_unit": histories.time_unit,
        }
        saving.write(Path(path), header, {**arrays, **more, **own})

    @staticmethod
    def load(path: str | Path) -> "FittedModel":
        """Read a saved model; raises ModelError when it is missing, corrupt, or its class is not a Recommender."""
        header, arrays = saving.read(Path(path))
        try:
            check_parts(header, arrays)
            user_ids, item_ids = arrays["user_ids"], arrays["item_ids"]
            histories = Interactions(
                users=arrays["known.users"],
                items=arrays["known.items"],
                values=arrays["known.values"],
                n_users=len(user_ids),
                n_items=len(item_ids),
                timestamps=arrays.get("known.timestamps"),
                sessions=arrays.get("known.sessions"),
                explicit=header["explicit"],
                time_unit=header.get("time_unit", "s"),  # models of 0.1.0 do not say
            )
            return FittedModel(
                model=saving.unpack(header["model"], arrays),
                fallback=saving.unpack(header["fallback"], arrays),
                ranking=Ranking(arrays["ties"], arrays["catalogue"]),
                user_ids=user_ids,
                item_ids=item_ids,
                histories=histories,
                trained=arrays["trained"],
                exclude_seen=header["exclude_seen"],
                block_mib=header["block_mib"],
            )
        except KeyError as error:
            raise ModelError(f"{path} is a corrupt model: it lacks {error}") from error
        except (ValueError, DataError) as error:
            raise ModelError(f"{path} is a corrupt model: {error}") from error

    @cached_property
    def _questions(self) -> Questions:
        return Questions(IdCodes(self.user_ids), IdCodes(self.item_ids), self.histories, self.exclude_seen)
