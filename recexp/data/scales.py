"""What a scale of values looks like: ratings, or counts, percentages, values around 0."""

import numpy as np


def quantity_doubt(values: np.ndarray) -> str:
    """Return why values that are called ratings look like quantities; nothing where they may well be ratings.

    `values` are float32 (m,), NaN where a row has none. Quantities are whole, most are small and some are far larger;
    returns are below 0.
    """
    known = values[~np.isnan(values)]
    if not len(known) or (known != np.round(known)).any():
        return ""
    low, high, middle = float(known.min()), float(known.max()), float(np.median(known))
    if high <= 10 or middle > high / 4:
        return ""
    below = f"{100 * np.mean(known < 0):.2g} % are below 0, " if low < 0 else ""
    return f"{below}half are at most {middle:g}, and the largest is {high:g}"


def doubtful_minimum(values: np.ndarray, minimum: float) -> str:
    """Return why values of at least `minimum` may not be what is liked; nothing where they may well be.

    `values` are float32 (m,), NaN where a row has none.
    """
    ratings = values[~np.isnan(values)]
    if not len(ratings):
        return ""
    low, high = float(ratings.min()), float(ratings.max())
    if low < 0:
        return f"values range from {low:g} to {high:g}, around 0"
    if minimum <= (min(low, 1.0) + high) / 2:  # whoever gave no low rating may have given the high ones alone
        return f"that is not in the upper half of values from {low:g} to {high:g}"
    counts = low == 1 < high and bool((ratings == np.round(ratings)).all()) and np.mean(ratings == 1) > 0.5
    return "most values are 1, as those of counts are" if counts else ""
