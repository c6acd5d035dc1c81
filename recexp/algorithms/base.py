"""Recommender: the base class of all algorithms."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
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
    and dicts of these. A saved model consists of these attributes and the fields.

    Class attributes
    ----------------
    capabilities : what the model can do; a property if it depends on fields.
    counts_catalogue : whether the fit depends on the number of recommendable items (`FitContext.catalogue`).
    dense_lists : whether `recommend` holds the scores of all items for all given queries; if not, it receives larger
        batches.
    context_columns : names of the context columns that answers depend on; a property of the fitted model.
    predicts_by : the override with which the algorithm predicts labels or ratings, if there is one.
    """

    capabilities: ClassVar[Capabilities] = Capabilities()
    counts_catalogue: ClassVar[bool] = False
    dense_lists: ClassVar[bool] = True
    context_columns: ClassVar[tuple[str, ...]] = ()
    predicts_by: ClassVar[Mapping[str, str]] = {}
    __dataclass_fields__: ClassVar[dict[str, Any]]  # set on subclasses by `@params`
    fitted_params_: dict[str, Any]  # values chosen by validation, if any

    @abstractmethod
    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        """Learn from `train` and return self; a second call starts from scratch but keeps `fitted_params_`.

        Without a context, the defaults apply: `context = context or FitContext()`. With `context.validate`, the model
        chooses the values that depend on held-out data (epochs, weights) and stores them in `fitted_params_`; a later
        fit without it, on more data, uses the stored values.
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
        if np.isnan(np.max(scores, initial=-np.inf)):  # propagates NaN without allocating an array
            raise DataError(f"{name}.score gave NaN, which has no place in a list")
        return ranking.top_k(scores, queries, k)

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        """Return float32 (m,): the predicted value of the user of `history` r for the item of row r; all finite.

        `history` holds one query per row; unknown users are -1. Rows provide items, times and context. Implemented only
        if `predicts`; unknown users and items get the model's best guess.
        """
        raise TypeError(f"{type(self).__name__} does not predict ratings")

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        """Return bool (b,): which queries the model can answer. `trained`, bool (n_users,): users with train rows."""
        answered = np.ones(len(queries), bool)
        if self.capabilities.needs_history:
            answered &= queries.lengths > 0
        if self.capabilities.known_users_only:
            answered &= (queries.users >= 0) & trained[queries.users]
        return answered

    def missing_requirements(self, dataset: Dataset) -> str:
        """Return a text on what the model needs and the dataset lacks; empty if nothing is missing."""
        missing = [need for need in self.capabilities.needs if not dataset.has(need)]
        return self.needs_in_words(missing, f"{dataset.name} has none after filtering") if missing else ""

    def needs_in_words(self, missing: Collection[str], found: str) -> str:
        """Return a text on the missing requirements, what was `found` instead, and the remedy."""
        advice = ADVICE.get(next(iter(missing)), "") if len(missing) == 1 else ""
        return f"{type(self).__name__} needs {', '.join(sorted(missing))}, but {found}{advice}"

    def withheld(self, queries: Queries) -> sp.csr_array | None:
        """Return items to exclude from the lists in addition to `queries.exclude`, CSR (b, n_items); None: no items.

        They are also excluded from the fallback's lists.
        """
        return None

    def check_split(self, split: Split) -> None:  # noqa: B027
        """Raise DataError if the split's queries reveal their targets to the fitted model."""

    def check(self) -> None:  # noqa: B027
        """Raise ConfigError or DataError if a file that the model reads is missing; called before data is read."""

    def remarks(self, queries: Queries) -> list[str]:
        """Return remarks on the answers to these queries for readers of the results, one sentence each."""
        return []

    def check_device(self, device: str) -> None:  # noqa: B027
        """Raise ConfigError if the model would compute on `device` (auto, cpu, cuda) and it is not available."""

    def matrix(self, source: Interactions | Queries) -> sp.csr_array:
        """Return training rows or query histories as float32 CSR, with values according to `feedback`."""
        values = self.capabilities.feedback == "value"
        return source.history(values=values) if isinstance(source, Queries) else source.csr(values=values)

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_") and not name.endswith("__"):
            raise NotFittedError(f"{type(self).__name__} has no {name}: call fit first")
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")
