"""Codes DataFrames in memory the same way as `dataset=files` codes the same rows in csv files."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from recexp.data.column import Kind
from recexp.errors import ConfigError, DataError, unknown
from recexp.io.coded_log import CodedLog, code_log
from recexp.io.duplicates import refuse_duplicates
from recexp.io.features import Features, parse_features
from recexp.io.header import COLUMNS, Columns, Role, find_column, find_columns
from recexp.io.id_cells import ids
from recexp.io.links import linked
from recexp.io.log import parse_columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ROLES: Mapping[Role, str | None] = {
    **{role: None if role == "fold" else name for role, name in COLUMNS.items() if role != "candidates"},
    "quantity": None,
}
"""Where each thing is looked for unless told otherwise, as in conf/dataset/files.yaml."""

_OF_IDS: tuple[Role, ...] = ("user", "item", "session")


def code_frame(
    frame: "pd.DataFrame",
    items: "pd.DataFrame | None",
    users: "pd.DataFrame | None",
    *,
    links: "pd.DataFrame | None",
    name: str,
    columns: Mapping[str, str | None] | None,
    context: Mapping[str, Kind] | None,
    explicit: bool,
    duplicates: Literal["refuse", "keep"],
    user_features: Mapping[str, Kind] | None,
    item_features: Mapping[str, Kind] | None,
) -> CodedLog:
    """Return the coded rows and side tables that frames hold; see `Dataset.from_frame`."""
    if strange := [unknown("columns", role, list(ROLES)) for role in columns or {} if role not in ROLES]:
        raise ConfigError("\n".join(strange))
    roles = cast(Columns, {**ROLES, **(columns or {})})
    kinds = dict(context or {})
    _refuse_other(frame, name)
    key = "name it: Dataset.from_frame(..., columns={{{role!r}: ...}})"
    found = find_columns([*map(str, frame.columns)], roles, name, kinds, key=key)
    wanted = [*found.values(), *kinds]
    whole = [found[role] for role in _OF_IDS if role in found]
    table = _table(frame, name, wanted, numbers=found.get("rating", found.get("quantity")), whole=whole)
    raw = parse_columns(table, name, found, time_format=None, context=kinds)
    if duplicates == "refuse":
        refuse_duplicates(raw, name, keep='duplicates="keep"')
    coded = code_log(
        raw,
        explicit=explicit,
        users=_features(users, f"{name}, users", str(roles["user"]), user_features),
        items=_features(items, f"{name}, items", str(roles["item"]), item_features),
    )
    return coded if links is None else coded._replace(links=_links(links, f"{name}, links", coded.user_ids))


def _links(frame: "pd.DataFrame", label: str, users: np.ndarray) -> np.ndarray:
    """Return the links that the first two columns of a frame hold, int32 (l, 2)."""
    _refuse_other(frame, label)
    if len(frame.columns) < 2:
        raise DataError(f"{label}: are pairs of users in two columns (got {', '.join(map(str, frame.columns))})")
    pair = [*map(str, frame.columns[:2])]
    table = _table(frame, label, pair, whole=pair)
    return linked([ids(table[column], f"{label}: column {column}") for column in pair], users, label)


def _features(
    frame: "pd.DataFrame | None", label: str, id_column: str, kinds: Mapping[str, Kind] | None
) -> Features | None:
    if frame is None:
        return None
    _refuse_other(frame, label)
    own = find_column([*map(str, frame.columns)], id_column, label)
    if own is None and (own := find_column([*map(str, frame.index.names)], id_column, label)):
        frame = frame.assign(**{own: frame.index.get_level_values(own)})  # reset_index makes floats of objects
    own = own or id_column
    return parse_features(_table(frame, label, whole=[own]), label, id_column=own, kinds=kinds)


def _refuse_other(frame: object, label: str) -> None:
    """Raise DataError unless `frame` is a DataFrame with rows."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{label}: must be a pandas DataFrame (got {type(frame).__name__})")
    if not len(frame):
        raise DataError(f"{label}: has no rows")


def _table(
    frame: "pd.DataFrame",
    label: str,
    wanted: Collection[str] | None = None,
    *,
    numbers: str | None = None,
    whole: Collection[str] = (),
) -> "pa.Table":
    """Return columns of a frame, all or those `wanted` that it has, as a table.

    Booleans are text but in `numbers`. Objects in `whole` that are whole numbers stay so, of whatever type.
    """
    import pyarrow as pa

    _refuse_other(frame, label)
    names = [name for name in frame.columns if wanted is None or str(name) in wanted]
    if twice := {str(name) for name in names if names.count(name) > 1}:
        raise DataError(f"{label}: two columns are called {', '.join(sorted(twice))}")
    columns = {str(name): frame[name] for name in names}
    columns = {name: _exact(column) if name in whole else column for name, column in columns.items()}
    return pa.table({name: _column(col, name != numbers, f"{label}: column {name}") for name, col in columns.items()})


def _exact(column: "pd.Series") -> "pd.Series":
    """Return ids that are objects as int where they are whole floats, as text where one is beyond int64.

    Arrow would make floats of integers and floats in one column, which merges neighbors.
    """
    if column.dtype != object or not column.map(lambda cell: isinstance(cell, Real | Decimal)).any():
        return column
    cells = column.map(lambda cell: int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
    if cells.map(lambda cell: isinstance(cell, Integral) and not -(2**63) <= int(cell) < 2**63).any():
        cells = cells.map(lambda cell: str(cell) if isinstance(cell, Real | Decimal) and cell == cell else cell)
    return cells


def _column(column: "pd.Series", as_text: bool, label: str) -> "pa.Array | pa.ChunkedArray":
    import pandas as pd
    import pyarrow as pa

    if as_text and pd.api.types.is_bool_dtype(column):
        column = column.astype("string")  # True, as it is written to csv
    elif isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert(None)  # UTC
    elif column.dtype == object:
        column = column.map(lambda cell: sorted(cell) if isinstance(cell, set | frozenset) else cell)
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, OverflowError) as error:
        kinds = ", ".join(sorted({type(cell).__name__ for cell in column}))
        kinds = "integers beyond 64 bits among its" if isinstance(error, OverflowError) else kinds
        raise DataError(f"{label}: holds {kinds} values; expected numbers, text, times or lists of text") from error
