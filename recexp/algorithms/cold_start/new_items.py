"""NewItems: a factor model that infers the factors of new items from other data."""

import copy
from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset, Queries
from recexp.errors import DataError
from recexp.params import PositiveInt, params


def _with_vectors(base: Recommender) -> Recommender:
    if not base.capabilities.vectors:
        raise ValueError(f"{type(base).__name__} has no vectors of users and items; als, svd, nmf and bpr have")
    return base


@params
class NewItems(FactorModel):
    """score(u, i) = w_u . h_i; the subclass provides h_i for items with fewer than `below` train users.

    The base learns the vectors w of users and h of the other items. Answers the users the base answers. Learns `base_`,
    the fitted base, and `vectors_`, h as float32 (n_items, d).

    Parameters
    ----------
    base : a model that has vectors of users and items.
    below : items with fewer train users are new; 1: items without train users.
    """

    base: Annotated[Recommender, AfterValidator(_with_vectors)]
    below: PositiveInt

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        return replace(vars(self).get("base_", self.base).capabilities, predicts=False)

    @abstractmethod
    def suggested(self, train: Dataset, vectors: np.ndarray, known: np.ndarray, context: FitContext) -> np.ndarray:
        """Return the vectors of new items, float (n, d), in the order of their codes.

        Parameters
        ----------
        vectors : float32 (n_items, d), those of the base.
        known : bool (n_items,), the items that are not new.
        """

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        base = vars(self).get("base_") or copy.deepcopy(self.base)
        self.base_ = base.fit(train, context.of_part("base", context.rng))
        vectors = self.base_.item_vectors().copy()
        known = np.bincount(train.interactions.csr(values=False).indices, minlength=train.n_items) >= self.below
        if not known.any():
            raise DataError(f"algorithm.below: no item has {self.below} train users or more, to learn its factors from")
        vectors[~known] = self.suggested(train, vectors, known, context)
        self.vectors_ = vectors
        return self

    def user_vectors(self, queries: Queries) -> np.ndarray:
        return self.base_.user_vectors(queries)

    def item_vectors(self) -> np.ndarray:
        return self.vectors_

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        return self.base_.can_answer(queries, trained)

    def check(self) -> None:
        self.base.check()

    def check_device(self, device: str) -> None:
        self.base.check_device(device)
