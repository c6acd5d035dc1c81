"""The contract of filters."""

from dataclasses import dataclass

import numpy as np

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.filters.base import Filter, Filters
from recexp.rng import generator
from recexp.testing import examples
from recexp.testing.checking import check_kind, expect, quiet, row_numbers, run_checks


@quiet()
def check_filter(step: Filter | Filters, dataset: Dataset | None = None) -> None:
    """Run a filter, or a list of filters, on small data; raise if it violates the contract of filters.

    The example data span 500 days, with sessions and events named purchase, rating and view; variants lack ratings or
    events. Pass a `dataset` for a filter that needs other data::

        check_filter(MyFilter(minimum=3))
    """
    check_kind(step, Filter, Filters)
    filters = step if isinstance(step, Filters) else Filters(steps=[step])
    for each in filters.steps:
        check_kind(each, Filter)
    tried, refusal = 0, None
    made = [examples.events(ratings=True), *(examples.events(ratings=False, named=named) for named in (True, False))]
    for data in [dataset] if dataset else made:
        before = examples.numbered(data)
        try:
            after = _applied(filters, before)
        except DataError as error:
            refusal = error
            continue
        tried += 1
        run_checks(step, CHECKS, Case(filters, before, after))
    expect(tried, f"{type(step).__name__} refuses the data that it is tried on; give others as `dataset`. {refusal}")


@dataclass(frozen=True)
class Case:
    """A list of filters, the data, and the filtered data."""

    filters: Filters
    before: Dataset
    after: Dataset


def rows_are_some_of_those_before(case: Case) -> None:
    """A filter keeps the order of rows and duplicates none; it may change their values."""
    kept = _kept(case)
    expect((np.diff(kept) > 0).all(), f"apply changed the order of rows, or has some twice: {kept[:20]} ...")


def users_and_items_stay_what_they_are(case: Case) -> None:
    """Each remaining row keeps its user and item, by id."""
    kept = _kept(case)
    for side in ("user", "item"):
        before, after = (_ids(data, side) for data in (case.before, case.after))
        expect((before[kept] == after).all(), f"apply changed the {side}s of rows: codes and {side}_ids must agree")


def values_without_ratings_are_numbers(case: Case) -> None:
    """Values other than ratings are never missing (NaN)."""
    rows = case.after.interactions
    expect(rows.explicit or not np.isnan(rows.values).any(), "apply left NaN among values that are no ratings")


def randomness_is_seeded(case: Case) -> None:
    """Equal seeds give equal rows; a filter that draws at random sets `random = True`."""
    again = _applied(case.filters, case.before)
    expect(
        again.fingerprint == case.after.fingerprint, "two calls with the same seed gave different data; draw from rng"
    )
    if not any(step.random for step in case.filters.steps):
        other = _applied(case.filters, case.before, seed=2)
        expect(other.fingerprint == case.after.fingerprint, "another seed gave other data; say `random = True`")


CHECKS = (
    rows_are_some_of_those_before,
    users_and_items_stay_what_they_are,
    values_without_ratings_are_numbers,
    randomness_is_seeded,
)


def _applied(filters: Filters, data: Dataset, seed: int = 1) -> Dataset:
    if filters.steps:
        given = filters.steps[0].apply(data, rng=generator(seed, "filter", "0"))
        expect(isinstance(given, Dataset), f"apply must return a Dataset (it returned {type(given).__name__})")
    return filters.apply(data, seed=seed)[0]


def _kept(case: Case) -> np.ndarray:
    """Return int64 (m,): the numbers of the remaining rows."""
    kept = row_numbers(case.after)
    if kept is None:
        raise AssertionError("apply lost the context columns of the rows")
    return kept


def _ids(data: Dataset, side: str) -> np.ndarray:
    return getattr(data, f"{side}_ids")[getattr(data.interactions, f"{side}s")]
