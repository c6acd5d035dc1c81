"""The tables of a run, written and read: values of units and lists as parquet for code, small csv for the eye."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import numpy as np
import yaml

from recexp import file_names
from recexp.data import Column, Interactions
from recexp.errors import DataError, one_line
from recexp.evaluation.slices import Slice
from recexp.io import from_numpy, to_numpy
from recexp.metric_names import bare
from recexp.ranking import Lists
from recexp.spreadsheets import as_meant, harmless

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
P = ParamSpec("P")

SAMPLE = 200
"""Rows in the small tables."""
QUERY_COLUMNS = ("query", "user_id", "history", "held_out")
"""Columns of per_user.parquet that are not metrics."""


def write_lists(
    folder: Path, *, users: np.ndarray, user_ids: np.ndarray, item_ids: np.ndarray, lists: Lists, hits: np.ndarray
) -> None:
    """Write lists.parquet: query, user_id, rank, item_id, score, hit; and the first few as lists_sample.csv.

    Parameters
    ----------
    users : int32 (b,), the user codes of the queries, -1 where unknown.
    user_ids, item_ids : original ids by code.
    lists : b lists.
    hits : bool (b, k), which of the listed items are relevant.
    """
    import pyarrow as pa

    b, k = lists.items.shape
    listed = (lists.items >= 0).ravel()
    query = np.repeat(np.arange(b, dtype=np.int32), k)[listed]
    items = lists.items.ravel()[listed]
    table = pa.table(
        {
            "query": from_numpy(query),
            "user_id": ids_of(user_ids, users[query]),
            "rank": from_numpy(np.tile(np.arange(1, k + 1, dtype=np.int32), b)[listed]),
            "item_id": ids_of(item_ids, items),
            "score": from_numpy(lists.scores.ravel()[listed]),
            "hit": from_numpy(hits.ravel()[listed]),
        }
    )
    _write(table, folder / file_names.LISTS)
    _write_csv(table.slice(0, SAMPLE), folder / file_names.LISTS_SAMPLE)


def write_units(
    folder: Path,
    unit: str,
    ids: "np.ndarray | pa.Array",
    values: Mapping[str, np.ndarray],
    *,
    about: Mapping[str, np.ndarray],
) -> None:
    """Write per_UNIT.parquet, a row a unit: UNIT_id, what it is `about`, all values; and an even sample as csv.

    Parameters
    ----------
    unit : what a row is of: user, episode.
    ids : (n,), equal ids are one unit in paired tests; null where unknown.
    values : float64 (n,) by metric.
    about : int64 (n,) by name of a column.
    """
    import pyarrow as pa

    ids = from_numpy(ids) if isinstance(ids, np.ndarray) else ids
    columns = {f"{unit}_id": ids, **{name: from_numpy(column) for name, column in about.items()}}
    table = pa.table({**columns, **{name: from_numpy(column) for name, column in values.items()}})
    _write(table, folder / file_names.per_unit(unit))
    sample = np.unique(np.linspace(0, len(ids) - 1, SAMPLE).astype(np.int64))
    rows = from_numpy(sample)
    shown = {name: from_numpy(np.round(column[sample], 4)) for name, column in values.items()}
    small = pa.table({**{name: column.take(rows) for name, column in columns.items()}, **shown})
    _write_csv(small, folder / file_names.per_unit_sample(unit))


def write_predictions(
    folder: Path, rows: Interactions, predicted: np.ndarray, *, user_ids: np.ndarray, item_ids: np.ndarray
) -> None:
    """Write predictions.parquet: user_id, item_id, rating and predicted, float32 (m,), of each held-out row."""
    import pyarrow as pa

    users, items = ids_of(user_ids, rows.users), ids_of(item_ids, rows.items)
    ratings = {"rating": from_numpy(rows.values), "predicted": from_numpy(predicted)}
    table = pa.table({"user_id": users, "item_id": items, **ratings})
    _write(table, folder / file_names.PREDICTIONS)


def write_columns(path: Path, columns: Mapping[str, np.ndarray | Column]) -> None:
    """Write arrays and columns of one length as a parquet table; categories are written by their names."""
    import pyarrow as pa

    arrays = {
        name: _dictionary(column) if isinstance(column, Column) and column.categories else from_numpy(_plain(column))
        for name, column in columns.items()
    }
    _write(pa.table(arrays), path)


def _plain(column: np.ndarray | Column) -> np.ndarray:
    return column.values if isinstance(column, Column) else column


def _dictionary(column: Column) -> "pa.Array":
    import pyarrow as pa

    codes = from_numpy(column.values, column.values < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(column.categories))


def write_slices(folder: Path, slices: Sequence[Slice]) -> None:
    """Write slices.csv: each metric by group of users or items, with its interval."""
    names = ("slice", "group", "size", "metric", "value", "low", "high")
    _write_rows(folder / file_names.SLICES, names, ([getattr(row, name) for name in names] for row in slices))


def write_metrics(
    folder: Path,
    metrics: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    higher_is_better: Mapping[str, bool | None],
) -> None:
    """Write metrics.csv: name, value, low, high, higher_is_better; what a metric does not have is empty.

    `higher_is_better` is by names without part and cut-off.
    """
    marks = {True: "true", False: "false", None: ""}
    rows = (
        (name, value, *intervals.get(name, ("", "")), marks[higher_is_better.get(bare(name))])
        for name, value in metrics.items()
    )
    _write_rows(folder / file_names.METRICS, ("metric", "value", "low", "high", "higher_is_better"), rows)


def as_yaml(content: Mapping[str, object]) -> str:
    """Return plain content as YAML, keys in the order given."""
    return yaml.dump(content, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False)  # libyaml's


def _reader(read: Callable[Concatenate[Path, P], T]) -> Callable[Concatenate[Path, P], T]:
    """Let a function that reads a run's file raise DataError where the file does not hold what it should."""

    @wraps(read)
    def translated(path: Path, *arguments: P.args, **options: P.kwargs) -> T:
        try:
            return read(path, *arguments, **options)
        except (ValueError, TypeError, LookupError, BufferError, OverflowError, csv.Error) as error:
            raise DataError(f"{path} is damaged: {type(error).__name__}: {one_line(error)}") from error

    return translated


