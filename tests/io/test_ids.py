"""Ids as they are written: none passes through floating point, words are names, neighbors stay apart."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.io import Ids, code_log, read_features, read_log

BEYOND = 2**53 + 1  # the first integer that float64 lacks


def users(path: Path) -> list:
    return read_log(path, columns=None, separator=None, time_format=None, format="auto").users.values.tolist()


def in_csv(tmp_path: Path, *ids: object) -> list:
    (tmp_path / "log.csv").write_text("user_id,item_id\n" + "".join(f"{one},x\n" for one in ids))
    return users(tmp_path / "log.csv")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([f"{BEYOND}.0", f"{BEYOND - 1}.0"], [BEYOND, BEYOND - 1]),
        (["10000000000000000000.0", "20000000000000000000.0"], ["10000000000000000000", "20000000000000000000"]),
        (["5.0", "6"], [5, 6]),
        (["-5.0", "7.00"], [-5, 7]),
        (["5.0", "6.5"], ["5.0", "6.5"]),
        (["0x10", "16"], ["0x10", "16"]),
        (["-07", "-7"], ["-07", "-7"]),
        (["+7", "7"], ["+7", "7"]),
        (["-7", "7"], [-7, 7]),
        (["-0", "0"], ["-0", "0"]),
        (["7", "-00"], ["7", "-00"]),
        (["NA", "null", "nan", "x"], ["NA", "null", "nan", "x"]),
        (['"5"', " 6"], [5, 6]),
    ],
)
def test_ids_of_csv(tmp_path: Path, written: list[str], expected: list) -> None:
    assert in_csv(tmp_path, *written) == expected


def test_words_for_nothing_are_no_ids_among_numbers(tmp_path: Path) -> None:
    for empty in ("NA", "NaN", "null", "N/A"):
        with pytest.raises(DataError, match="column user_id: 1 rows are empty or NaN; the first is row 2"):
            in_csv(tmp_path, 5, empty)


def test_a_zero_before_an_id_far_down_is_seen(tmp_path: Path) -> None:
    ids = [*range(10**5, 3 * 10**5), "007"]  # more than a block of the reader
    assert in_csv(tmp_path, *ids)[-1] == "007"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([2**64 - 1, 5], pa.uint64()), [str(2**64 - 1), "5"]),
        (pa.array([7, 5], pa.uint64()), [7, 5]),
        (pa.array([Decimal(f"{BEYOND}.00"), Decimal("5.00")]), [BEYOND, 5]),
        (pa.array([Decimal(2**64), Decimal(5)], pa.decimal128(38, 0)), [str(2**64), "5"]),
        (pa.array([1e19, 2e19]), ["10000000000000000000", "20000000000000000000"]),
        (pa.array([b"a", b"b"]), ["a", "b"]),
        (pa.array(["NA", "1"]), ["NA", "1"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_ids_of_parquet(tmp_path: Path, column: pa.Array, expected: list) -> None:
    parquet.write_table(pa.table({"user_id": column, "item_id": [1, 2]}), tmp_path / "log.parquet")
    assert users(tmp_path / "log.parquet") == expected


@pytest.mark.parametrize(
    "ids",
    [
        [2**64 - 1, 2**64 - 2],
        [f"{BEYOND}.0", f"{BEYOND - 1}.0"],
        [BEYOND, BEYOND - 1.0],
        ['"2024-01-31"', '"2024-01-31 00:00:00"'],
    ],
    ids=str,
)
def test_ids_of_json(tmp_path: Path, ids: list) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f'{{"user_id": {one}, "item_id": {one}, "n": {n}}}\n' for n, one in enumerate(ids)))
    assert len(set(users(path))) == 2
    read = read_log(path, columns=None, separator=None, time_format=None, format="auto")
    table = read_features(path, id_column="item_id", kinds={"n": "numeric"}, separator=None)
    found = code_log(read, explicit=False, items=table)
    assert found.items["n"].values[found.interactions.items].tolist() == [0, 1], "those of a table are exact, too"


def test_integers_of_json_are_not_taken_for_decimals(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "log.jsonl").write_text(f'{{"user_id": {2**64}, "item_id": 1}}\n{{"user_id": 5, "item_id": 1}}\n')
    assert users(tmp_path / "log.jsonl") == [str(2**64), "5"]
    assert "decimals" not in caplog.text


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([2**60 + 1, 2.0], dtype=object), [2, 2**60 + 1]),
        (pd.Series([2**64 - 1, 5], dtype=object), [str(2**64 - 1), "5"]),
        (pd.Series([2**64 - 1, 5], dtype="uint64"), [str(2**64 - 1), "5"]),
        (pd.Series([BEYOND, BEYOND - 1], dtype="Int64"), [BEYOND - 1, BEYOND]),
        (pd.Series([Decimal(BEYOND), Decimal("5.0")]), [5, BEYOND]),
        (pd.Series([f"{BEYOND}.0", f"{BEYOND - 1}.0"]), [BEYOND - 1, BEYOND]),
    ],
    ids=str,
)
def test_ids_of_frames(column: pd.Series, expected: list) -> None:
    assert Dataset.from_frame(pd.DataFrame({"user_id": column, "item_id": [1, 2]})).user_ids.tolist() == expected


@pytest.mark.parametrize("cells", [[BEYOND, BEYOND - 1.0], [Decimal(2**64), 2**64 - 1]], ids=str)
@pytest.mark.parametrize("name", ["item_id", "Item ID"])
def test_ids_of_a_frame_of_items(cells: list, name: str) -> None:
    log = pd.DataFrame({"user_id": [1, 2], "item_id": pd.Series(cells, dtype=object)})
    index, n = pd.Index(cells, dtype=object, name=name), {"n": [0, 1]}
    for items in (pd.DataFrame(n, index=index), pd.DataFrame({name: pd.Series(cells, dtype=object), **n})):
        data = Dataset.from_frame(log, items=items)
        assert data.items["n"].values[data.interactions.items].tolist() == [0, 1]


def test_floats_that_cannot_tell_neighbors_apart_are_told(caplog: pytest.LogCaptureFixture) -> None:
    Dataset.from_frame(pd.DataFrame({"user_id": [2.0**53 + 2, 5.0], "item_id": [1, 2]}))
    assert "float64, which cannot represent all integers above 9007199254740992" in caplog.text


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([float("inf")]), "row 1: inf is not an id"),
        (pa.array([Decimal("5.50")]), r"row 1: 5\.50 is not an id"),
        (pa.array([[1]]), "holds list<"),
        (pa.array([{"a": 1}]), "holds struct<"),
        (pa.array([True]), "holds bool values"),
        (pa.array([None]), "1 rows are empty"),
    ],
    ids=str,
)
def test_what_is_no_id(tmp_path: Path, column: pa.Array, message: str) -> None:
    parquet.write_table(pa.table({"user_id": column, "item_id": [1]}), tmp_path / "log.parquet")
    with pytest.raises(DataError, match=rf"log\.parquet: column user_id: {message}"):
        users(tmp_path / "log.parquet")


@pytest.mark.parametrize(
    "values", [[3, 3, 1], [-5, 10, -5], [10**12, 7, 10**12], ["b", "a", "b"], [2**62, -(2**62)]], ids=str
)
def test_codes_are_positions_in_ascending_ids(values: list[Any]) -> None:
    ids = Ids.of(np.array(values, dtype=object if isinstance(values[0], str) else np.int64))
    assert ids.known.tolist() == sorted(set(values)) and ids.values.tolist() == values
    assert ids.codes.dtype == np.int32 and ids[0] == values[0]
