"""Columns of numbers that rerankers read."""

import numpy as np

from recexp.data import Dataset
from recexp.errors import DataError


def item_numbers(dataset: Dataset, name: str) -> np.ndarray:
    """Return float32 (n_items,): a numeric or price column of the items table, NaN where a value is missing.

    Raises DataError for another kind of column, and for one without any value.
    """
    column = dataset.items[name]
    if column.kind not in ("numeric", "price"):
        raise DataError(
            f"reranker.column: {name} is a {column.kind} column of {dataset.name}; it must hold numbers: "
            f"dataset.item_features={{{name}: numeric}} reads it so"
        )
    if np.isnan(column.values).all():
        raise DataError(f"reranker.column: {name} is empty for all {dataset.n_items} items of {dataset.name}")
    return column.values
