"""The contract of splits."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recexp.data import Dataset, Interactions, Queries, Split
from recexp.data.overlap import overlap
from recexp.errors import DataError
from recexp.splits.base import Splitter
from recexp.testing import examples
from recexp.testing.checking import check_kind, expect, quiet, row_numbers, run_checks


@quiet()
def check_split(splitter: Splitter, dataset: Dataset | None = None) -> None:
    """Run a split on small data; raise if it violates the contract of splits.

    The example data are 500 ratings over five months, with sessions and folds (context `fold`). Pass a `dataset` for a
    split that needs other data::

        check_split(MySplit(seed=1, exclude_seen=True))
    """
    check_kind(splitter, Splitter)
    data = examples.numbered(dataset or examples.repeated_rows())
    splitter.check()
    try:
        splits = list(splitter.split(data))
    except Exception as error:
        error.add_note("check_split tried it on data made here; give others as `dataset` where it needs them")
        raise
    run_checks(splitter, CHECKS, Case(splitter, data, splits))


@dataclass(frozen=True)
class Case:
    """A splitter, the data, and its splits."""

    splitter: Splitter
    dataset: Dataset
    splits: list[Split]

    @property
    def levels(self) -> Iterator[Split]:
        """All splits and their validation splits."""
        for split in self.splits:
            yield split
            if split.validation is not None:
                yield split.validation


def folds_are_different_splits(case: Case) -> None:
    """`split` yields one Split, or several that differ and are numbered from 0 as folds; each has train rows."""
    splits = case.splits
    expect(splits, "split yielded nothing; what cannot be split is a DataError that says why")
    expect(all(isinstance(split, Split) for split in splits), f"split must yield Splits (it yielded {splits[:3]})")
    numbers = [split.fold for split in splits]
    expected = [None] if len(splits) == 1 else list(range(len(splits)))
    expect(numbers in (expected, [0]), f"the folds of {len(splits)} splits must be {expected} (they are {numbers})")
    expect(len({split.fingerprint for split in splits}) == len(splits), "two folds are the same split")
    expect(all(len(split.train.interactions) for split in case.levels), "a train part has no rows")


def parts_share_the_codes(case: Case) -> None:
    """All parts have the codes of the dataset; items that only a file of held-out rows knows come after them."""
    whole = case.dataset
    for split in case.levels:
        known = (split.train.user_ids[: whole.n_users], split.train.item_ids[: whole.n_items])
        expect(
            all(map(np.array_equal, known, (whole.user_ids, whole.item_ids))), "train has other codes; do not compact"
        )
        sizes = {(rows.n_users, rows.n_items) for rows in (split.train, split.test, split.queries.log)}
        expect(len(sizes) == 1, f"train, test and histories have different numbers of users and items: {sizes}")


def no_test_row_is_learned(case: Case) -> None:
    """No row is in train and in test; train rows come from the dataset, test rows may come from elsewhere."""
    for split in case.levels:
        train, test = row_numbers(split.train), row_numbers(split.test)
        if train is None or test is None:
            continue
        both = np.intersect1d(train, test)
        expect(not len(both), f"{len(both)} rows are in train and in test, such as row {both[:1]}")
        for name, rows in (("train", train), ("test", test)):
            expect(len(np.unique(rows)) == len(rows), f"{name} has rows twice")


def validation_is_made_inside_train(case: Case) -> None:
    """The validation split contains neither test rows nor histories of held-out test users."""
    for split in case.splits:
        inner = split.validation
        train = row_numbers(split.train)
        if train is None or inner is None:
            continue
        parts: dict[str, Dataset | Interactions] = {
            "train": inner.train,
            "test": inner.test,
            "histories": inner.queries.log,
        }
        for name, part in parts.items():
            if (rows := row_numbers(part)) is not None:
                outside = np.setdiff1d(rows, train)
                expect(not len(outside), f"the {name} of validation hold {len(outside)} rows that train has not")


def targets_are_held_out_rows(case: Case) -> None:
    """What is looked for is an item of a test row of the user who asks, with that row's value."""
    for split in case.levels:
        test, found = split.test, split.target.tocoo()
        held = set(zip(test.users.tolist(), test.items.tolist(), _comparable(test.values)))
        wanted = zip(split.queries.users[found.row].tolist(), found.col.tolist(), _comparable(found.data))
        strange = [one for one in wanted if one not in held]
        expect(not strange, f"(user, item, value) {strange[:1]} of the target is in no test row")


