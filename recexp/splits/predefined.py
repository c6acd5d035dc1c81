"""Published splits, given as files."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from recexp.data import Column, Dataset, Interactions, Split
from recexp.data.column import Kind
from recexp.data.listed import joined_ids
from recexp.data.moments import Moment, with_moments
from recexp.data.time_unit import finest
from recexp.errors import DataError, EmptyPartError
from recexp.io import Format, MissingUser, RawLog, Role, exists, lookup, read_bytes, read_log
from recexp.params import Decimal, Encoding, Location, TimeFormat, Undescribed, params
from recexp.splits.base import Splitter, build_split, single

log = logging.getLogger(__name__)

_USUAL = {"decimal": ".", "encoding": None, "missing_user": "refuse"}
"""How files were read before there was a choice: said in the rule only where it is another, so that digests stay."""


@params
class Predefined(Splitter):
    """The dataset's rows are the training set; files hold the held-out rows. Filters apply to train only.

    Rows of users that are not in train are dropped and counted. Items that occur only in the files are added to the
    catalogue with their rows of the items table, for models that read it. Validation rows join train before the test.
    With q and s of anna and r of ben in the test file and q of ben in the validation file::

        time  1  2  3  4  5  6    |  1   2   3   4   5   6
        anna  p  .  r  .  .  .    |  p   .   r   .  [q] [s]
        ben   p  .  .  .  .  .    |  p   .  (q)  .  [r]  .

    With a column of candidates each row is a separate query, whose item is ranked among its candidates.

    Parameters
    ----------
    test, validation : files of held-out rows; validation may be None.
    shown : file of history rows that are not used for training: the history of users who are not in train (strong
        generalization, Given-N), and additional history of those who are. May be None.
    format, columns, separator, time_format, decimal, encoding, missing_user, derive : format of the files; the yaml
        uses that of the dataset.
    """

    test: Location
    validation: Location | None
    shown: Location | None
    format: Format
    columns: dict[Role, str | int | None] | None
    separator: str | None
    time_format: TimeFormat | None
    decimal: Undescribed[Decimal]
    encoding: Undescribed[Encoding | None]
    missing_user: Undescribed[MissingUser]
    derive: Undescribed[list[Moment]]

    def check(self) -> None:
        for name, path in self._paths().items():
            if not exists(path):
                raise DataError(f"split.{name}: no such file: {path}")

    def rule(self) -> dict[str, Any]:
        content = {name: hashlib.sha256(read_bytes(path)).hexdigest() for name, path in self._paths().items()}
        read = {name: getattr(self, name) for name, usual in _USUAL.items() if getattr(self, name) != usual}
        return {**super().rule(), **content, **read}

    def split(self, dataset: Dataset) -> Iterator[Split]:
        self.check()
        kinds = {name: column.kind for name, column in dataset.interactions.context.items()}
        logs = {name: self._read(name, path, kinds) for name, path in self._paths().items()}
        train = _with_items(_in_finest(dataset, logs.values()), list(logs.values()))
        validation, shown = None, None
        if self.shown is not None:
            train = _with_users(train, logs["shown"])
            shown, _ = self._held(logs["shown"], train, "shown", self.shown)
            self._warn(train, shown, "shown")
        if self.validation is not None:
            held, candidates = self._held(logs["validation"], train, "validation", self.validation)
            validation = self._ask("validation", train, shown, held, candidates)
            self._warn(train, held, "validation")
            train = replace(train, interactions=_joined(train.interactions, held, "validation"))
        held, candidates = self._held(logs["test"], train, "test", self.test)
        self._warn(train, held, "test")
        yield replace(self._ask("test", train, shown, held, candidates), validation=validation)

    def _warn(self, train: Dataset, held: Interactions, name: str) -> None:
        if held.explicit and not train.interactions.explicit:
            log.warning(
                "split.%s has ratings and train has none after its filters: all rows count as positive, whatever their "
                "rating, unless evaluation.relevant_from says otherwise",
                name,
            )

    def _paths(self) -> dict[str, Path]:
        paths = {"test": self.test, "validation": self.validation, "shown": self.shown}
        return {name: Path(path).expanduser() for name, path in paths.items() if path is not None}

    def _read(self, name: str, path: Path, context: Mapping[str, Kind]) -> RawLog:
        """Read a file, with those of the data's context columns that it has; the `shown` file has no candidates."""
        columns = {**(self.columns or {}), "candidates": None} if name == "shown" else self.columns
        raw = read_log(
            path,
            columns=columns,
            separator=self.separator,
            time_format=self.time_format,
            format=self.format,
            context=context,
            context_required=False,
            decimal=self.decimal,
            encoding=self.encoding,
            missing_user=self.missing_user,
        )
        return replace(raw, context={name: column for name, column in raw.context.items() if name in context})

    def _held(self, raw: RawLog, train: Dataset, name: str, path: str) -> tuple[Interactions, sp.csr_array | None]:
        rows, candidates = _coded(raw, train, name, path)
        return (with_moments(rows, self.derive, path) if self.derive else rows), candidates

    def _ask(
        self,
        name: str,
        train: Dataset,
        shown: Interactions | None,
        held: Interactions,
        candidates: sp.csr_array | None,
    ) -> Split:
        known = train.interactions if shown is None else _joined(train.interactions, shown, "shown")
        return build_split(name, train, known, held, exclude_seen=self.exclude_seen, candidates=candidates)


