"""The tables of a run: per-user results and lists as parquet for code, small csv tables for the eye."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from recexp.data import Interactions
from recexp.ranking import Lists
from recexp.slices import Slice

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 200
"""Rows in the small tables."""


def hits(lists: Lists, target: sp.csr_array) -> np.ndarray:
    """Return bool (b, k): whether each listed item is in its query's target, CSR (b, n_items)."""
    n_items = target.shape[1]
    rows = np.repeat(np.arange(target.shape[0], dtype=np.int64), np.diff(target.indptr))
    keys = np.arange(len(lists.items), dtype=np.int64)[:, None] * n_items + lists.items
    return np.isin(keys, rows * n_items + target.indices) & (lists.items >= 0)


def write_lists(folder: Path, *, users: np.ndarray, user_ids: np.ndarray, item_ids: np.ndarray, lists: Lists,
                target: sp.csr_array) -> None:  # fmt: skip
    """Write lists.parquet: query, user_id, rank, item_id, score, hit; and the first few as lists_sample.csv.

    Parameters
    ----------
    users : int32 (b,), the user codes of the queries, -1 where unknown.
    user_ids, item_ids : original ids by code.
    lists : b lists.
    target : CSR (b, n_items), what was held out.
    """
    import pyarrow as pa

    b, k = lists.items.shape
    listed = (lists.items >= 0).ravel()
    query = np.repeat(np.arange(b, dtype=np.int32), k)[listed]
    items = lists.items.ravel()[listed]
    table = pa.table(
        {
            "query": query,
            "user_id": _ids(user_ids, users[query]),
            "rank": np.tile(np.arange(1, k + 1, dtype=np.int32), b)[listed],
            "item_id": _ids(item_ids, items),
            "score": lists.scores.ravel()[listed],
            "hit": hits(lists, target).ravel()[listed],
        }
    )
    _write(table, folder / "lists.parquet")
    _write_csv(table.slice(0, SAMPLE), folder / "lists_sample.csv")


def write_per_user(folder: Path, *, users: np.ndarray, user_ids: np.ndarray, history: np.ndarray,
                   held_out: np.ndarray, per_query: Mapping[str, np.ndarray]) -> None:  # fmt: skip
    """Write per_user.parquet, a row a query with all list metrics; and an even sample as per_user_sample.csv.

    Parameters
    ----------
    users : int32 (b,), the user codes of the queries, -1 where unknown.
    user_ids : original ids by code.
    history, held_out : int64 (b,), rows known of the user and relevant items held out.
    per_query : float64 (b,) by metric name.
    """
    import pyarrow as pa

    own = {"query": np.arange(len(users), dtype=np.int32), "user_id": _ids(user_ids, users)}
    own |= {"history": history, "held_out": held_out}
    table = pa.table({**own, **per_query})
    _write(table, folder / "per_user.parquet")
    sample = np.unique(np.linspace(0, len(users) - 1, SAMPLE).astype(np.int64))
    shown = {name: np.round(values[sample], 4) for name, values in per_query.items()}
    _write_csv(pa.table({**{name: table[name].take(sample) for name in own}, **shown}), folder / "per_user_sample.csv")


def write_predictions(folder: Path, rows: Interactions, predicted: np.ndarray, *, user_ids: np.ndarray,
                      item_ids: np.ndarray) -> None:  # fmt: skip
    """Write predictions.parquet: user_id, item_id, rating and predicted, float32 (m,), of each held-out row."""
    import pyarrow as pa

    users, items = _ids(user_ids, rows.users), _ids(item_ids, rows.items)
    table = pa.table({"user_id": users, "item_id": items, "rating": rows.values, "predicted": predicted})
    _write(table, folder / "predictions.parquet")


def write_slices(folder: Path, slices: Sequence[Slice]) -> None:
    """Write slices.csv: each metric by group of users or items, with its interval."""
    import pyarrow as pa

    names = ("slice", "group", "size", "metric", "value", "low", "high")
    _write_csv(pa.table({name: [getattr(row, name) for row in slices] for name in names}), folder / "slices.csv")


def write_metrics(folder: Path, metrics: Mapping[str, float], intervals: Mapping[str, tuple[float, float]]) -> None:
    """Write metrics.csv: name, value, low, high; bounds are empty where a metric has no interval."""
    import pyarrow as pa

    rows = [(name, value, *intervals.get(name, (None, None))) for name, value in metrics.items()]
    names = ("metric", "value", "low", "high")
    types = pa.schema([(name, pa.string() if name == "metric" else pa.float64()) for name in names])
    _write_csv(pa.Table.from_pylist([dict(zip(names, row)) for row in rows], schema=types), folder / "metrics.csv")


def _ids(ids: np.ndarray, codes: np.ndarray) -> "pa.Array":
    """Return original ids of codes; null for -1."""
    import pyarrow as pa

    return pa.array(ids, from_pandas=False).take(pa.array(codes, mask=codes < 0))


def _write(table: "pa.Table", path: Path) -> None:
    from pyarrow import parquet

    parquet.write_table(table, path, compression="zstd")


def _write_csv(table: "pa.Table", path: Path) -> None:
    from pyarrow import csv

    csv.write_csv(table, path, csv.WriteOptions(quoting_style="needed"))
