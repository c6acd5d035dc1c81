"""Recommender: what every algorithm is."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset, Interactions, Queries, Split
from recexp.errors import DataError, NotFittedError
from recexp.ranking import Lists, Ranking

ADVICE = {
    "labels": "; filter=clicks makes labels 0 and 1 of ratings",
    "ratings": "; filter=ratings keeps them, if the data have a rating column",
    "order": "; name the column of times with dataset.columns.timestamp, or set dataset.order=file if the rows of the "
    "file are in the order in which they happened",
}
"""What to do where the one thing that a model needs is missing."""


class Recommender(ABC):
    """Learns from a dataset, then scores items for queries.

    A subclass is decorated with `@params`; its fields are its hyperparameters. It implements `fit` and `score`.
    Attributes learned by `fit` end in `_` and hold arrays, sparse matrices, numbers, strings, other models, and lists
    and dicts of them: they are what is saved, beside the fields.

    Class attributes
    ----------------
    capabilities : what the model can do; a property where it depends on fields.
    counts_catalogue : whether what is learned hangs on how many items may be recommended (`FitContext.catalogue`).
    dense_lists : whether `recommend` holds scores of all items for all queries that it is given; where it does not, it
        is given more of them at once.
    context_columns : names of the context columns that answers hang on; a property of what was fitted.
    """

    capabilities: ClassVar[Capabilities] = Capabilities()
    counts_catalogue: ClassVar[bool] = False
    dense_lists: ClassVar[bool] = True
    context_columns: ClassVar[tuple[str, ...]] = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]  # of a subclass, from `@params`
    fitted_params_: dict[str, Any]  # what validation chose, where it was asked

    @abstractmethod
    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        """Learn from `train` and return self; a second call starts afresh but for `fitted_params_`.

        Without a context its defaults hold: `context = context or FitContext()`. With `context.validate`, what is
        chosen by held-out data (epochs, weights) is chosen and kept in `fitted_params_`; without, a later fit on more
        data uses what is there.
        """

    @abstractmethod
    def score(self, queries: Queries) -> np.ndarray:
        """Return float32 (b, n_items): row q holds query q's score of each item; higher is better."""

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        """Return the k best items of each query under `ranking`; override to avoid dense scores.

        Scores of any numeric type are ranked as float32. Raises DataError for scores of another type or shape, or NaN.
        """
        given, expected = self.score(queries), (len(queries), queries.n_items)
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        if sp.issparse(given):
            raise DataError(f"{name}.score gave a sparse matrix; scores are an array, such as its .toarray()")
        scores = np.asarray(given)
        if scores.shape != expected:
            raise DataError(f"{name}.score gave {scores.shape}; one score of each query and item is {expected}")
        if scores.dtype.kind not in "fiub":
            raise DataError(f"{name}.score gave values of type {scores.dtype}; scores are numbers, best float32")
        with np.errstate(over="ignore"):
            narrow = scores.astype(np.float32, copy=False)
        if scores.dtype.kind == "f" and scores.itemsize > 4 and np.isinf(narrow).any() and not np.isinf(scores).any():
            raise DataError(
                f"{name}.score gave {np.abs(scores).max():.3g}, which float32 cannot hold; scale scores down"
            )
        scores = narrow
        if np.isnan(np.max(scores, initial=-np.inf)):  # which passes NaN on, without an array of its own
            raise DataError(f"{name}.score gave NaN, which has no place in a list")
        return ranking.top_k(scores, queries, k)

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        """Return float32 (m,): the value that the user of `history` r would give the item of row r, finite for all.

        `history` holds one query a row; its user is -1 where unknown. Rows carry items, times and context. Only where
        `predicts`; unknown users and items get the model's best guess.
        """
        raise TypeError(f"{type(self).__name__} does not predict ratings")

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        """Return bool (b,): which queries the model answers; `trained`, bool (n_users,), says who had rows in train."""
        answered = np.ones(len(queries), bool)
        if self.capabilities.needs_history:
            answered &= queries.lengths > 0
        if self.capabilities.known_users_only:
            answered &= (queries.users >= 0) & trained[queries.users]
        return answered

    def missing_requirements(self, dataset: Dataset) -> str:
        """Return what the model needs and the dataset has not, in words; empty where it has all."""
        missing = [need for need in self.capabilities.needs if not dataset.has(need)]
        return self.needs_in_words(missing, f"{dataset.name} has none after filtering") if missing else ""

    def needs_in_words(self, missing: Collection[str], found: str) -> str:
        """Return which of its needs are missing, what was `found` instead, and what can be done."""
        advice = ADVICE.get(next(iter(missing)), "") if len(missing) == 1 else ""
        return f"{type(self).__name__} needs {', '.join(sorted(missing))}, but {found}{advice}"

    def withheld(self, queries: Queries) -> sp.csr_array | None:
        """Return what no list of these queries may hold beside `queries.exclude`, CSR (b, n_items); None: nothing.

        It is kept out of the fallback's lists, too.
        """
        return None

    def check_split(self, split: Split) -> None:  # noqa: B027
        """Raise DataError where the split's queries tell the fitted model what it is then asked for."""

    def check(self) -> None:  # noqa: B027
        """Raise ConfigError or DataError where a file that the model reads is missing; called before data is read."""

    def remarks(self, queries: Queries) -> list[str]:
        """Return what a reader of results should know of the answers to these queries, a sentence each."""
        return []

    def check_device(self, device: str) -> None:  # noqa: B027
        """Raise ConfigError where the model would compute on `device` (auto, cpu, cuda) and it is not there."""

    def matrix(self, source: Interactions | Queries) -> sp.csr_array:
        """Return training rows or query histories as this model reads them, see `feedback`: float32 CSR."""
        values = self.capabilities.feedback == "value"
        return source.history(values=values) if isinstance(source, Queries) else source.csr(values=values)

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_") and not name.endswith("__"):
            raise NotFittedError(f"{type(self).__name__} has no {name}: call fit first")
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")
