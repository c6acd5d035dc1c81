"""Base of splits at one point in time."""

import numpy as np

from recexp.errors import DataError, EmptyPartError
from recexp.params import Fraction, Moment, OpenFraction, params
from recexp.splits.base import TEST, TRAIN, VALIDATION, Splitter
from recexp.splits.sizes import check_ratios, part_of


@params
class PointSplitter(Splitter):
    """A splitter at one point in time for all users: test begins there, and validation comes just before.

    Parameters
    ----------
    test_ratio : share of all rows or sessions that is test, the latest ones; None if `test_from` is given.
    test_from : start of the test, in seconds since 1970 or an ISO date (UTC), or None.
    validation_ratio : share just before the test; 0 means no validation.
    validation_from : start of validation, instead of a share, or None.
    """

    test_ratio: OpenFraction | None
    test_from: Moment | None
    validation_ratio: Fraction
    validation_from: Moment | None

    def __post_init__(self) -> None:
        if (self.test_ratio is None) == (self.test_from is None):
            raise ValueError(
                "give either test_ratio or test_from and set the other to null "
                f"(got test_ratio={self.test_ratio}, test_from={self.test_from})"
            )
        if self.validation_ratio and self.validation_from is not None:
            raise ValueError(f"validation_ratio must be 0 where validation_from is given (got {self.validation_ratio})")
        test, validation = self.test_from, self.validation_from
        if test is not None and validation is not None and validation >= test:
            raise ValueError(f"validation_from must be before test_from ({validation}, {test})")
        check_ratios(self.test_ratio, self.validation_ratio)

    def cut(self, times: np.ndarray, per_second: int) -> np.ndarray:
        """Return int8 (n,): TRAIN, VALIDATION or TEST for each of `times`; equal times stay together.

        `per_second` is the number of units of `times` in a second.
        """
        test_from, validation_from = (
            None if moment is None else moment * per_second for moment in (self.test_from, self.validation_from)
        )
        ascending = np.sort(times)
        if len(times) and ascending[0] == ascending[-1]:
            raise DataError(
                f"all {len(times)} rows or sessions have the same time, {ascending[0] // per_second}, so the split "
                "has no before and after; name the time column with dataset.columns.timestamp, or choose another split"
            )
        test = _point(ascending, self.test_ratio, test_from, len(times), "test", per_second)
        labels = np.where(times >= test, TEST, TRAIN).astype(np.int8)
        if self.validation_ratio or self.validation_from is not None:
            before = ascending[: np.searchsorted(ascending, test)]
            validation = _point(before, self.validation_ratio, validation_from, len(times), "validation", per_second)
            labels[(times >= validation) & (times < test)] = VALIDATION
        if not (labels == TRAIN).any():
            part = "test" if (labels == TEST).all() else "validation"
            raise EmptyPartError(
                f"{part} begins with the first of {len(times)} rows or sessions and leaves no train rows: rows with "
                f"the same time stay together, and there are {len(np.unique(times))} distinct times, from "
                f"{ascending[0] // per_second} to {ascending[-1] // per_second}; "
                f"change split.{part}_ratio or split.{part}_from"
            )
        return labels


def _point(ascending: np.ndarray, ratio: float | None, since: int | None, n: int, name: str, per_second: int) -> int:
    """Return `since`, or else when the last `ratio` of n begins; raises DataError if nothing comes at or after it."""
    size = part_of(ratio or 0, n) if since is None else len(ascending) - np.searchsorted(ascending, since)
    if not 0 < size <= len(ascending):
        span = f", from {ascending[0] // per_second} to {ascending[-1] // per_second}" if len(ascending) else ""
        raise EmptyPartError(
            f"{name} would get {size} of {len(ascending)} rows or sessions{span}; "
            f"change split.{name}_ratio or split.{name}_from"
        )
    return int(ascending[len(ascending) - size]) if since is None else since
