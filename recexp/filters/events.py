"""Filter on what kind of event a row is."""

import numpy as np

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.filters.base import Filter
from recexp.params import params


@params
class KeepEvents(Filter):
    """Keep rows of the named kinds of event (view, cart, purchase, rating ...)."""

    events: list[str]

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        column = dataset.interactions.events
        if column is None:
            raise DataError(
                f"filter KeepEvents needs events and {dataset.name} has none; name their column with "
                "dataset.columns.event or leave the step out"
            )
        unknown = [name for name in self.events if name not in column.categories]
        if unknown:
            raise DataError(
                f"filter KeepEvents: {dataset.name} has no event {', '.join(unknown)}; "
                f"there are: {', '.join(column.categories)}"
            )
        codes = [column.categories.index(name) for name in self.events]
        return dataset.take(np.isin(column.values, codes))
