"""Reranker: what makes the list that people see out of a model's best items."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from recexp.data import Dataset, Queries
from recexp.ranking import Lists


@dataclass(frozen=True)
class Allowed:
    """Which items may be in the lists of b queries; queries of one group share a mask.

    Attributes
    ----------
    masks : bool (g, n_items), which items the queries of each group may get.
    groups : int (b,), the group of each query, 0..g-1.
    """

    masks: np.ndarray
    groups: np.ndarray

    def both(self, other: "Allowed") -> "Allowed":
        """Return what two rules for the same queries allow together."""
        pairs, groups = np.unique([self.groups, other.groups], axis=1, return_inverse=True)
        return Allowed(self.masks[pairs[0]] & other.masks[pairs[1]], groups.ravel())


class Reranker(ABC):
    """Makes a list of k items out of the `depth(k)` items that a model ranks highest.

    A subclass is decorated with `@params` and implements `rerank`. What `fit` keeps goes to attributes that end in `_`,
    which are saved with the model: arrays, sparse matrices, numbers, text, and lists and dicts of them.

    Class attributes
    ----------------
    needs : what a dataset must have, see `Dataset.has`; a property where it depends on fields.
    neutral : whether lists stay as they are, so that a run is described as one without a reranker.
    """

    needs: ClassVar[frozenset[str]] = frozenset()
    neutral: ClassVar[bool] = False
    __dataclass_fields__: ClassVar[dict[str, Any]]  # of a subclass, from `@params`

    def fit(self, train: Dataset) -> Self:
        """Keep what lists are made by (features of items, groups of users) and return self. Raises DataError."""
        return self

    def allowed(self, queries: Queries) -> Allowed | None:
        """Return which items the model may rank for each query; None: all. Lists are filled up from these."""
        return None

    def depth(self, k: int) -> int:
        """Return how many of the model's best items a list of k is made of; at least k."""
        return k

    @abstractmethod
    def rerank(self, queries: Queries, candidates: Lists, k: int) -> Lists:
        """Return lists of min(k, n) of the candidates of b queries, best first, none twice.

        `candidates` are b lists of at most n items with the model's scores, best first, of allowed items alone; both
        are padded as `Lists` are. The scores returned may be new ones; they do not rise within a list.
        """

    def missing_requirements(self, dataset: Dataset) -> str:
        """Return what the reranker needs and the dataset has not, in words; empty where it has all."""
        missing = sorted(need for need in self.needs if not dataset.has(need))
        if not missing:
            return ""
        columns = [f"items.{name}" for name in dataset.items] + [f"users.{name}" for name in dataset.users]
        return (
            f"{type(self).__name__} needs {', '.join(missing)}, which {dataset.name} does not have after filtering; "
            f"there are: {', '.join(columns) or 'no columns of items or users'}"
        )


class Restriction(Reranker):
    """A rule for what may be listed, which leaves the model's order as it is.

    A subclass implements `allowed`, and `fit` where the rule is about data.
    """

    @abstractmethod
    def allowed(self, queries: Queries) -> Allowed:
        """Return which items the model may rank for each query."""

    def rerank(self, queries: Queries, candidates: Lists, k: int) -> Lists:
        return candidates.cut(k)
