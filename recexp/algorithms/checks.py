"""Checks of training data."""

import numpy as np

from recexp.data import Interactions
from recexp.errors import DataError


def check_not_empty(interactions: Interactions) -> None:
    """Raise DataError if there are no interactions."""
    if not len(interactions):
        raise DataError("there is nothing to learn from: train has no rows")


def check_values(values: np.ndarray, model: str, *, negative: bool, missing: bool = False) -> None:
    """Raise DataError if values of interactions are infinite or, unless allowed, missing (NaN) or negative."""
    wrong = np.isinf(values) if missing else ~np.isfinite(values)
    if not negative:
        wrong |= values < 0
    if wrong.any():
        kinds = [*["negative"][negative:], *["missing"][missing:], "infinite"]
        raise DataError(
            f"{model} weighs interactions by their values, and {wrong.sum()} of {len(values)} are "
            f"{' or '.join(kinds)} ({values[wrong][0]:g}); filter=all_positive makes all of them 1"
        )
