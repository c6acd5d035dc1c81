"""Side tables: one row a user or item, each column of a stated or inferred kind."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recexp.data.column import Column, Kind
from recexp.errors import DataError
from recexp.io import cells
from recexp.io.reading import read_table

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
    path: Path, *, id_column: str, kinds: Mapping[str, Kind] | None, separator: str | None, typed_header: bool = False
) -> Features:
    """Read a side table.

    Parameters
    ----------
    path : one row a user or item; see `read_table`.
    id_column : the column of ids.
    kinds : the columns to take and their kinds; None: all, their kinds inferred and logged.
    separator : what separates columns of text; None: guessed.
    typed_header : whether the header names kinds as RecBole does, `year:float`; what it names is not inferred.

    Raises
    ------
    DataError : a column is missing, an id is empty or comes twice, or a cell does not fit its kind.
    """
    table = read_table(path, separator=separator, quotes=not typed_header)
    types: dict[str, str] = {}
    if typed_header:
        types = dict(name.split(":") for name in table.column_names if ":" in name)
        table = table.rename_columns([name.split(":")[0] for name in table.column_names])
    return parse_features(table, path, id_column=id_column, kinds=kinds, types=types)


def parse_features(
    table: "pa.Table",
    path: Path | str,
    *,
    id_column: str,
    kinds: Mapping[str, Kind] | None,
    types: Mapping[str, str] | None = None,
) -> Features:
    """Return the side table that a table holds; `path` says where it came from, `types` are RecBole's by column, the
    rest as for `read_features`.
    """
    types = types or {}
    _refuse_absent(table, path, id_column)
    ids = cells.ids(table[id_column], f"{path}: column {id_column}")
    distinct, first = np.unique(ids, return_index=True)
    if len(distinct) < len(ids):
        row = int(np.setdiff1d(np.arange(len(ids)), first)[0])
        raise DataError(f"{path}: column {id_column}: row {row + 1}: {ids[row]} has a row already")
    if kinds is None:
        names = [name for name in table.column_names if name != id_column and types.get(name) != "float_seq"]
        kinds = {name: RECBOLE.get(types.get(name, "")) or infer(table[name], name) for name in names}
        log.info("%s: %s", path, ", ".join(f"{name}: {kind}" for name, kind in kinds.items()))
    return Features(ids, {name: typed(table, name, kind, path) for name, kind in kinds.items()})


def _refuse_absent(table: "pa.Table", path: Path | str, name: str) -> None:
    if name not in table.column_names:
        raise DataError(f"{path}: no column {name!r}; its columns are {', '.join(table.column_names)}")


def infer(column: "pa.ChunkedArray", name: str) -> Kind:
    """Guess a column's kind: numbers (price if called so), lists and a|b lists, few distinct names, else text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = cells.flat(column)
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        return "multi_category"
    if not pa.types.is_string(values.type):
        return "category" if pa.types.is_boolean(values.type) else _number(name)
    values = values.drop_null()
    try:
        values.cast(pa.float64())
        return _number(name) if len(values) else "category"
    except pa.ArrowInvalid:
        pass
    if pc.mean(pc.match_substring(values, "|").cast(pa.float64())).as_py() > 0.1:
        return "multi_category"
    distinct, words = len(values.unique()), pc.mean(pc.count_substring(values, " ")).as_py() + 1
    return "text" if words > 3 or (words > 1.5 and distinct > len(values) / 2) else "category"


def _number(name: str) -> Kind:
    return "price" if "price" in name.lower() else "numeric"


def typed(table: "pa.Table", name: str, kind: Kind, path: Path | str) -> Column:
    """Return a column of the given kind. Raises DataError when it is missing or holds what the kind cannot."""
    import pyarrow as pa

    _refuse_absent(table, path, name)
    values = cells.flat(table[name])
    label = f"{path}: column {name}"
    if kind in ("numeric", "price"):
        if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
            values = values.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
        return Column.numeric(cells.numbers(values, label), kind)
    if kind == "multi_category":
        return Column.multi_category(_lists(values))
    if pa.types.is_nested(values.type):
        raise DataError(f"{label}: holds {values.type} values, which are no {kind}")
    texts = values.cast(pa.string()).to_pylist()
    return Column.category(texts) if kind == "category" else Column.text(texts)


def _lists(values: "pa.Array") -> list[list[str]]:
    """Lists of names from lists, or from text: separated by | where any cell has one, else by spaces."""
    import pyarrow as pa

    rows = values.to_pylist()
    if not pa.types.is_string(values.type):
        return [[str(name) for name in row or ()] for row in rows]
    separator = "|" if any("|" in row for row in rows if row) else None
    return [[name for name in (row or "").split(separator) if name] for row in rows]
