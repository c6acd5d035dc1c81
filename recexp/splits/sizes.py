"""Helpers of splitters: sizes of parts, and the assignment of rows to parts."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from recexp.data import Interactions
from recexp.data.column import take_rows
from recexp.data.ordering import by_code, row_numbers
from recexp.errors import EmptyPartError
from recexp.params import Fraction, NonNegativeInt, OpenFraction, PositiveInt, params
from recexp.splits.base import TEST, TEST_HISTORY, TRAIN, VALIDATION, VALIDATION_HISTORY, RowSplitter

ROUNDING = 1e-9
"""Keeps floor(0.29 * 100) at 29, where floating point gives 28.999..."""


@params
class RatioSplitter(RowSplitter):
    """A splitter whose parts are shares of all rows, of each user's rows, of the users or of the items.

    Parameters
    ----------
    test_ratio, validation_ratio : shares of the whole, rounded down; 0 means no validation.
    """

    test_ratio: OpenFraction
    validation_ratio: Fraction

    def __post_init__(self) -> None:
        check_ratios(self.test_ratio, self.validation_ratio)

    def parts(self, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of each group's n that go to test and to validation, int64 (g,) each."""
        return fitting(n, part_of(self.test_ratio, n), part_of(self.validation_ratio, n), self.validation_ratio > 0)

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """Return int8 (n,): a random assignment of n elements to TEST, VALIDATION and TRAIN."""
        return label(rng.permutation(n), [n], *self.parts(np.array([n])))


@params
class UserRowsSplitter(RowSplitter):
    """A splitter that uses the last of each user's rows, in some order, for test and those before for validation."""

    @abstractmethod
    def parts(self, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of each user's n rows that go to test and to validation, int64 (n_users,) each."""

    @abstractmethod
    def order(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        """Return int64 (m,): row numbers user by user."""

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        n = rows_of_users(interactions)
        return label(self.order(interactions, rng=rng), n, *self.parts(n))


@params
class ShareOfUser(UserRowsSplitter):
    """Parts are shares of each user's rows, or numbers of rows.

    Parameters
    ----------
    test_ratio, validation_ratio : shares of each user's rows, rounded down; 0 means no validation.
    test_n, validation_n : number of rows, instead of a share; None: use the share.
    """

    test_ratio: OpenFraction
    validation_ratio: Fraction
    test_n: PositiveInt | None
    validation_n: NonNegativeInt | None

    def __post_init__(self) -> None:
        check_ratios(self.test_ratio, self.validation_ratio)

    def parts(self, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        test = part_of(self.test_ratio, n) if self.test_n is None else np.full_like(n, self.test_n)
        if self.validation_n is None:
            return fitting(n, test, part_of(self.validation_ratio, n), self.validation_ratio > 0)
        return fitting(n, test, np.full_like(n, self.validation_n), self.validation_n > 0)


@params
class NumberOfUser(UserRowsSplitter):
    """Parts are numbers of rows of each user.

    Parameters
    ----------
    test_n, validation_n : number of rows of each user; 0 means no validation.
    """

    test_n: PositiveInt
    validation_n: NonNegativeInt

    def parts(self, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return fitting(n, np.full_like(n, self.test_n), np.full_like(n, self.validation_n), self.validation_n > 0)


def check_ratios(test_ratio: float | None, validation_ratio: float) -> None:
    """Raise ValueError unless the ratios leave rows for train."""
    if (test_ratio or 0) + validation_ratio >= 1:
        raise ValueError(f"test_ratio + validation_ratio must be less than 1 (got {test_ratio} + {validation_ratio})")


def part_of(ratio: float, n: np.ndarray | int) -> np.ndarray:
    """Return int64: floor(ratio * n)."""
    return np.floor(ratio * np.asarray(n) + ROUNDING).astype(np.int64)


def fitting(n: np.ndarray, test: np.ndarray, validation: np.ndarray, validate: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return `test` and `validation`, int64 (g,), set to 0 where they would leave a group of n without train rows.

    A group too small for both goes to test only, so validation never changes the test. Raises DataError if the test is
    empty, or if validation is empty although required (`validate`).
    """
    test = np.where(test < n, test, 0)
    validation = np.where(test + validation < n, validation, 0)
    for name, part, wanted in (("test", test, True), ("validation", validation, validate)):
        if wanted and not part.any():
            raise EmptyPartError(
                f"no rows go to {name}: even the largest group has only {n.max(initial=0)} rows; change "
                f"the size of {name} (split.{name}_ratio or split.{name}_n)"
            )
    return test, validation


def label(rows: np.ndarray, n: np.ndarray | Sequence[int], test: np.ndarray, validation: np.ndarray) -> np.ndarray:
    """Return int8 (m,): the last `test` rows of a group are TEST, the `validation` before VALIDATION, the rest TRAIN.

    Parameters
    ----------
    rows : int (m,), row numbers group by group.
    n, test, validation : int (g,), number of rows of each group, and how many go to each part.
    """
    sizes = np.stack([n - validation - test, validation, test], axis=1)
    labels = np.empty(len(rows), np.int8)
    labels[rows] = np.repeat(np.tile(np.array([TRAIN, VALIDATION, TEST], np.int8), len(sizes)), sizes.ravel())
    return labels


def shuffled(interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
    """Return row numbers user by user, int (m,), each user's in random order."""
    order = row_numbers(interactions.users)
    rng.shuffle(order)
    return by_code(order, take_rows(interactions.users, order), interactions.n_users)[0]


def rows_of_users(interactions: Interactions) -> np.ndarray:
    """Return int64 (n_users,): number of rows of each user."""
    return np.bincount(interactions.users, minlength=interactions.n_users)


def fold_in(
    labels: np.ndarray, interactions: Interactions, n_asked: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Return `labels`, int8 (m,), with all except `n_asked`, int64 (n_users,), of each held-out user's rows as history.

    The rows asked for are drawn at random.
    """
    n = rows_of_users(interactions)
    asked = label(shuffled(interactions, rng=rng), n, n_asked, np.zeros_like(n)) == TEST
    shown = {TEST: TEST_HISTORY, VALIDATION: VALIDATION_HISTORY}
    labels = labels.copy()
    for held, history in shown.items():
        labels[(labels == held) & ~asked] = history
    return labels
