"""Profiles a file: its columns, counts and statistics, and how to read it."""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recexp import threads
from recexp.data import Dataset
from recexp.data.column import Kind
from recexp.data.event_kinds import Kind as EventKind
from recexp.data.event_kinds import kind_of
from recexp.data.scales import quantity_doubt
from recexp.errors import DataError
from recexp.io import TableFile, numbers, open_table, read_bytes
from recexp.io.cells import NUMBER
from recexp.io.features import infer
from recexp.io.header import Role, letters, listed
from recexp.log_statistics import measure
from recexp.params import Decimal
from recexp.profile import words
from recexp.profile.coded_dataset import coded_dataset
from recexp.profile.dates import Written, moments, written
from recexp.profile.facts import Coded, Facts
from recexp.profile.guess import Look, look, places, roles

if TYPE_CHECKING:
    import pyarrow as pa

_COUNTED: tuple[Role, ...] = ("user", "item", "timestamp", "event", "quantity", "rating", "session")
HEAD = 4 << 20  # bytes of text in which columns are looked at
_NOT_CP1252 = b"\x81\x8d\x8f\x90\x9d"  # the bytes that it has no letters for
_PACKED = (".parquet", ".pq", ".xlsx", ".xlsm")


@dataclass(frozen=True)
class Given:
    """What a person specified about the files; None is guessed. `columns` by role; a column of None is absent."""

    columns: Mapping[Role, str | int | None] = field(default_factory=dict)
    separator: str | None = None
    decimal: Decimal | None = None
    encoding: str | None = None
    time_format: str | None = None
    user_id: str | None = None
    item_id: str | None = None


@dataclass(frozen=True)
class Side:
    """A table of users or items: its id column, the kinds of its columns, and the number of missing ids.

    `negative` has how many prices are below 0, by column.
    """

    path: Path
    id_column: str
    kinds: dict[str, Kind]
    rows: int
    twice: int
    missing: int
    decimals: bool | None
    encoding: str | None
    negative: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """The profile of a file.

    Attributes
    ----------
    header : whether its first line names its columns.
    roles : the column of each role that was found.
    facts : None where there is no user or no item, and so nothing to count.
    times : the format of times; None: there are none, or they are in several formats.
    doubt : why the rating column looks like a quantity, or "".
    sides : tables of users and items.
    price : the column of the log with the price of one item, or None.
    negative_prices : rows whose price is below 0.
    statistics : see `recexp.log_statistics.measure`.
    events : what kind of event each name of the event column means, None: none that is known.
    """

    path: Path
    header: bool
    separator: str | None
    encoding: str | None
    decimal: Decimal
    looks: list[Look]
    roles: dict[Role, str]
    facts: Facts | None
    times: Written | None = None
    doubt: str = ""
    sides: Mapping[Role, Side] = field(default_factory=dict)
    price: str | None = None
    negative_prices: int = 0
    statistics: Mapping[str, float] = field(default_factory=dict)
    events: Mapping[str, EventKind | None] = field(default_factory=dict)


def profile_dataset(dataset: Dataset) -> tuple[Facts, dict[str, float]]:
    """Return counts and statistics of a loaded dataset."""
    return Facts.of_dataset(dataset), measure(dataset)


def profile_file(path: Path, given: Given, *, items: Path | None = None, users: Path | None = None) -> Profile:
    """Profile a file of interactions, and tables of items and users if given.

    Roles and kinds are guessed from its first lines, counts are of all rows. Raises DataError where it cannot be read.
    """
    file, encoding = _open(path, given.separator, given.encoding)
    header = not all(_is_number(name) for name in file.names)
    if not header:
        file, encoding = _open(path, given.separator, given.encoding, header=False)
    head = file.head(HEAD).read()
    looks = [look(name, column) for name, column in zip(head.column_names, head.columns)]
    found = roles(looks, given.columns) if header else places(looks) | roles([], given.columns)
    if absent := [name for name in found.values() if name not in file.names]:
        raise DataError(f"{path}: has no column {listed(absent)}; its columns are {listed(file.names)}")
    profile = Profile(path, header, file.separator, encoding, given.decimal or ".", looks, found, None)
    if not {"user", "item"} <= {*found}:
        return profile
    told = encoding if given.encoding else None
    sides: dict[Role, _Table] = {}
    if users is not None:
        sides["user"] = _side(users, given.user_id, told)
    if items is not None:
        sides["item"] = _side(items, given.item_id, told)
    encoding = encoding or next((side[3] for side in sides.values() if side[3]), None)
    commas = [one.commas for one in looks] + [side[2] for side in sides.values()]
    decimal: Decimal = given.decimal or ("," if True in commas else ".")
    price = next((one.name for one in looks if one.numeric and words.is_price(one.name)), None)
    profile = replace(profile, encoding=encoding, decimal=decimal, price=None if price in found.values() else price)
    return _counted(profile, file, sides, given)


