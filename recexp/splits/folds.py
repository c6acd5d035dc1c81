"""K-fold cross-validation."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from recexp.data import Dataset, Interactions, Split
from recexp.errors import DataError, EmptyPartError
from recexp.params import Fraction, OpenFraction, params
from recexp.splits.base import TEST, TRAIN, VALIDATION, Splitter, divide
from recexp.splits.sizes import fold_in, part_of, rows_of_users


@params
class KFold(Splitter):
    """Each fold in turn is the test set and the others are the training set; one Split per fold.

    With folds=2, by=rows, seed=1::

        time  1  2  3  4    |   1   2   3   4     |   1   2   3   4
        anna  p  q  r  s    |  [p] [q]  r   s     |   p   q  [r] [s]
        ben   .  p  q  s    |   .  [p]  q  [s]    |   .   p  [q]  s
        carl  s  .  p  .    |  [s]  .   p   .     |   s   .  [p]  .

    Parameters
    ----------
    folds : number of folds.
    by : what is divided. `rows`: all rows at random. `users`: the users at random; a share of a test user's rows is
        history, the rest is asked for. `column`: rows by the context column `fold`, in the order of its values, numbers
        by size.
    validation_ratio : share of the rows or users outside the test, drawn at random; 0 means no validation.
    fold_in_ratio : share of a held-out user's rows, rounded up, that serves as history (by users).
    """

    time = "mixed"

    folds: Annotated[int, Field(ge=2)]
    by: Literal["rows", "users", "column"]
    validation_ratio: Fraction
    fold_in_ratio: OpenFraction

    def split(self, dataset: Dataset) -> Iterator[Split]:
        rows, rng = dataset.interactions, self.rng
        unit = rows.users if self.by == "users" else np.arange(len(rows))
        fold_of = self._listed_folds(rows) if self.by == "column" else self._random_folds(unit.max() + 1, rng)
        for fold in range(self.folds):
            labels = self._labels(fold_of == fold, rng)[unit]
            if self.by == "users":
                asked = part_of(1 - self.fold_in_ratio, rows_of_users(rows))
                labels = fold_in(labels, rows, asked, rng=rng)
            yield divide(dataset, labels, exclude_seen=self.exclude_seen, fold=fold)

    def _labels(self, test: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return int8 (n,): TEST as given by `test`, VALIDATION for a random share of the others, else TRAIN."""
        labels = np.where(test, TEST, TRAIN).astype(np.int8)
        others = rng.permutation(np.flatnonzero(~test))
        size = part_of(self.validation_ratio, len(others))
        if self.validation_ratio and not size:
            raise EmptyPartError(f"split.validation_ratio: {self.validation_ratio} of {len(others)} is less than one")
        labels[others[:size]] = VALIDATION
        return labels

    def _random_folds(self, n: int, rng: np.random.Generator) -> np.ndarray:
        if n < self.folds:
            raise EmptyPartError(f"split.folds: {self.folds} folds of {n} {self.by} leave some folds empty; use fewer")
        return rng.permutation(np.arange(n) % self.folds)

    def _listed_folds(self, rows: Interactions) -> np.ndarray:
        column = rows.context.get("fold")
        if column is None:
            raise DataError("split.by=column needs the fold of each row; name its column with dataset.columns.fold")
        if column.kind != "category" or (column.values < 0).any():
            raise DataError("split.by=column: the column fold must be a category and never empty")
        used, fold_of = np.unique(column.values, return_inverse=True)
        names = [column.categories[code] for code in used]
        if len(names) != self.folds:
            raise DataError(
                f"split.folds: {self.folds}, but the column fold has {len(names)} values; set it to {len(names)}"
            )
        with suppress(ValueError):  # non-numeric names keep alphabetical order
            fold_of = np.argsort(np.argsort([float(name) for name in names]))[fold_of]
        return fold_of
