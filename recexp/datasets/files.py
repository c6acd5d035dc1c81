"""The user's own files, and the usual formats of the field."""

import logging
from pathlib import Path
from typing import Literal

import numpy as np

from recexp.data import Dataset
from recexp.data.column import Kind
from recexp.data.moments import Moment, derived
from recexp.data.scales import quantity_doubt
from recexp.datasets.base import Source
from recexp.errors import DataError
from recexp.io import (
    Features,
    Format,
    MissingUser,
    Role,
    check_file,
    code_log,
    exists,
    in_file_order,
    read_features,
    read_links,
    read_log,
    refuse_duplicates,
)
from recexp.params import Decimal, Encoding, Location, TimeFormat, params

log = logging.getLogger(__name__)


@params
class Files(Source):
    """A file of interactions, and tables of users and items if there are any.

    csv, tsv, parquet, json lines, xlsx (its first sheet), by their endings; `.gz` of them; or a member of an archive,
    `data.zip/ratings.csv`.

    Parameters
    ----------
    interactions : the file of interactions.
    users, items : side tables, one row a user or item.
    links : pairs of users in the first two columns: the first trusts, follows or knows the second. Links of users
        without interactions are left out and counted.
    user_id, item_id : what their columns of ids are called; null: as in `interactions`.
    format : auto: a table with named columns. recbole: atomic files (.user, .item, .net: looked for beside .inter).
        lightgcn: a user and its items a line. session_lines: the items of one session a line.
    columns : what each column is called; null: not read. Ratings, times, events and sessions may be absent under their
        default names, in which case, blanks and signs do not matter (`User ID`). A number is a position, from 0, in a
        file without header line. A quantity is read where its column is named, and is then the value of its row:
        never a rating.
    separator : what separates columns of text; null: guessed from the first line.
    decimal : the decimal sign of numbers written as text, in all files. With a comma, points may part thousands.
    encoding : of all files of text; null: UTF-8, or else Latin-1, with a warning.
    time_format : how times are written (strptime); null: numbers since 1970 (seconds to nanoseconds, all rows in one
        unit) or ISO 8601. Fractions of a second count.
    explicit : whether the rating column holds ratings; false: counts or weights.
    order : time: rows are ordered by their timestamp. file: they have none, and each row's number stands for its time.
    missing_user : refuse or drop, and count, rows without a user, as those of guests.
    duplicates : refuse or keep rows that repeat an earlier one's user, item, time and event.
    context : further columns of `interactions` to keep, and their kinds; null: none.
    derive : context columns made of the times, in UTC: hour, weekday.
    user_features, item_features : columns of the side tables and their kinds; null: all, their kinds inferred.
    """

    interactions: Location
    users: Location | None
    items: Location | None
    links: Location | None
    format: Format
    columns: dict[Role, str | int | None]
    separator: str | None
    decimal: Decimal
    encoding: Encoding | None
    time_format: TimeFormat | None
    explicit: bool
    order: Literal["time", "file"]
    missing_user: MissingUser
    duplicates: Literal["refuse", "keep"]
    context: dict[str, Kind] | None
    derive: list[Moment]
    user_id: str | None
    item_id: str | None
    user_features: dict[str, Kind] | None
    item_features: dict[str, Kind] | None

    def check(self) -> None:
        for field in ("interactions", "users", "items", "links"):
            location = getattr(self, field)
            if location is not None:
                check_file(_path(location), f"dataset.{field}: {location}")
        if self.derive and self.order == "file":
            raise DataError(
                f"dataset.derive: {self.derive[0]} is made of times, and dataset.order=file has row numbers for times"
            )

    def lacks(self) -> frozenset[str]:
        timed = self.format not in ("lightgcn", "session_lines") and self.columns.get("timestamp", "") is not None
        return frozenset() if timed or self.order == "file" else frozenset({"timestamps", "order"})

    def location(self) -> Path | None:
        return _path(self.interactions)

    def files(self) -> dict[str, Path]:
        beside = {"users": (self.users, ".user"), "items": (self.items, ".item"), "links": (self.links, ".net")}
        found = {role: self._path_of(*where) for role, where in beside.items()}
        found["interactions"] = _path(self.interactions)
        return {role: path for role, path in found.items() if path is not None}

    def load(self) -> Dataset:
        self.check()
        path = _path(self.interactions)
        raw = read_log(
            path,
            columns=self.columns,
            separator=self.separator,
            time_format=self.time_format,
            format=self.format,
            context=self.context,
            decimal=self.decimal,
            encoding=self.encoding,
            missing_user=self.missing_user,
        )
        if self.explicit and raw.values is not None and not raw.quantities and (doubt := quantity_doubt(raw.values)):
            log.warning(
                "%s: the values of column %s are read as ratings but look like quantities: %s; "
                "dataset.columns.rating=null dataset.columns.quantity=%s with filter=shop counts them as such",
                *(path, name := self.columns.get("rating"), doubt, name),
            )
        if self.order == "file":
            raw = in_file_order(raw, path)
        elif self.duplicates == "refuse":  # in file order no two rows have the same time
            refuse_duplicates(raw, path)
        users = self._table(self.users, ".user", "user", self.user_id, self.user_features)
        items = self._table(self.items, ".item", "item", self.item_id, self.item_features)
        coded = code_log(raw, explicit=self.explicit, users=users, items=items)
        return derived(Dataset(self.name, *coded._replace(links=self._links(coded.user_ids))), self.derive)

    def _links(self, users: np.ndarray) -> np.ndarray | None:
        path = self._path_of(self.links, ".net")
        if path is None:
            return None
        quotes = self.format != "recbole"
        return read_links(path, users, separator=self.separator, quotes=quotes, encoding=self.encoding)

    def _table(
        self, location: str | None, ending: str, role: Role, id_column: str | None, kinds: dict[str, Kind] | None
    ) -> Features | None:
        path = self._path_of(location, ending)
        if path is None:
            if kinds:
                raise DataError(f"dataset.{role}_features is set, but dataset.{role}s names no table")
            return None
        recbole = self.format == "recbole"
        return read_features(
            path,
            id_column=id_column or str(self.columns[role]),
            kinds=kinds,
            separator=self.separator,
            typed_header=recbole,
            decimal=self.decimal,
            encoding=self.encoding,
        )

    def _path_of(self, location: str | None, ending: str) -> Path | None:
        """Return where a file lies: as given, or with `ending` beside the interactions of RecBole."""
        if location is not None:
            return _path(location)
        beside = _path(self.interactions).with_suffix(ending)
        return beside if self.format == "recbole" and exists(beside) else None


def _path(location: str) -> Path:
    return Path(location).expanduser()
