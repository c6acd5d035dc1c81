"""DataFrames in memory, coded as `dataset=files` codes the same rows in csv files."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from recexp.data.column import Kind
from recexp.errors import ConfigError, DataError, unknown
from recexp.io.coded_log import CodedLog, code_log
from recexp.io.features import Features, parse_features
from recexp.io.log import COLUMNS, Columns, Role, parse_log, refuse_duplicates

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ROLES: Mapping[Role, str | None] = {
    role: None if role == "fold" else name for role, name in COLUMNS.items() if role != "candidates"
}
"""Where each thing is looked for unless told otherwise, as in conf/dataset/files.yaml."""


def code_frame(
    frame: "pd.DataFrame",
    items: "pd.DataFrame | None",
    users: "pd.DataFrame | None",
    *,
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
    named = [found for found in roles.values() if found is not None]
    table = _table(frame, name, [*named, *kinds], numbers=roles["rating"])
    for role in ("user", "item"):
        if roles[role] not in table.column_names:
            raise DataError(
                f"{name}: no {role} column {roles[role]!r}; its columns are {', '.join(map(str, frame.columns))} "
                f"(name it: Dataset.from_frame(..., columns={{{role!r}: ...}}))"
            )
    raw = parse_log(table, name, columns=roles, time_format=None, context=kinds)
    if duplicates == "refuse":
        refuse_duplicates(raw, name, keep='duplicates="keep"')
    return code_log(
        raw,
        explicit=explicit,
        users=_features(users, f"{name}, users", str(roles["user"]), user_features),
        items=_features(items, f"{name}, items", str(roles["item"]), item_features),
    )


def _features(
    frame: "pd.DataFrame | None", label: str, id_column: str, kinds: Mapping[str, Kind] | None
) -> Features | None:
    if frame is None:
        return None
    if id_column in getattr(frame.index, "names", ()):
        frame = frame.reset_index(id_column)
    return parse_features(_table(frame, label), label, id_column=id_column, kinds=kinds)


def _table(
    frame: "pd.DataFrame", label: str, wanted: Collection[Any] | None = None, *, numbers: object = None
) -> "pa.Table":
    """Return columns of a frame, all or those `wanted` that it has, as a table; booleans are text but in `numbers`."""
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{label}: must be a pandas DataFrame (got {type(frame).__name__})")
    if not len(frame):
        raise DataError(f"{label}: has no rows")
    names = [name for name in frame.columns if wanted is None or name in wanted]
    if twice := {str(name) for name in names if names.count(name) > 1}:
        raise DataError(f"{label}: two columns are called {', '.join(sorted(twice))}")
    return pa.table({str(name): _column(frame[name], name != numbers, f"{label}: column {name}") for name in names})


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
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        kinds = ", ".join(sorted({type(cell).__name__ for cell in column}))
        raise DataError(f"{label}: holds {kinds} values; expected numbers, text, times or lists of text") from error
