"""ContextPrefilter: any algorithm, fitted separately on the rows of each context."""

import copy
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Self

import numpy as np

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.data import Column, Dataset, Interactions, Queries, Split
from recexp.errors import DataError
from recexp.params import PositiveInt, params

log = logging.getLogger(__name__)


@params
class ContextPrefilter(Recommender):
    """The answer of `base` fitted only on the train rows of the query's context.

    The exact prefilter of Adomavicius et al. (ACM TOIS 23(1), 2005, "Incorporating contextual information in
    recommender systems using a multidimensional approach"). A context is one value of each of `columns`. If it has
    fewer than `min_rows` train rows, the last column is left out, then the one before it, and so on; in the end all
    rows are left. The same holds for a query whose context lacks a column or has a new value, or which the model of
    its context cannot answer. What validation chooses is chosen on all rows.

    Time and memory: those of `base` for each context with a model. Learns `models_`, the first of all rows,
    `contexts_`, the values that each of the others is of, `columns_`, and `known_`, bool (models, n_users), who had
    rows in each.

    Parameters
    ----------
    base : an algorithm.
    columns : context columns, categories, the most important first; None: all categories, in the order of the data.
    min_rows : minimum number of train rows for a context to have its own model.
    """

    base: Recommender
    columns: list[str] | None
    min_rows: PositiveInt

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        base = self.base.capabilities
        return replace(base, needs=base.needs | {f"context.{name}" for name in self.columns or ()}, vectors=False)

    @property
    def context_columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(vars(self).get("columns_", self.columns or ()))

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context, rows = context or FitContext(), train.interactions
        kinds = {name: column.kind for name, column in rows.context.items()}
        names = [name for name, kind in kinds.items() if kind == "category"] if self.columns is None else self.columns
        if wrong := [name for name in names if kinds[name] != "category"]:
            raise DataError(f"algorithm.columns: {wrong[0]} is {kinds[wrong[0]]}, and contexts are made of categories")
        contexts = list(self._contexts(rows, names))
        log.info("%d contexts have %d rows or more and a model of their own", len(contexts), self.min_rows)
        rngs = context.rng.spawn(len(contexts) + 1)
        whole = vars(self).get("models_", [None])[0] or copy.deepcopy(self.base)
        models = [whole.fit(train, context.of_part("all", rngs[0]))]
        known = [rows.known_users]
        for number, (values, chosen) in enumerate(contexts, 1):
            part = train.take(chosen)
            within = replace(context.of_part("-".join(values), rngs[number]), validate=None)
            models.append(copy.deepcopy(models[0]).fit(part, within))
            known.append(part.interactions.known_users)
        self.models_, self.known_, self.columns_ = models, np.array(known), list(names)
        self.contexts_ = [list(values) for values, _ in contexts]
        return self

    def _contexts(self, rows: Interactions, names: list[str]) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
        """Yield the values of each context of one column or more that has rows enough, and the numbers of its rows."""
        for depth in range(1, len(names) + 1):
            columns = [rows.context[name] for name in names[:depth]]
            for codes, at in _groups(np.stack([column.values for column in columns], axis=1)):
                if codes.min() >= 0 and len(at) >= self.min_rows:
                    yield tuple(column.categories[code] for column, code in zip(columns, codes)), at

    def score(self, queries: Queries) -> np.ndarray:
        scores = np.empty((len(queries), queries.n_items), np.float32)
        for model, at in self._shares(self._chosen(queries)):
            scores[at] = model.score(queries.take(at))
        return scores

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        if not self.base.capabilities.predicts:
            return super().predict(rows, history)
        predicted = np.empty(len(rows), np.float32)
        asked = replace(history, context=history.context or rows.context)
        for model, at in self._shares(self._chosen(asked)):
            predicted[at] = model.predict(rows.take(at), history.take(at))
        return predicted

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        return self.models_[0].can_answer(queries, trained) | (self._chosen(queries) > 0)

    def remarks(self, queries: Queries) -> list[str]:
        others = self.models_[0].remarks(queries)
        if not self.columns_ or any(name in queries.context for name in self.columns_):
            return others
        remark = (
            "no query tells its context, and the model of all rows answers: a query does where it asks about one row"
        )
        return [remark, *others]

    def check_split(self, split: Split) -> None:
        self.models_[0].check_split(split)

    def check(self) -> None:
        self.base.check()

    def check_device(self, device: str) -> None:
        self.base.check_device(device)

    def _shares(self, chosen: np.ndarray) -> Iterator[tuple[Recommender, np.ndarray]]:
        """Yield each model that is `chosen`, int (b,), and the numbers of its queries."""
        for number in np.unique(chosen):
            yield self.models_[number], np.flatnonzero(chosen == number)

    def _chosen(self, queries: Queries) -> np.ndarray:
        """Return int (b,): the number of the model that answers each query, of most columns; 0, of all rows, else."""
        chosen = np.zeros(len(queries), np.int64)
        deepest = max(map(len, self.contexts_), default=0)
        for depth in range(deepest, 0, -1):
            found = self._at_depth(queries.context, len(queries), depth)
            found[chosen > 0] = 0
            for number in np.unique(found[found > 0]):
                at = np.flatnonzero(found == number)
                able = self.models_[number].can_answer(queries.take(at), self.known_[number])
                chosen[at[able]] = number
        return chosen

    def _at_depth(self, context: Mapping[str, Column], n: int, depth: int) -> np.ndarray:
        """Return int (n,): the number of the model of the first `depth` columns of each query; 0: there is none."""
        numbers = {tuple(values): number for number, values in enumerate(self.contexts_, 1)}
        found, names = np.zeros(n, np.int64), self.columns_[:depth]
        if not all(name in context for name in names):
            return found
        columns = [context[name] for name in names]
        for codes, at in _groups(np.stack([column.values for column in columns], axis=1)):
            if codes.min() >= 0:
                values = tuple(column.categories[code] for column, code in zip(columns, codes))
                found[at] = numbers.get(values, 0)
        return found


def _groups(codes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each different row of int (n, c) and the numbers of the rows that are like it, ascending."""
    different, group, sizes = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(group.reshape(-1), kind="stable")
    yield from zip(different, np.split(order, np.cumsum(sizes)[:-1]))
