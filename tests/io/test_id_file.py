"""Files of ids, as people have them."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from recexp.errors import DataError
from recexp.io.id_file import read_ids

KNOWN = {"007", "12", "ann lee"}


def read(path: Path | str) -> list[str]:
    return read_ids(str(path), "user_id", is_known=KNOWN.__contains__)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("ids.txt", "007\r\n\r\n 12 \nann lee\n", ["007", "12", "ann lee"]),
        ("ids", "\ufeff007\n12", ["007", "12"]),
        ("header.csv", "customer\n007\n99\n", ["007", "99"]),
        ("no header.csv", "007\n99\n", ["007", "99"]),
        ("many.csv", "name;User ID\nx;007\ny;12\n", ["007", "12"]),
        ("tabs.tsv", "user_id\tname\n007\tx\n", ["007"]),
        ("lines.jsonl", '{"user_id": 12}\n{"user_id": 7}\n', ["12", "7"]),
        ("empty.txt", "\n", []),
        ("empty.csv", "", []),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and "\n" not in value else "",
)
def test_ids_of_a_file(tmp_path: Path, name: str, content: str, expected: list[str]) -> None:
    (tmp_path / name).write_bytes(content.encode())
    assert read(tmp_path / name) == expected


def test_a_file_that_is_not_utf8_is_to_be_saved_as_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "ids.csv").write_bytes("user_id\nJosé\n".encode("latin-1"))
    assert read(tmp_path / "ids.csv") == ["José"]
    assert caplog.messages == [
        f"{tmp_path / 'ids.csv'} is not UTF-8; read as Latin-1; if this is wrong, save it as UTF-8"
    ]


def test_packed_and_typed_files(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "ids.txt.gz", "wt") as file:
        file.write("12\n")
    assert read(tmp_path / "ids.txt.gz") == ["12"]
    pd.DataFrame({"user_id": [12.0, None, 7.0], "other": 1}).to_parquet(tmp_path / "ids.parquet")
    assert read(tmp_path / "ids.parquet") == ["12", "7"]
    (tmp_path / "a:b.csv").write_text("kunde,user_id\n1,2\n")
    assert read(tmp_path / "a:b.csv") == ["2"]
    assert read(f"{tmp_path}/a:b.csv:kunde") == ["1"]


def test_what_is_left_out_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "ids.csv").write_text("user_id,x\n12,1\n,2\n007,3\n12,4\n")
    assert read(tmp_path / "ids.csv") == ["12", "007"]
    assert [message.partition(": ")[2] for message in caplog.messages] == [
        "1 of 4 rows have no id and are skipped",
        "1 duplicate ids are ignored",
    ]


@pytest.mark.parametrize(
    ("name", "content", "column", "message"),
    [
        (
            "many.csv",
            "kunde,x\n1,2\n",
            "",
            "has no column user_id; its columns are kunde, x; choose one with .*many.csv:COLUMN",
        ),
        ("many.csv", "kunde,x\n1,2\n", ":kunden", "has no column kunden; its columns are kunde, x"),
        ("ids.txt", "1\n", ":kunde", "has no columns; table files end in .csv"),
        ("none.txt", None, "", "none.txt: no such file"),
        ("image.txt", b"\xff\xfe1", "", "is not UTF-8 text"),
    ],
)
def test_what_is_meant_must_be_clear(
    tmp_path: Path, name: str, content: str | bytes | None, column: str, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=message):
        read(f"{tmp_path / name}{column}")
