"""Filter on what a user bought and gave back."""

import logging
from dataclasses import replace

import numpy as np

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.filters.base import Filter
from recexp.filters.repeats import pair_numbers
from recexp.params import PositiveFloat, params

log = logging.getLogger(__name__)


@params
class NetReturns(Filter):
    """Net the quantities of each user and item: of all data, or of each part where a split by time comes after.

    Purchases count above 0 and returns below. Of a pair whose sum is at least `minimum`, the last purchase stays and
    its value is the sum; other rows are dropped. A return after the point of a split takes nothing from the purchases
    before it, as nobody knew of it then, and is no purchase itself::

        anna  tea     +3  -1       |  2
        anna  coffee  +1  -1       |
        ben   tea     +1       +2  |  3

    Parameters
    ----------
    minimum : the smallest sum that counts.
    """

    minimum: PositiveFloat

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        rows = dataset.interactions
        if rows.explicit:
            raise DataError(
                f"filter NetReturns needs quantities, but {dataset.name} has ratings; name the column of quantities "
                "with dataset.columns.quantity and set dataset.columns.rating=null, or choose another filter=..."
            )
        order, pairs = rows.time_order(), pair_numbers(rows)
        order = order[np.argsort(pairs[order], kind="stable")]
        begin = np.flatnonzero(np.diff(pairs[order], prepend=-1))
        if not len(begin):
            return dataset
        quantities = np.nan_to_num(rows.values[order]).astype(np.float64)
        sums = np.add.reduceat(quantities, begin)
        bought = np.where(quantities > 0, np.arange(len(order)), -1)
        last = np.maximum.reduceat(bought, begin)  # a sum above 0 has a purchase
        enough = sums >= self.minimum
        kept = order[last[enough]]
        values = rows.values.copy()
        values[kept] = sums[enough]
        log.info(
            "NetReturns: %d returns netted; %d of %d pairs of user and item keep at least %g",
            *((quantities < 0).sum(), enough.sum(), len(begin), self.minimum),
        )
        return replace(dataset, interactions=replace(rows, values=values)).take(np.sort(kept))

    def looks_ahead(self, dataset: Dataset) -> bool:
        return bool((np.diff(np.sort(pair_numbers(dataset.interactions))) == 0).any())
