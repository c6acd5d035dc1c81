"""When a shop is busy."""

import numpy as np

from recexp.data import Interactions

DAY = 86_400
EARLIEST = 315_532_800
"""1980: smaller numbers than these seconds are row numbers, which stand for times where a file has none."""


def known_times(rows: Interactions) -> np.ndarray | None:
    """Return when rows happened, int64 (m,) in their unit since 1970; None: it is not known."""
    times = rows.timestamps
    return None if times is None or not len(times) or times[0] < EARLIEST * rows.per_second else times


def seconds(rows: Interactions) -> np.ndarray | None:
    """Return when rows happened, float64 (m,) seconds since 1970; None: it is not known."""
    times = known_times(rows)
    return None if times is None else times / rows.per_second


def busiest_hour(rows: Interactions) -> float:
    """Return how many times the rows of the quietest hour of the day the busiest has, UTC; NaN where no hour is known.

    Where all rows have the same second of the day, times are dates.
    """
    times = known_times(rows)
    if times is None:
        return float("nan")
    of_day = times % (DAY * rows.per_second)
    if (of_day == of_day[0]).all():
        return float("nan")
    hours = np.bincount(of_day // (3600 * rows.per_second), minlength=24)
    return float(hours.max() / hours.min()) if hours.min() else float("inf")


def busiest_month(when: np.ndarray) -> float:
    """Return how many times the events of the quietest month the busiest has; NaN where there are not two whole ones.

    `when`, float64 (m,), are seconds since 1970. A month is whole where neither its begin nor its end is cut off by the
    first or the last event: they fall on its first or last day, or in another month.
    """
    if not len(when):
        return float("nan")
    days = (when // DAY).astype("datetime64[D]")
    months, ends = days.astype("datetime64[M]"), (days.min(), days.max())
    first, last = (end.astype("datetime64[M]") for end in ends)
    first += ends[0] > first.astype("datetime64[D]")
    last -= ends[1] < (last + 1).astype("datetime64[D]") - 1
    n = int((last - first).astype(int)) + 1
    if n < 2:
        return float("nan")
    whole = (months >= first) & (months <= last)
    counts = np.bincount((months[whole] - first).astype(int), minlength=n)
    return float(counts.max() / counts.min()) if counts.min() else float("inf")