def _counted(profile: Profile, file: TableFile, tables: "dict[Role, _Table]", given: Given) -> Profile:
    """Return the profile with counts over all rows."""
    wanted = [role for role in _COUNTED if role in profile.roles]
    more = [] if profile.price is None else [profile.price]
    found = file.read_coded([*(profile.roles[role] for role in wanted), *more])
    coded = dict(zip(found, threads.call_all([partial(Coded.of, column) for column in found.values()])))
    columns = {role: coded[profile.roles[role]] for role in wanted}
    times, span = None, []
    if "timestamp" in columns:
        cells = columns["timestamp"].known
        times = _written(cells, found[profile.roles["timestamp"]], given)
        span = moments(cells, times.time_format) if times is not None else []
    valued: Role = "quantity" if "quantity" in columns else "rating"
    values = _values(columns[valued], profile.roles[valued], profile) if valued in columns else None
    prices = None if profile.price is None else _values(coded[profile.price], profile.price, profile)
    work: list[Callable[[], Any]] = [
        lambda: measure(coded_dataset(str(profile.path), columns, times, values, prices)),
        lambda: Facts.of(
            columns["user"].codes,
            columns["item"].codes,
            [columns[role].codes for role in ("timestamp", "event") if role in columns],
            span=span,
            values=values,
        ),
    ]
    statistics, facts = threads.call_all(work)
    return replace(
        profile,
        times=times,
        events={name: kind_of(name) for name in _names(columns.get("event"))},
        statistics=statistics,
        negative_prices=0 if prices is None else int((prices < 0).sum()),
        doubt=quantity_doubt(values.astype(np.float32)) if values is not None and "rating" in columns else "",
        facts=facts,
        sides={role: _matched(side, role, columns[role].known, profile) for role, side in tables.items()},
    )


def _names(events: Coded | None) -> list[str]:
    """Return the names of the events."""
    return [] if events is None else events.known.to_pylist()


def _values(column: Coded, name: str, profile: Profile) -> np.ndarray:
    """Return the numbers of all rows, NaN where there is none or a cell is no number in the end."""
    try:
        known = numbers(column.known, str(profile.path), profile.decimal)
    except DataError as error:
        cell = str(error).rpartition(": ")[2]
        raise DataError(f"{profile.path}: column {name} has cells that are not numbers: {cell}") from None
    return np.append(known, np.nan)[column.codes]


def _written(cells: "pa.Array", column: "pa.ChunkedArray | pa.DictionaryArray", given: Given) -> Written | None:
    import pyarrow as pa

    if given.time_format is not None:
        return Written(given.time_format)
    kind = column.type
    if pa.types.is_temporal(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return Written()
    first = column.slice(0, 100_000).drop_null()
    if isinstance(first, pa.DictionaryArray):
        return written(cells, first.dictionary_decode())
    return written(cells, first.combine_chunks() if isinstance(first, pa.ChunkedArray) else first)


_Table = tuple[Path, "pa.Table", bool | None, str | None, str | None]
"""A side table as it was read: where from, its decimal commas, encoding, and the column of ids that a person named."""


def _side(path: Path, id_column: str | None, encoding: str | None) -> _Table:
    file, encoding = _open(path, None, encoding)
    table = file.read()
    commas = [look(name, column).commas for name, column in zip(table.column_names, table.columns)]
    return path, table, (True if True in commas else None if None in commas else False), encoding, id_column


def _matched(side: _Table, role: Role, known: "pa.Array", profile: Profile) -> Side:
    """Find the column of a side table that has the log's ids: named as in the log, or that with most of them."""
    import pyarrow.compute as pc

    path, table, decimals, encoding, named = side
    coded = {name: Coded.of(column) for name, column in zip(table.column_names, table.columns)}
    same = next((name for name in coded if letters(name) == letters(profile.roles[role])), None)
    shared = {name: pc.sum(pc.is_in(known, column.known)).as_py() or 0 for name, column in coded.items()}
    best = named or same or max(shared, key=lambda name: (shared[name], words.score(role, name)))
    if best not in coded:
        raise DataError(f"{path}: has no column {best}; its columns are {listed(coded)}")
    kinds: dict[str, Kind] = {}
    for name, column in zip(table.column_names, table.columns):
        if name != best:
            kind = infer(column, name, profile.decimal)
            if kind == "numeric" and words.is_price(name):
                kind = "price"
            elif kind == "category" and words.is_title(name) and 2 * len(coded[name].known) > len(table):
                kind = "text"
            kinds[name] = kind
    twice = len(table) - len(coded[best].known)
    priced = {name: _values(coded[name], name, replace(profile, path=path)) for name in kinds if kinds[name] == "price"}
    negative = {name: int(n) for name, prices in priced.items() if (n := (prices < 0).sum())}
    return Side(path, best, kinds, len(table), twice, len(known) - shared[best], decimals, encoding, negative)


def _open(
    path: Path, separator: str | None, encoding: str | None, *, header: bool = True
) -> tuple[TableFile, str | None]:
    """Return a file and how its text is encoded; None: nothing tells."""
    packed = Path(path.name.removesuffix(".gz")).suffix.lower() in _PACKED
    data = None if packed else read_bytes(path)
    encoding = encoding or (None if data is None else _encoding(data))
    return open_table(path, separator=separator, encoding=encoding, header=header, data=data), encoding


def _encoding(data: bytes) -> str | None:
    """Return how text is encoded; None: nothing in it tells."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in data[:4096]:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    if data.isascii():
        return None
    if _is_utf8(data):
        return "utf-8"
    return "latin-1" if any(byte in data for byte in _NOT_CP1252) else "cp1252"


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), HEAD):
            decoder.decode(data[start : start + HEAD])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_number(name: str) -> bool:
    return re.match(NUMBER, name.strip()) is not None
