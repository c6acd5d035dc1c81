"""Recommender: what every algorithm is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
import scipy.sparse as sp

from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError, NotFittedError
from recexp.ranking import Lists, Ranking

Report = Callable[[int, Mapping[str, float]], None]
"""`report(step, {"loss": 0.3})`: a point of a learning curve, for models that train in steps."""


Validate = Callable[["Recommender"], float]
"""`validate(model)` rates a model on held-out data inside train by the headline metric; higher is better."""


def silent(step: int, values: Mapping[str, float]) -> None:
    """The report that nobody reads."""


class Recommender(ABC):
    """Learns from a data set, then scores items for queries.

    A subclass is decorated with `@params`; its fields are its hyperparameters. It implements `fit` and `score`.
    Attributes learned by `fit` end in `_` and hold arrays, sparse matrices, numbers, strings, other models, and lists
    and dicts of them: they are what is saved, beside the fields.

    Class attributes
    ----------------
    feedback : whether the values of interactions weigh ("value") or only that they happened ("binary").
    needs_history : a query without history cannot be answered (it gets the run's fallback).
    known_users_only : only users seen in training can be answered, whatever their history.
    needs : what a data set must carry, see `Dataset.has`.
    predicts : `predict` estimates the value that a user would give.
    """

    feedback: ClassVar[Literal["binary", "value"]] = "binary"
    needs_history: ClassVar[bool] = True
    known_users_only: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset()
    predicts: ClassVar[bool] = False

    @abstractmethod
    def fit(
        self, train: Dataset, *, rng: np.random.Generator, report: Report = silent, validate: Validate | None = None
    ) -> Self:
        """Learn from `train` and return self; a second call starts afresh but for `fitted_params_`.

        With `validate`, what is chosen by held-out data (epochs, weights) is chosen and kept in `fitted_params_`;
        without, a later fit on more data uses what is there.
        """

    @abstractmethod
    def score(self, queries: Queries) -> np.ndarray:
        """Return float32 (b, n_items): row q holds query q's score of each item; higher is better."""

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        """Return the k best items of each query under `ranking`; override to avoid dense scores."""
        scores, expected = self.score(queries), (len(queries), queries.n_items)
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        if np.shape(scores) != expected:
            raise DataError(f"{name}.score gave {np.shape(scores)}; one score of each query and item is {expected}")
        if np.isnan(np.max(scores, initial=-np.inf)):  # which passes NaN on, without an array of its own
            raise DataError(f"{name}.score gave NaN, which has no place in a list")
        return ranking.top_k(scores, queries, k)

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        """Return float32 (m,): the value that the user of `history` r would give the item of row r, finite for all.

        `history` holds one query a row; its user is -1 where unknown. Rows carry items, times and context. Only where
        `predicts`; unknown users and items get the model's best guess.
        """
        raise TypeError(f"{type(self).__name__} does not predict ratings")

    def serves(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        """Return bool (b,): which queries the model answers; `trained`, bool (n_users,), says who had rows in train."""
        served = np.ones(len(queries), bool)
        if self.needs_history:
            served &= queries.lengths > 0
        if self.known_users_only:
            served &= (queries.users >= 0) & trained[queries.users]
        return served

    def lacking(self, dataset: Dataset) -> str:
        """Return what the model needs and the data set has not, in words; empty where it has all."""
        missing = sorted(need for need in self.needs if not dataset.has(need))
        if not missing:
            return ""
        advice = "; filter=ratings keeps them" if missing == ["ratings"] else ""
        return f"{type(self).__name__} needs {', '.join(missing)}, which {dataset.name} has not after filtering{advice}"

    def matrix(self, source: Interactions | Queries) -> sp.csr_array:
        """Return training rows or query histories as this model reads them: float32 CSR (see `feedback`)."""
        values = self.feedback == "value"
        return source.history(values=values) if isinstance(source, Queries) else source.csr(values=values)

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_") and not name.endswith("__"):
            raise NotFittedError(f"{type(self).__name__} has no {name}: call fit first")
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")