def _comparable(values: np.ndarray) -> list[float | None]:
    """Return values in which missing ones compare equal."""
    return [None if np.isnan(value) else value for value in values.tolist()]


def histories_are_those_of_the_users_who_ask(case: Case) -> None:
    """The history of a query holds rows of its user alone, in time order."""
    for split in case.levels:
        queries, log = split.queries, split.queries.log
        rows, owners = _history_rows(queries)
        expect((log.users[rows] == queries.users[owners]).all(), "a history holds rows of another user")
        if log.timestamps is not None:
            later = (np.diff(log.timestamps[rows]) < 0) & (np.diff(owners) == 0)
            expect(not later.any(), "the rows of a history are not in time order")


def seen_items_are_kept_out_where_asked_for(case: Case) -> None:
    """With `exclude_seen` the items of a query's history are excluded from its list; without, nothing is."""
    for split in case.levels:
        exclude = split.queries.exclude
        if not case.splitter.exclude_seen:
            expect(exclude is None, "queries.exclude must be None with exclude_seen=False")
            continue
        if exclude is None:
            raise AssertionError("queries.exclude must hold the items of histories with exclude_seen=True")
        seen = split.queries.history(values=False)
        expect(overlap(exclude, seen).all(), "an item of a history is not in queries.exclude with exclude_seen=True")


def what_it_says_of_time_holds(case: Case) -> None:
    """`time = "point"`: all that is learned is older than the test; "history": a history is older than its query."""
    claim, times = case.splitter.time, case.dataset.interactions.timestamps
    expect(claim in ("mixed", "history", "point", None), f"time must be mixed, history, point or None (got {claim!r})")
    if times is None or claim not in ("history", "point"):
        return
    for split in case.levels:
        learned, held = split.train.interactions.timestamps, split.test.timestamps
        if claim == "point" and learned is not None and held is not None:
            newest, oldest = learned.max(), held.min()
            expect(newest <= oldest, f"time is point, and train has a row at {newest}, after a test row at {oldest}")
        rows, owners = _history_rows(split.queries)
        shown, asked = split.queries.log.timestamps, split.queries.timestamps
        if shown is None or asked is None:
            raise AssertionError(f"time is {claim}, and queries.timestamps or those of the histories are None")
        late = shown[rows] > asked[owners]
        expect(not late.any(), f"time is {claim}, and {late.sum()} rows of histories are newer than their query")


def the_seed_decides(case: Case) -> None:
    """The same seed gives the same splits: draw only from `self.rng`."""
    again = [split.fingerprint for split in case.splitter.split(case.dataset)]
    expect(again == [split.fingerprint for split in case.splits], "a second call gave other splits; draw from self.rng")


def its_rule_is_plain_data(case: Case) -> None:
    """`rule` is plain data without the seed, equal for comparable runs."""
    rule = case.splitter.rule()
    json.dumps(rule)
    expect("seed" not in rule, "rule() holds the seed; runs of other seeds could not be compared")


def too_little_data_are_refused(case: Case) -> None:
    """A single row cannot be split: the split raises DataError and no other exception."""
    one = case.dataset.take(np.arange(1)).compact()
    try:
        splits = list(case.splitter.split(one))
    except DataError:
        return
    run_checks(case.splitter, [folds_are_different_splits], Case(case.splitter, one, splits))


CHECKS = (
    folds_are_different_splits,
    parts_share_the_codes,
    no_test_row_is_learned,
    validation_is_made_inside_train,
    targets_are_held_out_rows,
    histories_are_those_of_the_users_who_ask,
    seen_items_are_kept_out_where_asked_for,
    what_it_says_of_time_holds,
    the_seed_decides,
    its_rule_is_plain_data,
    too_little_data_are_refused,
)


def _history_rows(queries: Queries) -> tuple[np.ndarray, np.ndarray]:
    """Return the log rows in histories and the query of each, both int64."""
    owners = np.repeat(np.arange(len(queries)), queries.lengths)
    begin = np.cumsum(queries.lengths) - queries.lengths
    return np.arange(len(owners)) - begin[owners] + queries.start[owners], owners