def _with_items(dataset: Dataset, logs: list[RawLog]) -> Dataset:
    """Return the dataset with codes for the items that occur only in `logs`, and their rows of the items table."""
    found = [raw.items for raw in logs] + [raw.candidates.ids for raw in logs if raw.candidates is not None]
    ids = dataset.item_ids
    for more in found:
        ids = joined_ids(ids, more.known[lookup(more.known, ids) < 0])
    new = ids[dataset.n_items :]
    if not len(new):
        return dataset
    at = np.full(len(new), -1) if dataset.listed is None else lookup(new, dataset.listed.ids)
    known = f", {(at >= 0).sum()} of them with features from the items table" if dataset.items else ""
    log.info("%d items are not in train and join the catalog%s", len(new), known)
    return dataset.joined(new, at)


def _with_users(dataset: Dataset, raw: RawLog) -> Dataset:
    """Return the dataset with codes for the users that occur only in `raw`, and their rows of the users table."""
    new = raw.users.known[lookup(raw.users.known, dataset.user_ids) < 0]
    if not len(new):
        return dataset
    at = np.full(len(new), -1) if dataset.listed_users is None else lookup(new, dataset.listed_users.ids)
    known = f", {(at >= 0).sum()} of them with features from the users table" if dataset.users else ""
    log.info("%d users are not in train and are evaluated from their rows in split.shown%s", len(new), known)
    return dataset.joined_users(new, at)


def _in_finest(dataset: Dataset, logs: Iterable[RawLog]) -> Dataset:
    """Return the dataset with its times in a unit that can also represent those of `logs`."""
    rows = dataset.interactions
    unit = finest([rows.time_unit, *(raw.time_unit for raw in logs if raw.timestamps is not None)])
    return dataset if unit == rows.time_unit else replace(dataset, interactions=rows.with_unit(unit))


def _coded(raw: RawLog, train: Dataset, name: str, path: str) -> tuple[Interactions, sp.csr_array | None]:
    """Return the rows of known users in the codes of `train`, and the candidates of each row or None."""
    users, items = raw.users.positions(train.user_ids), raw.items.positions(train.item_ids)
    kept = np.flatnonzero(users >= 0)
    if len(kept) < len(raw):
        n, unknown = len(raw.users.known), int((lookup(raw.users.known, train.user_ids) < 0).sum())
        if not len(kept):
            raise EmptyPartError(
                f"none of the {n} {name} users in {path} occurs in the training data; set split.shown to a file of "
                "their earlier rows"
            )
        dropped = len(raw) - len(kept)
        log.warning(
            "%s: %d of %d users do not occur in train; their %d rows are dropped; set split.shown to a file of "
            "their earlier rows",
            *(path, unknown, n, dropped),
        )
    rows = Interactions(
        users=users[kept],
        items=items[kept],
        values=np.ones(len(kept), np.float32) if raw.values is None else raw.values[kept],
        n_users=train.n_users,
        n_items=train.n_items,
        timestamps=None if raw.timestamps is None else raw.timestamps[kept],
        events=None if raw.events is None else raw.events.take(kept),
        context={name: column.take(kept) for name, column in raw.context.items()},
        explicit=raw.values is not None and not raw.quantities,
        time_unit=raw.time_unit,
    ).with_unit(train.interactions.time_unit)
    if raw.candidates is None:
        if repeated := len(rows) - rows.csr(values=False).nnz:
            log.warning("%s: %d rows repeat a user and item, and are counted once", path, repeated)
        return rows, None
    empty = np.flatnonzero(np.diff(raw.candidates.offsets) == 0)
    if len(empty):
        raise DataError(f"{path}: {len(empty)} rows list no candidates, the first is row {empty[0] + 1}")
    codes = raw.candidates.ids.positions(train.item_ids)
    ones = np.ones(len(codes), np.float32)
    listed = sp.csr_array((ones, codes, raw.candidates.offsets), shape=(len(raw), train.n_items))
    return rows, (listed[kept] + single(rows.items, np.ones(len(kept), np.float32), train.n_items))


def _joined(train: Interactions, more: Interactions, name: str) -> Interactions:
    """Return `train` followed by `more`, keeping the times, events and context columns that both have.

    If every train row has the value 1, so do the new rows; if only train has ratings, the new rows have none.
    """
    values = more.values
    if train.explicit and not more.explicit:
        values = np.full(len(more), np.nan, np.float32)
    elif (train.values == 1).all():
        values = np.ones(len(more), np.float32)
    times = None
    if train.timestamps is not None and more.timestamps is not None:
        times = np.concatenate([train.timestamps, more.timestamps])
    elif train.timestamps is not None:
        log.warning("%s rows have no times; in the test, train and %s rows are in file order", name, name)
    events = None
    if train.events is not None and more.events is not None:
        events = Column.category([*_names(train.events), *_names(more.events)])
    context = {
        name: _followed(column, more.context[name]) for name, column in train.context.items() if name in more.context
    }
    return Interactions(
        users=np.concatenate([train.users, more.users]),
        items=np.concatenate([train.items, more.items]),
        values=np.concatenate([train.values, values]),
        n_users=train.n_users,
        n_items=train.n_items,
        timestamps=times,
        events=events,
        context=context,
        explicit=train.explicit,
        time_unit=train.time_unit,
    )


def _names(column: Column) -> list[str]:
    return [*np.array([*column.categories, ""], dtype=object)[column.values]]


def _followed(first: Column, second: Column) -> Column:
    """Return the concatenation of two columns of the same kind; their categories may differ."""
    names = tuple(sorted({*first.categories, *second.categories}))
    return _in_terms_of(names, first).followed_by(_in_terms_of(names, second))


def _in_terms_of(names: tuple[str, ...], column: Column) -> Column:
    """Return the column with `names` as its categories; `names` includes all of its own."""
    if column.kind not in ("category", "multi_category"):
        return column
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([*(place[name] for name in column.categories), -1], np.int32)
    return replace(column, values=codes[column.values], categories=names)
