"""The unit of times: the coarsest that loses nothing of a column."""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np

from recexp.errors import DataError

TimeUnit = Literal["s", "ms", "us", "ns"]

PER_SECOND: Mapping[TimeUnit, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""From the coarsest to the finest."""


def finest(units: Iterable[TimeUnit]) -> TimeUnit:
    """Return the unit in which times of all `units` can be written."""
    return max(units, key=lambda unit: PER_SECOND[unit], default="s")


def in_unit(times: np.ndarray, unit: TimeUnit, wanted: TimeUnit) -> np.ndarray:
    """Return times, int64 (m,), in a unit that is as fine or finer; raises DataError where they leave int64."""
    factor = PER_SECOND[wanted] // PER_SECOND[unit]
    if factor == 1:
        return times
    limit = np.iinfo(np.int64).max // factor - 1  # leaves room for a fraction
    if len(times) and not -limit <= times.min() <= times.max() <= limit:
        farthest = max(times.min(), times.max(), key=lambda time: abs(int(time)))
        raise DataError(f"time {farthest} {unit} since 1970 is beyond what {wanted} in 64 bits can hold")
    return times * np.int64(factor)


def coarsened(times: np.ndarray, unit: TimeUnit) -> tuple[np.ndarray, TimeUnit]:
    """Return times in the coarsest unit that loses nothing, and that unit."""
    units = list(PER_SECOND)
    while unit != "s" and not (times[:1000] % 1000).any() and not (times % 1000).any():
        times, unit = times // 1000, units[units.index(unit) - 1]
    return times, unit
