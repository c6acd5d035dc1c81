"""The popularity of an item's categories, by which new items can be ranked without learning anything of a person."""

from typing import Self

import numpy as np

from recexp.algorithms import Capabilities, FitContext, Recommender
from recexp.data import Dataset, Queries
from recexp.params import params


@params
class GenrePopularity(Recommender):
    """score(u, i) = the mean over i's categories in `column` of the train rows that items of that category have.

    Parameters
    ----------
    column : a multi_category column of items.
    """

    column: str

    capabilities = Capabilities(needs_history=False, needs=frozenset({"item_categories"}))

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        has = train.items[self.column].indicators()
        rows = np.bincount(train.interactions.items, minlength=train.n_items)
        of_categories = has.T @ rows
        self.items_ = (has @ of_categories / np.maximum(np.diff(has.indptr), 1)).astype(np.float32)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return np.tile(self.items_, (len(queries), 1))
