"""Side tables: one row a user or item, each column of a stated or inferred kind."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recexp.data.column import Column, Kind
from recexp.errors import DataError
from recexp.io.cells import category, names, numbers, plain, trimmed, with_points, written_numbers
from recexp.io.header import find_column, listed
from recexp.io.id_cells import ids
from recexp.io.tables import open_table, readable
from recexp.params import Decimal

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

RECBOLE: Mapping[str, Kind] = {"token": "category", "token_seq": "multi_category", "float": "numeric"}
"""Kinds of RecBole's types; float_seq has no counterpart."""


@dataclass(frozen=True)
class Features:
    """What is known of some users or items: `ids` (n,), each once, and columns of n rows by name."""

    ids: np.ndarray
    columns: Mapping[str, Column]


def read_features(
    path: Path,
    *,
    id_column: str,
    kinds: Mapping[str, Kind] | None,
    separator: str | None,
    typed_header: bool = False,
    decimal: Decimal = ".",
    encoding: str | None = None,
) -> Features:
    """Read a side table.

    Parameters
    ----------
    path : one row a user or item; see `read_table`.
    id_column : the column of ids.
    kinds : the columns to take and their kinds; None: all, their kinds inferred and logged.
    separator : what separates columns of text; None: guessed.
    typed_header : whether the header names kinds as RecBole does, `year:float`; what it names is not inferred.
    decimal : the decimal sign of numbers that are text.
    encoding : see `open_table`.

    Raises
    ------
    DataError : a column is missing, an id is empty or comes twice, or a cell does not fit its kind.
    """
    file = open_table(path, separator=separator, quotes=not typed_header, encoding=encoding)
    called = {stored: stored.partition(":")[0] if typed_header else stored for stored in file.names}
    types = {name: stored.partition(":")[2] for stored, name in called.items()}
    id_column = find_column([*called.values()], id_column, str(path)) or id_column
    table = file.read(whole=[stored for stored, name in called.items() if name == id_column])
    table = table.rename_columns([called[stored] for stored in table.column_names])
    return parse_features(table, path, id_column=id_column, kinds=kinds, types=types, decimal=decimal)


def parse_features(
    table: "pa.Table",
    path: Path | str,
    *,
    id_column: str,
    kinds: Mapping[str, Kind] | None,
    types: Mapping[str, str] | None = None,
    decimal: Decimal = ".",
) -> Features:
    """Return the side table that a table holds; `path` says where it came from, `types` are RecBole's by column, the
    rest as for `read_features`.
    """
    types, columns = types or {}, by_name(table)
    id_column = find_column(list(columns), id_column, str(path)) or id_column
    refuse_absent(columns, path, id_column)
    with readable(path):
        owners = ids(columns[id_column], f"{path}: column {id_column}")
        first = np.unique(owners.codes, return_index=True)[1]
        if len(first) < len(owners):
            row = int(np.setdiff1d(np.arange(len(owners)), first)[0])
            raise DataError(f"{path}: column {id_column}: row {row + 1}: {owners[row]} already has a row")
        if kinds is None:
            chosen = [name for name in columns if name != id_column and types.get(name) != "float_seq"]
            kinds = {name: RECBOLE.get(types.get(name, "")) or infer(columns[name], name, decimal) for name in chosen}
            log.info("%s: %s", path, listed([f"{name}: {kind}" for name, kind in kinds.items()]))
        found = {name: typed(columns, name, kind, path, decimal) for name, kind in kinds.items()}
        return Features(owners.values, found)


def by_name(table: "pa.Table") -> dict[str, "pa.ChunkedArray"]:
    """Return the columns of a table by name; a table builds its list of names on each access."""
    return dict(zip(table.column_names, table.columns))


def refuse_absent(columns: Collection[str], path: Path | str, name: str) -> None:
    """Raise DataError unless `name` is among the columns of a table."""
    if name not in columns:
        raise DataError(f"{path}: no column {name!r}; its columns are {listed(columns)}")


def infer(column: "pa.ChunkedArray", name: str, decimal: Decimal = ".") -> Kind:
    """Guess a column's kind: numbers (price if called so), lists and a|b lists, few distinct names, else text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = plain(column)
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        return "multi_category"
    if not pa.types.is_string(values.type):
        return "category" if pa.types.is_boolean(values.type) else _number(name)
    values = trimmed(values).drop_null()
    if not len(values):
        return "category"
    if pc.all(written_numbers(values, decimal)).as_py() and _finite(with_points(values) if decimal == "," else values):
        return _number(name)
    if pc.mean(pc.match_substring(values, "|").cast(pa.float64())).as_py() > 0.1:
        return "multi_category"
    distinct, words = len(values.unique()), pc.mean(pc.count_substring(values, " ")).as_py() + 1
    return "text" if words > 3 or (words > 1.5 and distinct > len(values) / 2) else "category"


def _finite(values: "pa.ChunkedArray | pa.Array") -> bool:
    """Whether numbers written as text are within what floating point holds, which 1e999 is not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(pc.all(pc.is_finite(values.cast(pa.float64()))).as_py())


def _number(name: str) -> Kind:
    return "price" if "price" in name.lower() else "numeric"


def typed(
    columns: Mapping[str, "pa.ChunkedArray"], name: str, kind: Kind, path: Path | str, decimal: Decimal = "."
) -> Column:
    """Return a column as the given kind. Raises DataError when it is missing or holds what the kind cannot."""
    import pyarrow as pa

    refuse_absent(columns, path, name)
    values = plain(columns[name])
    label = f"{path}: column {name}"
    if kind in ("numeric", "price"):
        if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
            values = values.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
        return Column.numeric(numbers(values, label, decimal), kind)
    if kind == "multi_category":
        return Column.multi_category(_lists(values))
    if kind == "category":
        return category(values, label)
    return Column.text(names(values, label).to_pylist())


def _lists(values: "pa.Array") -> list[list[str]]:
    """Lists of names from lists, or from text: separated by | where any cell has one, else by commas where any has one
    and each with a blank does, else by spaces.
    """
    import pyarrow as pa

    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        return [_names(str(name) for name in row or () if name is not None) for row in values.to_pylist()]
    rows = values.cast(pa.string()).to_pylist()
    known = [row.strip() for row in rows if row]
    separator = "|" if any("|" in row for row in known) else None
    if separator is None and any("," in row for row in known) and all("," in row for row in known if " " in row):
        separator = ","
    return [_names((row or "").split(separator)) for row in rows]


def _names(found: Iterable[str]) -> list[str]:
    return [name for name in map(str.strip, found) if name]
