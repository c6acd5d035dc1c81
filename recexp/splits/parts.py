"""A split given by a column of the data."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recexp.data import Dataset, Split
from recexp.errors import DataError
from recexp.params import params
from recexp.splits.base import TEST, TRAIN, VALIDATION, Splitter, divide

_PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}


@params
class Parts(Splitter):
    """The context column `fold` assigns each row to `train`, `validation` or `test`. No model sees the column.

    With q and s of anna and r of ben in the part test, and q of ben in validation::

        time  1  2  3  4    |   1   2   3   4
        anna  p  q  r  s    |   p  [q]  r  [s]
        ben   .  p  q  r    |   .   p  (q) [r]
    """

    def split(self, dataset: Dataset) -> Iterator[Split]:
        rows = dataset.interactions
        column = rows.context.get("fold")
        if column is None or column.kind != "category":
            raise DataError(
                f"split=parts needs a column that says train, validation or test, and {dataset.name} has none; name it "
                "with dataset.columns.fold"
            )
        names = np.array([*column.categories, ""], object)[column.values]
        if unknown := sorted(set(names) - set(_PARTS)):
            raise DataError(f"split=parts: the column fold holds {unknown[0]!r}; allowed: {', '.join(_PARTS)}")
        labels = np.array([_PARTS[name] for name in names], np.int8)
        context = {name: column for name, column in rows.context.items() if name != "fold"}
        yield divide(
            replace(dataset, interactions=replace(rows, context=context)), labels, exclude_seen=self.exclude_seen
        )
