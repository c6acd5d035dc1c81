"""What a small parquet file would become is known before it takes the room."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recexp.errors import DataError
from recexp.io import read_features, read_log
from recexp.io.id_cells import ids

ROWS = 100_000


def written(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), path, compression="zstd", store_schema=False)
    return path


def repeated(text: str) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(ROWS, np.int32)), pa.array([text]))


def log(path: Path, **columns: str | None) -> object:
    columns = {"rating": None, "timestamp": None, **columns}
    return read_log(path, columns=columns, separator=None, time_format=None, format="table")


def test_ids_are_read_without_writing_them_out(tmp_path: Path) -> None:
    path = written(tmp_path / "log.parquet", user_id=pa.array(range(ROWS)), item_id=repeated("x" * 20_000))
    assert log(path).items.known.tolist() == ["x" * 20_000]  # 2 GB of text


def test_other_text_is_refused_before_it_is_written_out(tmp_path: Path) -> None:
    number = pa.array(range(ROWS))
    path = written(tmp_path / "log.parquet", user_id=number, item_id=number, event=repeated("x" * 20_000))
    with pytest.raises(DataError, match=r"log\.parquet: .* unpacks to more than 1024 MiB; RECEXP_LIMITS=data_mib=N"):
        log(path, event="event")
    with pytest.raises(DataError, match="unpacks to more than 1024 MiB"):
        read_features(path, id_column="user_id", kinds={"event": "text"}, separator=None)
    lists = pa.ListArray.from_arrays(pa.array([0, *range(1, ROWS + 1)], pa.int32()), repeated("x" * 20_000))
    path = written(tmp_path / "lists.parquet", user_id=number, tags=lists)
    with pytest.raises(DataError, match="unpacks to more than 1024 MiB"):
        read_features(path, id_column="user_id", kinds={"tags": "multi_category"}, separator=None)


def test_runs_of_one_number_count_by_their_width(tmp_path: Path) -> None:
    ones = pa.array(np.ones(4_000_000, np.int64))
    with pytest.raises(DataError, match="unpacks to more than 200 times"):
        log(written(tmp_path / "log.parquet", user_id=ones, item_id=ones))


def test_codes_that_no_row_has_are_no_ids() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([2, 0, 2], pa.int32()), pa.array(["b", "", "a", None, "c"]))
    found = ids(column, "x")
    assert found.known.tolist() == ["a", "b"] and found.codes.tolist() == [0, 1, 0]
