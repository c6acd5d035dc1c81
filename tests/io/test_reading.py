"""Tables of any ending hold the same; what cannot be read says so."""

import gzip
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from recexp.errors import DataError
from recexp.io import exists, read_bytes, read_table

ROWS = [{"user_id": "u1", "item_id": "i1", "rating": "5"}, {"user_id": "u2", "item_id": "i2", "rating": "3"}]


def delimited(separator: str) -> bytes:
    return "\n".join(separator.join(line) for line in [ROWS[0], *(row.values() for row in ROWS)]).encode()


def packed(write: bytes, path: Path) -> Path:
    path.write_bytes(gzip.compress(write) if path.suffix == ".gz" else write)
    return path


@pytest.mark.parametrize(
    ("name", "separator"),
    [
        ("a.csv", ","),
        ("a.csv", ";"),
        ("a.tsv", "\t"),
        ("a.txt", " "),
        ("a.dat", "|"),
        ("a.csv.gz", ","),
        ("a.TSV", "\t"),
    ],
)
def test_text_is_read_whatever_separates_it(tmp_path: Path, name: str, separator: str) -> None:
    assert read_table(packed(delimited(separator), tmp_path / name), separator=None).to_pylist() == ROWS


def test_a_separator_may_have_several_characters(tmp_path: Path) -> None:
    path = packed(b"1::Star Wars: IV::5\n2::Heat::3\n", tmp_path / "movies.dat")
    found = read_table(path, separator="::", header=False).to_pylist()
    assert found == [{"0": "1", "1": "Star Wars: IV", "2": "5"}, {"0": "2", "1": "Heat", "2": "3"}]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.ndjson.gz"])
def test_json_lines_keep_their_types(tmp_path: Path, name: str) -> None:
    rows = [{"asin": "0042", "overall": 5.0}, {"asin": "B01", "overall": 3.5}]
    path = packed("\n".join(map(json.dumps, rows)).encode(), tmp_path / name)
    assert read_table(path, separator=None).to_pylist() == rows


def test_parquet(tmp_path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet", separator=None).to_pylist() == ROWS


def test_members_of_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/b.csv", delimited(","))
        archive.writestr("c.csv.gz", gzip.compress(delimited(",")))
    assert read_table(tmp_path / "a.zip/in/b.csv", separator=None).to_pylist() == ROWS
    assert read_table(tmp_path / "a.zip/c.csv.gz", separator=None).to_pylist() == ROWS
    assert exists(tmp_path / "a.zip/in/b.csv") and not exists(tmp_path / "a.zip/b.csv")
    with pytest.raises(DataError, match=r"a\.zip does not contain b\.csv; it contains in/b\.csv, c\.csv\.gz"):
        read_bytes(tmp_path / "a.zip/b.csv")


def test_quotes_byte_order_marks_and_other_encodings(tmp_path: Path) -> None:
    path = packed('\ufeffid,text\n1,"a, ""b""\nc"\n'.encode(), tmp_path / "a.csv")
    assert read_table(path, separator=None).to_pylist() == [{"id": "1", "text": 'a, "b"\nc'}]
    path = packed("id,text\n1,café\n".encode("latin-1"), tmp_path / "b.csv")
    assert read_table(path, separator=None).to_pylist() == [{"id": "1", "text": "café"}]
    path = packed(b'id\ttext\n1\t"5 inch\n', tmp_path / "c.tsv")
    assert read_table(path, separator=None, quotes=False).to_pylist() == [{"id": "1", "text": '"5 inch'}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "has no rows"),
        ("a.csv", b"user_id,item_id\n", "has no rows"),
        ("a.jsonl", b"\n", "has no rows"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "Expected 2 columns, got 3"),
        ("a.csv", b"a,a\n1,2\n", "two columns are called a"),
        ("a.csv", b"a,b\n" + b"x" * (3 << 20) + b",1\n", "a record is longer than can be read"),
        ("a.csv", b'a,b\n"' + b"x,1\n" * (1 << 20), "a double quote is never closed"),
        ("a.csv", b"a," + b"b" * 200_000 + b"\n1,2\n", "a name in its first line is longer than can be read"),
        ("a.csv.gz", b"not gzipped", "cannot be read"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:20], "cannot be read"),
        ("a.parquet", b"not parquet at all", "cannot be read"),
        ("a.jsonl", b"{'single': 'quotes'}", "cannot be read"),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}.*{message}"):
        read_table(tmp_path / name, separator=None)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv: no such file"):
        read_bytes(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="is a folder, not a file"):
        read_bytes(tmp_path)


def bomb(folder: Path, kind: str) -> Path:
    """A small file that becomes 32 MiB and more."""
    zeros, path = b"0" * (32 << 20), folder / f"a.{kind}"
    if kind == "csv.gz":
        path.write_bytes(gzip.compress(zeros))
    elif kind == "parquet":
        parquet.write_table(pa.table({"user_id": pa.repeat(1, 32 << 20)}), path, compression="zstd")
    else:
        inner = gzip.compress(zeros) if kind == "zip/a.csv.gz" else zeros
        with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path.name if "/" not in kind else "a.csv.gz", inner)
        path = folder / "a.zip" / (path.name if "/" not in kind else "a.csv.gz")
    return path


@pytest.mark.parametrize("kind", ["csv.gz", "csv", "zip/a.csv.gz", "parquet"])
def test_what_grows_beyond_measure_is_refused(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bomb(tmp_path, kind)
    with pytest.raises(DataError, match=r"unpacks to more than 200 times its size of .*; RECEXP_LIMITS=ratio=N sets"):
        read_table(path, separator=None)
    monkeypatch.setenv("RECEXP_LIMITS", "data_mib=20,ratio=100000")
    with pytest.raises(DataError, match=r"unpacks to more than 20 MiB; RECEXP_LIMITS=data_mib=N sets another limit"):
        read_table(path, separator=None)
