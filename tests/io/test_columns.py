"""Names of columns nearly right, header lines among rows, quotes of other tools, cells that look like others."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from recexp.errors import DataError
from recexp.io import Features, RawLog, read_features, read_log, read_table


def log_of(tmp_path: Path, text: str, name: str = "log.csv") -> RawLog:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return read_log(tmp_path / name, columns=None, separator=None, time_format=None, format="auto")


def items_of(tmp_path: Path, text: str, **kinds: str) -> Features:
    (tmp_path / "items.csv").write_text(text)
    return read_features(tmp_path / "items.csv", id_column="item_id", kinds=kinds or None, separator=None)


@pytest.mark.parametrize(
    "header",
    [
        "user_id,item_id,Rating,Timestamp",
        "User ID, Item ID ,RATING,time-stamp",
        "\ufeffuserId;itemId;rating ;TimeStamp",
    ],
)
def test_case_blanks_and_signs_of_default_names_do_not_matter(tmp_path: Path, header: str) -> None:
    raw = log_of(tmp_path, header + "\n" + (";" if ";" in header else ",").join(["1", "2", "4", "1600000000"]) + "\n")
    assert (raw.users[0], raw.items[0], raw.values.tolist(), raw.timestamps.tolist()) == (1, 2, [4], [1600000000])


def test_two_columns_may_not_be_meant_equally_well(tmp_path: Path) -> None:
    assert log_of(tmp_path, "user_id,item_id,Rating,rating\n1,2,3,4\n").values.tolist() == [4]
    with pytest.raises(DataError, match="columns 'Rating' and ' rating' may both be rating"):
        log_of(tmp_path, "user_id,item_id,Rating, rating\n1,2,3,4\n")


@pytest.mark.parametrize(("name", "role"), [("ratings", "rating"), ("timestmp", "timestamp"), ("session", "session")])
def test_other_spellings_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, role: str) -> None:
    log_of(tmp_path, f"user_id,item_id,{name}\n1,2,3\n")
    assert f"column '{name}' is ignored" in caplog.text and f"dataset.columns.{role}=..." in caplog.text


def test_a_log_without_ratings_warns_where_columns_are_left_unread(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log_of(tmp_path, "user_id,item_id\n1,2\n")
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []
    log_of(tmp_path, "user_id,item_id,stars\n1,2,3\n")
    assert "every row counts as 1; ignored columns: stars" in caplog.text


@pytest.mark.parametrize(
    "again",
    [
        "user_id,item_id,rating",
        "\ufeffuser_id,item_id,rating",
        "user_id, item_id,rating",
        "User ID,ItemId,RATING",
        '"user-id","Item_ID"," Rating"',
    ],
)
def test_header_lines_among_rows_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture, again: str) -> None:
    raw = log_of(tmp_path, f"user_id,item_id,rating\n1,2,3\n{again}\n4,5,2\n{again}\n")
    assert raw.users.values.tolist() == [1, 4] and raw.values.tolist() == [3, 2]
    assert "the header line is repeated 2 times, first as row 2" in caplog.text
    with pytest.raises(DataError, match="row 2 repeats the header line with its columns in another order"):
        log_of(tmp_path, "user_id,item_id\n1,2\nitem_id,user_id\n3,4\n")


def test_header_lines_of_another_case_become_no_user(tmp_path: Path) -> None:
    raw = log_of(tmp_path, "User ID,Item ID\n1,2\nuser_id,item_id\n3,4\n")
    assert raw.users.values.tolist() == [1, 3]
    text = "u,i\nU,I\na,b\n"  # of names so short, another case may be a user
    (tmp_path / "short.csv").write_text(text)
    columns = {"user": "u", "item": "i"}
    raw = read_log(tmp_path / "short.csv", columns=columns, separator=None, time_format=None, format="auto")
    assert raw.users.values.tolist() == ["U", "a"]


def test_side_tables_of_several_parts(tmp_path: Path) -> None:
    table = items_of(tmp_path, "Item ID,year\n1,1990\nItem ID,year\n2,1991\n")
    assert table.ids.tolist() == [1, 2] and table.columns["year"].values.tolist() == [1990, 1991]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (r'"2\" seam"', '2" seam'),
        (r'"say \"hi\" now"', 'say "hi" now'),
        (r'"ends \""', 'ends "'),
        (r'"a \", b"', 'a ", b'),
        (r'"AC\DC \"x\""', r'AC\DC "x"'),
        (r'"\\ then \"x\""', r'\\ then "x"'),
        ('"the ""best"" of"', 'the "best" of'),
        ('"C:\\dir\\"', "C:\\dir\\"),
        ('5\\" disk', '5\\" disk'),
    ],
)
def test_quotes_escaped_by_a_backslash(tmp_path: Path, cell: str, expected: str) -> None:
    table = items_of(tmp_path, f'item_id,title\n1,{cell}\n2,"plain, sure"\n', title="text")
    assert table.columns["title"].values.tolist() == [expected, "plain, sure"]


def test_quotes_that_cannot_be_told_are_refused(tmp_path: Path) -> None:
    for text in ('1,"a\\" b" c"\n', '1,"a\\",\n"b",c"\n'):
        with pytest.raises(DataError, match=r"items\.csv: cannot be read"):
            items_of(tmp_path, "item_id,title\n" + text)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["300", "Inf"], "category"),
        (["1917", "Infinity"], "category"),
        (["300", "1e999"], "category"),
        (["0x10", "5"], "category"),
        (["300", "NaN"], "numeric"),
        (["NA", "DE"], "category"),
        (["1e3", " 5 "], "numeric"),
    ],
)
def test_what_is_inferred_can_be_read(tmp_path: Path, cells: list[str], kind: str) -> None:
    table = items_of(tmp_path, "item_id,title\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(cells)))
    assert table.columns["title"].kind == kind
    if kind == "category":
        assert set(table.columns["title"].categories) == set(cells)


@pytest.mark.parametrize("cells", ["Action | Drama,Drama|War ", " Action|Drama ,War | Drama"])
def test_names_in_lists_are_trimmed(tmp_path: Path, cells: str) -> None:
    one, two = cells.split(",")
    table = items_of(tmp_path, f"item_id,genres\n1,{one}\n2,{two}\n")
    assert table.columns["genres"].categories == ("Action", "Drama", "War")


@pytest.mark.parametrize("name", ["event", "rating", "timestamp", "session_id", "user_id"])
@pytest.mark.parametrize("cell", [["buy"], {"kind": "buy"}], ids=["list", "struct"])
def test_nested_columns_are_named(tmp_path: Path, name: str, cell: object) -> None:
    parquet.write_table(pa.table({"user_id": [1], "item_id": [2]} | {name: [cell]}), tmp_path / "log.parquet")
    with pytest.raises(DataError, match=rf"log\.parquet: column {name}: holds (list|struct)<"):
        read_log(tmp_path / "log.parquet", columns=None, separator=None, time_format=None, format="auto")


def test_damaged_parquet_is_named(tmp_path: Path) -> None:
    path, rng = tmp_path / "log.parquet", np.random.default_rng(0)
    ids = [f"u{n}" for n in range(200)]
    parquet.write_table(pa.table({"user_id": ids, "item_id": ids, "rating": [1.0] * 200}), path)
    whole, refused = path.read_bytes(), 0
    for _ in range(60):
        damaged, at = bytearray(whole), int(rng.integers(4, len(whole) - 12))
        damaged[at : at + 8] = rng.bytes(8)
        path.write_bytes(damaged)
        try:
            read_log(path, columns=None, separator=None, time_format=None, format="auto")
        except DataError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
            refused += 1
    assert refused > 20


def test_time_grows_with_the_columns_not_with_their_square(tmp_path: Path) -> None:
    def seconds(read: Callable[[Path, str], object], n: int) -> float:
        names, cells = ",".join(f"c{i}" for i in range(n)), ",".join("1" * n)
        begin = time.process_time()
        read(tmp_path, f"user_id,item_id,{names}\n1,2,{cells}\n")
        return time.process_time() - begin

    for read, n in ((log_of, 8000), (items_of, 2400)):
        seconds(read, 10)
        assert seconds(read, n) < max(1.0, 16 * seconds(read, n // 8))


def test_numbers_may_be_names_of_a_list(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"item_id": [1, 2], "shelf": [7, None]}), tmp_path / "items.parquet")
    table = read_features(
        tmp_path / "items.parquet", id_column="item_id", kinds={"shelf": "multi_category"}, separator=None
    )
    assert table.columns["shelf"].categories == ("7",) and table.columns["shelf"].offsets.tolist() == [0, 1, 1]


def test_ids_may_hold_line_breaks(tmp_path: Path) -> None:
    assert log_of(tmp_path, 'user_id,item_id\n1,"a\nb"\n"it\'s\n",3\n').items.values.tolist() == ["a\nb", "3"]


def test_nothing_is_no_name_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"item_id": 1, "tags": [" a", null]}\n{"item_id": 2, "tags": ["b", ""]}\n')
    table = read_features(tmp_path / "items.jsonl", id_column="item_id", kinds=None, separator=None)
    assert table.columns["tags"].categories == ("a", "b")


@pytest.mark.parametrize(
    ("cell", "told"), [("1e39", r"1e\+39 is too large"), ("-4e38", "-4e\\+38 is too large"), ("1e400", "infinity")]
)
def test_numbers_beyond_single_precision_are_refused(tmp_path: Path, cell: str, told: str) -> None:
    with pytest.raises(DataError, match=rf"column rating: row 2: {told}"):
        log_of(tmp_path, f"user_id,item_id,rating\n1,2,3\n1,3,{cell}\n")
    with pytest.raises(DataError, match=rf"column price: row 2: {told}"):
        items_of(tmp_path, f"item_id,price\n1,2\n2,{cell}\n", price="price")


def test_integers_beyond_double_precision_are_rounded(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"user_id": [1], "item_id": [2], "rating": [2**60 + 1]}), tmp_path / "log.parquet")
    raw = read_log(tmp_path / "log.parquet", columns=None, separator=None, time_format=None, format="auto")
    assert (
        raw.values.tolist()
        == [2.0**60]
        == log_of(tmp_path, f"user_id,item_id,rating\n1,2,{2**60 + 1}\n").values.tolist()
    )


def test_a_message_names_the_first_of_many_columns(tmp_path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(100))
    with pytest.raises(DataError, match=r"its columns are c0, c1, .*c19 and 80 more \(set dataset"):
        log_of(tmp_path, f"{names}\n{names}\n")


def test_lines_may_end_as_they_did_on_old_machines(tmp_path: Path) -> None:
    for end in ("\r", "\r\n", "\n"):
        (tmp_path / "a.csv").write_bytes(end.join(["user_id,item_id", "1,2", "3,4"]).encode())
        found = read_table(tmp_path / "a.csv", separator=None).to_pydict()
        assert found == {"user_id": ["1", "3"], "item_id": ["2", "4"]}


def test_columns_that_are_not_read_may_have_one_name(tmp_path: Path) -> None:
    assert log_of(tmp_path, "user_id,item_id,x,x,,\n1,2,a,b,,\n").users.values.tolist() == [1]
    with pytest.raises(DataError, match="two columns are called item_id"):
        log_of(tmp_path, "user_id,item_id,item_id\n1,2,3\n")
