"""Recommend what can be sold."""

import logging
from typing import Self

import numpy as np

from recexp.data import Dataset, Queries
from recexp.errors import DataError
from recexp.params import params
from recexp.rerankers.base import Allowed, Restriction
from recexp.rerankers.columns import item_numbers

log = logging.getLogger(__name__)


@params
class InStock(Restriction):
    """Lists hold no item whose stock is 0 or less; those whose stock is not known may be listed.

    The stock is that of the items table when the model was fitted. What sold out since is left out of a list by
    `recexp recommend --exclude`.

    Parameters
    ----------
    column : the numeric column of the items table that holds the stock.
    """

    column: str

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # of the class where it depends on no field
        return frozenset({f"items.{self.column}"})

    def fit(self, train: Dataset) -> Self:
        self.listed_ = ~(item_numbers(train, self.column) <= 0)
        if not self.listed_.any():
            raise DataError(f"reranker: {self.column} is 0 for all {train.n_items} items of {train.name}")
        log.info("in_stock: %d of %d items are not in stock and in no list", (~self.listed_).sum(), train.n_items)
        return self

    def allowed(self, queries: Queries) -> Allowed:
        return Allowed(self.listed_[None], np.zeros(len(queries), np.int64))