def read_parquet(path: Path, columns: list[str] | None = None) -> "pa.Table":
    """Return a table of a run. Raises DataError when it is damaged."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(path, columns=columns)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError(f"{path} is damaged: {one_line(error)}") from error


@_reader
def read_lists(path: Path, *, item_ids: np.ndarray, queries: int, k: int) -> Lists:
    """Return the first k items of each of as many lists of a lists.parquet, as codes of `item_ids`.

    Raises DataError when the file holds other queries, or items that are unknown.
    """
    import pyarrow.compute as pc

    table = read_parquet(path, ["query", "rank", "item_id", "score"])
    codes = pc.index_in(table["item_id"], value_set=from_numpy(item_ids))
    query, rank = to_numpy(table["query"]), to_numpy(table["rank"])
    if codes.null_count or (len(query) and query.max() >= queries):
        raise DataError(f"{path.name} does not match: it has items or queries that the split does not have")
    lists, kept = Lists.empty(queries, k), rank <= k
    cells = query[kept], rank[kept] - 1
    lists.items[cells], lists.scores[cells] = to_numpy(codes)[kept], to_numpy(table["score"])[kept]
    return lists


@_reader
def read_user_values(path: Path) -> dict[str, np.ndarray]:
    """Return the list metrics of a per_user.parquet, float64 (b,) by name."""
    table = read_parquet(path)
    return {name: to_numpy(table[name]) for name in table.column_names if name not in QUERY_COLUMNS}


@_reader
def read_predictions(path: Path) -> np.ndarray:
    """Return the predicted ratings of a predictions.parquet, float32 (m,)."""
    return to_numpy(read_parquet(path, ["predicted"])["predicted"])


@_reader
def read_slices(path: Path) -> list[Slice]:
    """Return the rows of a slices.csv."""
    return [
        Slice(
            row["slice"],
            row["group"],
            int(row["size"]),
            row["metric"],
            *(float(row[name]) for name in ("value", "low", "high")),
        )
        for row in _read_rows(path)
    ]


@_reader
def read_metrics(path: Path) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Return the values and intervals of a metrics.csv by full name."""
    rows = _read_rows(path)
    values = {row["metric"]: float(row["value"]) for row in rows}
    return values, {row["metric"]: (float(row["low"]), float(row["high"])) for row in rows if row["low"]}


@_reader
def read_directions(path: Path) -> dict[str, bool | None]:
    """Return which way the metrics of a metrics.csv improve, by full name in the order of the file; None: unknown."""
    marks = {"true": True, "false": False}
    return {row["metric"]: marks.get(row.get("higher_is_better") or "") for row in _read_rows(path)}


def _read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: as_meant(cell or "") for name, cell in row.items()} for row in csv.DictReader(file)]


def ids_of(ids: np.ndarray, codes: np.ndarray) -> "pa.Array":
    """Return original ids of codes; null for -1."""
    return from_numpy(ids).take(from_numpy(codes, codes < 0))


def _write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([harmless(cell) for cell in row] for row in rows)


def _write(table: "pa.Table", path: Path) -> None:
    from pyarrow import parquet

    parquet.write_table(table, path, compression="zstd")


def _write_csv(table: "pa.Table", path: Path) -> None:
    import pyarrow as pa
    from pyarrow.csv import WriteOptions, write_csv

    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            cells = [harmless(cell) for cell in table[field.name].to_pylist()]
            table = table.set_column(at, field.name, pa.array(cells, field.type))
    write_csv(table, path, WriteOptions(quoting_style="needed"))
