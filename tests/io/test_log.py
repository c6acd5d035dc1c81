"""Logs: ids, times and ratings as written; each malformed cell is named."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from recexp.errors import DataError
from recexp.io import Ids, RawLog, code_log, encode, in_file_order, lookup, read_log, refuse_duplicates


def read(path: Path, **settings) -> RawLog:
    return read_log(path, **{"columns": None, "separator": None, "time_format": None, "format": "auto"} | settings)


def log_of(tmp_path: Path, text: str, **settings) -> RawLog:
    (tmp_path / "log.csv").write_text(text)
    return read(tmp_path / "log.csv", **settings)


def test_all_columns_by_their_default_names(tmp_path: Path) -> None:
    raw = log_of(
        tmp_path,
        "item_id,user_id,rating,timestamp,event,session_id,fold,candidates\n"
        "7,anna,4.5,100,view,s2,a,1 2 3\n"
        "8,ben,,90,buy,s1,b,2|9\n"
        '7,anna,1,110,view,s1,,"[4, 5]"\n'.replace('"[4, 5]"', ""),
    )
    assert raw.users.values.tolist() == ["anna", "ben", "anna"] and raw.items.values.tolist() == [7, 8, 7]
    np.testing.assert_array_equal(raw.values, np.array([4.5, np.nan, 1], np.float32))
    assert raw.timestamps.tolist() == [100, 90, 110]
    assert [raw.events.categories[code] for code in raw.events.values] == ["view", "buy", "view"]
    assert raw.sessions.tolist() == [1, 0, 0]
    assert raw.context["fold"].categories == ("a", "b") and raw.context["fold"].values.tolist() == [0, 1, -1]
    assert raw.candidates.ids.values.tolist() == [1, 2, 3, 2, 9] and raw.candidates.offsets.tolist() == [0, 3, 5, 5]


def test_candidates_may_be_json_lists(tmp_path: Path) -> None:
    raw = log_of(tmp_path, 'user_id;item_id;candidates\n1;a;["b", "a c"]\n2;b;[]\n')
    assert raw.candidates.ids.values.tolist() == ["b", "a c"] and raw.candidates.offsets.tolist() == [0, 2, 2]
    with pytest.raises(DataError, match=r"column candidates: row 1: '\[b' is not a json list"):
        log_of(tmp_path, "user_id,item_id,candidates\n1,a,[b\n")


def test_only_user_and_item_are_needed(tmp_path: Path) -> None:
    raw = log_of(tmp_path, "user_id,item_id\n3,b\n1,a\n")
    assert (raw.values, raw.timestamps, raw.events, raw.sessions, raw.candidates) == (None,) * 5
    data = code_log(raw, explicit=True)
    assert data.user_ids.tolist() == [1, 3] and data.interactions.users.tolist() == [1, 0]
    assert data.interactions.values.tolist() == [1, 1] and not data.interactions.explicit


def test_a_missing_rating_and_unread_columns_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="recexp"):
        log_of(tmp_path, "user_id,item_id,stars,when\nu,i,5,1\n")
        log_of(tmp_path, "user_id,item_id,rating,when\nu,i,5,1\n")
    (told,) = caplog.messages
    assert told.endswith("no column rating; every row counts as 1; ignored columns: stars, when")


def test_renamed_and_headerless_columns(tmp_path: Path) -> None:
    raw = log_of(tmp_path, "who,what,score\n1,2,3\n", columns={"user": "who", "item": "what", "rating": "score"})
    assert (raw.users[0], raw.items[0], raw.values[0]) == (1, 2, 3)
    columns = {"user": 0, "item": 1, "rating": 2, "timestamp": 3}
    raw = log_of(tmp_path, "196\t242\t3\t881250949\n", columns=columns)
    assert (raw.users[0], raw.items[0], raw.values[0], raw.timestamps[0]) == (196, 242, 3, 881250949)


@pytest.mark.parametrize(
    ("columns", "missing"), [({"user": "customer"}, "user"), ({"rating": "score"}, "rating"), ({"item": None}, "item")]
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path, columns: dict, missing: str) -> None:
    message = rf"no {missing} column .*its columns are user_id, item_id, rating \(set dataset.columns.{missing}="
    with pytest.raises(DataError, match=message):
        log_of(tmp_path, "user_id,item_id,rating\n1,2,3\n", columns=columns)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["5", "-3", "10"], [5, -3, 10]),
        (["5", "007"], ["5", "007"]),
        (["5", "B01"], ["5", "B01"]),
        ([" a ", "b"], ["a", "b"]),
        (["99999999999999999999", "1"], ["99999999999999999999", "1"]),
        (["5.0", "6.0"], [5, 6]),
        (["1.10", "1.9"], ["1.10", "1.9"]),
    ],
)
def test_ids_are_integers_only_where_all_are_written_so(tmp_path: Path, written: list[str], expected: list) -> None:
    raw = log_of(tmp_path, "user_id,item_id\n" + "".join(f"{name},x\n" for name in written))
    assert raw.users.values.tolist() == expected


def test_decimal_ids_of_other_tools_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    parquet.write_table(pa.table({"user_id": [5.0, 6.0], "item_id": ["a", "b"]}), tmp_path / "a.parquet")
    with caplog.at_level(logging.WARNING):
        assert read(tmp_path / "a.parquet").users.values.tolist() == [5, 6]
    assert "ids are written as decimals" in caplog.text
    parquet.write_table(pa.table({"user_id": [5.0, 6.5], "item_id": ["a", "b"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"column user_id: row 2: 6\.5 is not an id"):
        read(tmp_path / "a.parquet")
    parquet.write_table(
        pa.table({"user_id": [5.0, None, float("nan")], "item_id": list("abc")}), tmp_path / "a.parquet"
    )
    with pytest.raises(DataError, match="column user_id: 2 rows are empty or NaN; the first is row 2"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize("empty", ["", "NaN", " ", "null"])
def test_empty_ids_are_counted(tmp_path: Path, empty: str) -> None:
    with pytest.raises(DataError, match=r"log.csv: column item_id: 1 rows are empty or NaN; the first is row 2"):
        log_of(tmp_path, f"user_id,item_id\n1,2\n1,{empty}\n3,4\n")


@pytest.mark.parametrize("value", ["good", "3,5", "inf", "0x10", "4 stars"])
def test_text_among_ratings(tmp_path: Path, value: str) -> None:
    with pytest.raises(DataError, match=r"log.csv: column rating: row 3: .*number"):
        log_of(tmp_path, f'user_id;item_id;rating\n1;2;+3.5\n1;3;1e0\n1;4;"{value}"\n')


@pytest.mark.parametrize(
    ("written", "time_format"),
    [
        ("978300019", None),
        ("978300019.000", None),
        ("978300019000", None),
        ("978300019000000000", None),
        ("2000-12-31T22:00:19Z", None),
        ("2000-12-31 22:00:19", None),
        ("2000-12-31T23:00:19+01:00", None),
        ("31/12/2000 22:00:19", "%d/%m/%Y %H:%M:%S"),
    ],
)
def test_times_of_all_kinds_are_seconds(tmp_path: Path, written: str, time_format: str | None) -> None:
    raw = log_of(tmp_path, f"user_id,item_id,timestamp\n1,2,{written}\n", time_format=time_format)
    assert raw.timestamps.tolist() == [978300019]


def test_days_written_as_numbers_follow_the_format(tmp_path: Path) -> None:
    raw = log_of(tmp_path, "user_id,item_id,timestamp\n1,2,19700103\n", time_format="%Y%m%d")
    assert raw.timestamps.tolist() == [2 * 86400]


@pytest.mark.parametrize(
    ("first", "value", "message"),
    [
        ("100", "soon", "row 2: 'soon' is not a number"),
        ("100", "", "1 rows are empty or NaN; the first is row 2"),
        ("2020-01-31", "2020-02-31", "row 2: '2020-02-31' is not a time"),
        ("yesterday", "today", "row 1: 'yesterday' is not a time"),
    ],
)
def test_unreadable_times(tmp_path: Path, first: str, value: str, message: str) -> None:
    with pytest.raises(DataError, match=f"column timestamp: {message}"):
        log_of(tmp_path, f"user_id,item_id,timestamp\n1,2,{first}\n1,3,{value}\n")


def test_duplicates_are_counted_and_a_different_event_is_none(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    head = "user_id,item_id,timestamp,event\n1,2,100,view\n1,2,101,view\n1,2,100,buy\n"
    refuse_duplicates(log_of(tmp_path, head), path)
    message = r"2 rows repeat an earlier row \(user, item, timestamp, event\); the first is row 4 \(user 1, item 2\)"
    with pytest.raises(DataError, match=message + ".*dataset.duplicates=keep.*deduplicate"):
        refuse_duplicates(log_of(tmp_path, head + "1,2,101,view\n1,2,100,buy\n"), path)


def test_lists_a_line(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("0 5 6 7\n1\n2 6\n")
    raw = read(path, format="lightgcn")
    assert raw.users.values.tolist() == [0, 0, 0, 2] and raw.items.values.tolist() == [5, 6, 7, 6]
    path.write_text("a b\n\nb a b\n")
    raw = read(path, format="session_lines")
    assert raw.users.values.tolist() == [0, 0, 2, 2, 2] and raw.items.values.tolist() == ["a", "b", "b", "a", "b"]
    assert in_file_order(raw, path).timestamps.tolist() == [0, 1, 2, 3, 4]


def test_file_order_and_times_exclude_each_other(tmp_path: Path) -> None:
    raw = log_of(tmp_path, "user_id,item_id,timestamp\n1,2,100\n")
    with pytest.raises(DataError, match=r"dataset\.columns\.timestamp=null"):
        in_file_order(raw, tmp_path)


def test_codes_follow_the_order_of_ids() -> None:
    codes, known = encode(np.array(["b", "é", "B", "b"], dtype=object))
    assert known.tolist() == ["B", "b", "é"] and codes.tolist() == [1, 2, 0, 1]
    assert encode(np.array([], dtype=object))[1].shape == (0,)
    assert lookup(np.array([3, 1]), np.array([1, 2])).tolist() == [-1, 0]
    assert lookup(np.array(["2", "x"], dtype=object), np.array([1, 2])).tolist() == [1, -1]


def test_times_are_compared_where_a_pair_repeats(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = np.unique(rng.integers(0, [6, 5, 4], (100, 3)), axis=0)  # pairs come at up to four times
    rng.shuffle(rows)
    copies = rows[[3, 7]]
    text = "user_id,item_id,timestamp\n" + "".join(f"{u},{i},{t}\n" for u, i, t in [*rows, *copies])
    with pytest.raises(DataError, match=rf"2 rows repeat .*the first is row {len(rows) + 1} \(user {copies[0][0]},"):
        refuse_duplicates(log_of(tmp_path, text), tmp_path / "log.csv")
    refuse_duplicates(log_of(tmp_path, text[: text.rindex("\n", 0, text.rindex("\n", 0, -1))]), tmp_path / "log.csv")


@pytest.mark.parametrize(("n_users", "n_items"), [(1, 9), (255, 2), (256, 9), (70_000, 30_000), (2**22, 2**16 + 1)])
def test_a_repeat_among_many_users_and_items_is_found(tmp_path: Path, n_users: int, n_items: int) -> None:
    last = n_users * n_items - 1
    cells = np.random.default_rng(4).choice(last, min(500, last), replace=False)
    known = [np.broadcast_to(np.int64(0), n) for n in (n_users, n_items)]

    def log(pairs: np.ndarray) -> RawLog:
        users, items = np.divmod(pairs, n_items)
        return RawLog(Ids(users.astype(np.int32), known[0]), Ids(items.astype(np.int32), known[1]))

    refuse_duplicates(log(np.append(cells, last)), tmp_path)
    with pytest.raises(DataError, match=rf"2 rows repeat .*the first is row {len(cells) + 2} "):
        refuse_duplicates(log(np.concatenate([cells, [last, cells[7], last]])), tmp_path)
