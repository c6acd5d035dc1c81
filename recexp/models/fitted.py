"""FittedModel: a trained recommender with its ids, history and fallback; what people use, save and serve."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.base import Recommender
from recexp.algorithms.cold_start.active_items import ActiveItems
from recexp.algorithms.cold_start.questionnaire import Questionnaire
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.data.id_codes import IdCodes
from recexp.errors import DataError
from recexp.models import folder
from recexp.models.answers import Answers, Id
from recexp.models.contexts import context_columns, seen
from recexp.models.item_table import ItemTable
from recexp.models.listing import Listing
from recexp.models.questions import Question, Questions, ids_of, short
from recexp.models.similar import similarities
from recexp.ranking import Lists, Ranking
from recexp.rerankers.base import Reranker
from recexp.rerankers.none import NoReranker

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


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
    item_table : titles, categories and prices of the items, as far as they are known.
    reranker : what makes lists out of the models' best items, fitted.
    context : the context columns that train had, by name, without rows: their kinds and the categories in train.
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
    item_table: ItemTable = field(default_factory=ItemTable)
    reranker: Reranker = field(default_factory=NoReranker)
    context: Mapping[str, Column] = field(default_factory=dict)

    @staticmethod
    def of(
        model: Recommender,
        fallback: Recommender,
        ranking: Ranking,
        train: Dataset,
        *,
        exclude_seen: bool,
        block_mib: int,
        reranker: Reranker | None = None,
    ) -> "FittedModel":
        """Wrap models fitted on `train`, whose interactions are the known users' histories."""
        histories, begin = train.interactions.histories
        ids, trained = (train.user_ids, train.item_ids), np.diff(begin) > 0
        table = ItemTable.of(train.items)
        last = table, reranker or NoReranker()
        context = {name: seen(column) for name, column in histories.context.items()}
        return FittedModel(model, fallback, ranking, *ids, histories, trained, exclude_seen, block_mib, *last, context)

    def with_history(self, interactions: Interactions, ranking: Ranking) -> "FittedModel":
        """Return the same model, fitted on less, with all `interactions` so far as histories, and the rule for it."""
        rows = replace(interactions, n_users=len(self.user_ids))  # those who are listed have none
        return replace(self, histories=rows.histories[0], ranking=ranking)

    def can_answer(self, queries: Queries) -> np.ndarray:
        """Return bool (b,): which queries the model answers; the fallback answers the others."""
        return self.model.can_answer(queries, self.trained)

    def lists(self, queries: Queries, k: int) -> Lists:
        """Return lists of the k best items of each query, those of the reranker; see `recexp.models.listing`."""
        queries = self._withholding(queries)
        return self._listing.lists(queries, self.can_answer(queries), min(k, len(self.item_ids)))

    def scores(self, queries: Queries, k: int) -> np.ndarray:
        """Return float32 (b, n_items) by which the k best items are those of `lists`; -inf for what is never listed."""
        queries = self._withholding(queries)
        return self._listing.scores(queries, self.can_answer(queries), min(k, len(self.item_ids)))

    def _withholding(self, queries: Queries) -> Queries:
        """Return the queries that exclude what the model keeps out of lists, too."""
        more = self.model.withheld(queries)
        if more is None:
            return queries
        both = more if queries.exclude is None else sp.csr_array(queries.exclude + more)
        both.sort_indices()
        return replace(queries, exclude=both)

    @property
    def _listing(self) -> Listing:
        return Listing(self.model, self.fallback, self.ranking, self.reranker, self.block_mib)

    def recommend(
        self,
        user_id: Id | None,
        n: int = 10,
        history: Sequence[Id] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> list[tuple[Id, float]]:
        """Return at most n (item id, score) pairs, best first.

        `history`, item ids from oldest to newest, replaces the known history of the user; unknown items in it are
        ignored. An unknown or missing user without history gets the same list as all such users. Unknown ids are logged
        as a warning. An id that is a number is matched by the same number, also as text; text by the same text alone.
        `context` is that in which the user asks, values by name of the columns that the model reads:
        {"weekday": "monday"}.
        """
        answers = self.answer([user_id], n, [history], [context])
        return list(zip(answers.items[0], answers.scores[0]))

    def recommend_many(
        self,
        user_ids: Iterable[Id | None],
        n: int = 10,
        histories: Iterable[Iterable[Id] | None] | None = None,
        contexts: "Iterable[Mapping[str, Any] | None] | pd.DataFrame | None" = None,
    ) -> "pd.DataFrame":
        """Return the lists of many users at once: a table of user_id, rank from 1, item_id, title, score and fallback.

        The lists are those of `recommend`. The column `title` is there if the items table had titles. `fallback`: the
        list is not personalized, because the user is unknown or the model cannot answer. `contexts` are mappings, one a
        user, or a DataFrame with a row a user.
        """
        users = ids_of(user_ids, "user_ids")
        return self.answer(users, n, histories, contexts).table(users)

    def answer(
        self,
        user_ids: Iterable[Any],
        n: int = 10,
        histories: Iterable[Iterable[Any] | None] | None = None,
        contexts: "Iterable[Mapping[str, Any] | None] | pd.DataFrame | None" = None,
    ) -> Answers:
        """Return the lists of many users at once, as Python values; see `recommend`. Raises DataError for a bad n."""
        n, users = _checked(n), ids_of(user_ids, "user_ids")
        whole, fallback = Lists.empty(len(users), min(n, len(self.item_ids))), np.zeros(len(users), bool)
        hoped = np.array([user is not None for user in users], bool)  # for a list of their own
        context = self._context(contexts, len(users))
        for rows, queries, unknown in self._questions.ask(users, histories):
            queries = replace(queries, context={name: column.take(rows) for name, column in context.items()})
            part = self.lists(queries, n)
            whole.items[rows], whole.scores[rows] = part.items, part.scores
            fallback[rows] = unknown | ~self.can_answer(queries)
            if histories is not None and isinstance(self.model, Questionnaire):
                unasked = (queries.lengths > 0) & (self.model.answers(queries).lengths == 0)
                if unasked.any():
                    log.warning(
                        "%d of %d histories hold none of the items that are asked about", unasked.sum(), len(unasked)
                    )
            hoped[rows] |= queries.lengths > 0
        self._questions.warn_of_unanswered([users[row] for row in np.flatnonzero(fallback & hoped)], len(users))
        return Answers(whole, self.item_ids, self.item_table.titles, fallback)

    def _context(self, given: "Iterable[Mapping[str, Any] | None] | pd.DataFrame | None", n: int) -> dict[str, Column]:
        """Return the contexts of n users as columns; what the model reads and nobody gives is said once."""
        found = {} if given is None else context_columns(given, n, self.read_context)
        if missing := [name for name in self.read_context if name not in found]:
            log.info("context: %s counts as missing, as none is given", ", ".join(missing))
        return found

    @property
    def read_context(self) -> dict[str, Column]:
        """The columns of `context` that the model reads."""
        return {name: self.context[name] for name in self.model.context_columns if name in self.context}

    @property
    def user_codes(self) -> IdCodes:
        """Which user an id means; a user's code is the position in `user_ids`."""
        return self._questions.users

    @property
    def item_codes(self) -> IdCodes:
        """Which item an id means; an item's code is the position in `item_ids`."""
        return self._questions.items

    def similar(self, item_id: Id, n: int = 10) -> list[tuple[Id, float]]:
        """Return at most n (item id, similarity) pairs, most similar first; see `recexp.models.similar`.

        What the reranker forbids for users of whom nothing is known is left out, and the list is in its order.

        Raises DataError for an unknown item, and for a model that does not learn similarities between items.
        """
        code = self.item_codes.code(item_id)
        if code < 0:
            first = ", ".join(map(short, self.item_ids[:3].tolist()))
            told = f"item {short(item_id)} is unknown{self.item_codes.hint(item_id)}"
            raise DataError(f"{told}; the model knows {len(self.item_ids)}, such as {first}")
        scores = similarities(self.model, code, self.histories)
        scores[code] = -np.inf
        lists = self._listing.ranked(self._questions.anonymous(), scores[None], min(_checked(n), len(scores)))
        answers = Answers(lists, self.item_ids, None, np.zeros(1, bool))
        return list(zip(answers.items[0], answers.scores[0]))

    def next_question(self, answers: Mapping[Id, bool]) -> Question | None:
        """Return what a questionnaire asks next, given answers by item id, True for a yes; None: it has asked all.

        Raises DataError for a model that asks nothing, and for an unknown item.
        """
        if not isinstance(self.model, Questionnaire):
            raise DataError(f"{type(self.model).__name__} asks no questions; algorithm=questionnaire does")
        codes = self.item_codes.codes(list(answers))
        if (codes < 0).any():
            raise DataError(f"item {short(list(answers)[int((codes < 0).argmax())])} is unknown")
        item = self.model.next_question(dict(zip(codes.tolist(), answers.values())))
        if item < 0:
            return None
        (asked,) = self.item_ids[[item]].tolist()
        return Question(asked, "" if self.item_table.titles is None else self.item_table.titles[item])

    def panel(self) -> list[Id]:
        """Return the ids of the users to show new items to first. Raises DataError for a model that chooses none."""
        if not isinstance(self.model, ActiveItems):
            raise DataError(f"{type(self.model).__name__} chooses no users for new items; algorithm=active_items does")
        ids: list[Id] = self.user_ids[self.model.panel_].tolist()
        return ids

    def only(self, categories: Mapping[str, str | Sequence[str]]) -> "FittedModel":
        """Return the same model restricted to items of some categories: {"category": ["phones"]}.

        An item must have one of the names given for a column, and match every column given. Raises DataError if no
        item does.
        """
        return self._within(self.item_table.having(categories), str(dict(categories)))

    def priced(
        self, low: float | None = None, high: float | None = None, *, column: str | None = None
    ) -> "FittedModel":
        """Return the same model restricted to items with a price from `low` to `high`, both included.

        `column` of the items table has the prices; None: its only price column, or that called price. Raises DataError
        if no item has such a price, or there is no such column.
        """
        bounds = {"from": low, "up to": high}
        told = " ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
        return self._within(self.item_table.priced(low, high, column), f"priced {told}")

    def without(self, item_ids: Iterable[Id]) -> "FittedModel":
        """Return the same model that never recommends the given items; unknown ones are counted in a warning."""
        kept = np.ones(len(self.item_ids), bool)
        kept[self._questions.known_items(item_ids, "items to exclude")] = False
        return self._within(kept, "what is not excluded")

    def _within(self, items: np.ndarray, what: str) -> "FittedModel":
        ranking = self.ranking.within(items)
        if not ranking.catalogue.any():
            raise DataError(f"none of the {self.ranking.catalogue.sum()} recommendable items is {what}")
        return replace(self, ranking=ranking)

    def predict(
        self, user_id: Id | None, item_ids: Sequence[Id], history: Sequence[Id] | None = None
    ) -> dict[Id, float]:
        """Return item id -> predicted rating where the model predicts ratings, else score; NaN for unknown items."""
        ((_, query, unknown),) = self._questions.ask([user_id], [history])
        hoped = user_id is not None or query.lengths[0] > 0
        alone = hoped and (unknown[0] or not self.can_answer(query)[0])
        self._questions.warn_of_unanswered([user_id] if alone else [], 1)
        items = ids_of(item_ids, "item_ids")
        codes = self.item_codes.codes(items)
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
        """Write the model's folder (see `folder`)."""
        folder.write(Path(path), {field.name: getattr(self, field.name) for field in fields(self)})

    @staticmethod
    def load(path: str | Path) -> "FittedModel":
        """Read a saved model; raises ModelError when it is missing, corrupt, or its class is not a Recommender."""
        return FittedModel(**folder.read(Path(path)))

    @cached_property
    def _questions(self) -> Questions:
        return Questions(IdCodes(self.user_ids), IdCodes(self.item_ids), self.histories, self.exclude_seen)


def _checked(n: Any) -> int:
    """Return how many items are asked for; raises DataError."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise DataError(f"the number of items to recommend must be a whole number (got {n!r})")
    if n < 1:
        raise DataError(f"the number of items to recommend must be at least 1 (got {n})")
    return int(n)
