"""Times: the unit that loses nothing, one for a column; what no unit fits is refused, what is unlikely is told."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import recexp
from recexp.algorithms.baselines.popularity import Popularity
from recexp.data import Dataset, Interactions
from recexp.errors import ConfigError, DataError
from recexp.filters.time import TimeWindow
from recexp.io import RawLog, code_log, read_log
from recexp.io.fixed_times import fixed_times


def read(path: Path, time_format: str | None = None) -> RawLog:
    return read_log(path, columns=None, separator=None, time_format=time_format, format="auto")


def written(tmp_path: Path, *times: object, time_format: str | None = None) -> RawLog:
    rows = "".join(f"1,{item},{time}\n" for item, time in enumerate(times))
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\n" + rows)
    return read(tmp_path / "log.csv", time_format)


@pytest.mark.parametrize(
    ("times", "expected", "unit"),
    [
        ([1600000000, 1600000001], [1600000000, 1600000001], "s"),
        (["1600000000.0", "1.6e9"], [1600000000, 1600000000], "s"),
        ([1600000000000, 1600000000200], [1600000000000, 1600000000200], "ms"),
        ([1600000000000, 1600000001000], [1600000000, 1600000001], "s"),
        (["1600000000.5", "1600000001"], [1600000000500, 1600000001000], "ms"),
        (["1600000000000.25"], [1600000000000250], "us"),
        (["1600000000.123456789"], [1600000000123456789], "ns"),  # float64 would give ...789 as ...717
        ([1600000000123456789], [1600000000123456789], "ns"),
        (["2020-09-13T12:26:40.200Z", "2020-09-13T12:26:40Z"], [1600000000200, 1600000000000], "ms"),
        (["2020-09-13 12:26:40", "2020-09-13T14:26:40.000001+02:00"], [1600000000000000, 1600000000000001], "us"),
        (["2020-09-13"], [1599955200], "s"),
    ],
)
def test_nothing_of_a_time_is_lost(tmp_path: Path, times: list, expected: list[int], unit: str) -> None:
    raw = written(tmp_path, *times)
    assert (raw.timestamps.tolist(), raw.time_unit) == (expected, unit)
    rows = code_log(raw, explicit=False).interactions
    assert rows.time_unit == unit and rows.timestamps.dtype == np.int64


def test_a_format_keeps_fractions(tmp_path: Path) -> None:
    raw = written(tmp_path, "13.09.2020 12:26:40.2", time_format="%d.%m.%Y %H:%M:%S.%f")
    assert (raw.timestamps.tolist(), raw.time_unit) == ([1600000000200], "ms")


@pytest.mark.parametrize(
    ("column", "expected", "unit"),
    [
        (pa.array([1600000000200], pa.timestamp("ms")), 1600000000200, "ms"),
        (pa.array([1600000000000000000], pa.timestamp("ns", "Asia/Tokyo")), 1600000000, "s"),
        (pa.array([18518], pa.date32()), 1599955200, "s"),
        (pa.array([1600000000.1]), 1600000000100, "ms"),
        (pa.array([Decimal("1600000000.125")]), 1600000000125, "ms"),
    ],
    ids=str,
)
def test_types_of_parquet_and_frames(tmp_path: Path, column: pa.Array, expected: int, unit: str) -> None:
    parquet.write_table(pa.table({"user_id": [1], "item_id": [2], "timestamp": column}), tmp_path / "log.parquet")
    raw = read(tmp_path / "log.parquet")
    assert (raw.timestamps.tolist(), raw.time_unit) == ([expected], unit)
    rows = Dataset.from_frame(pd.read_parquet(tmp_path / "log.parquet")).interactions
    assert (rows.timestamps.tolist(), rows.time_unit) == ([expected], unit)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1600000000, 1600000060000], r"in several units .*: row 1 \(1600000000\) in s, row 2 \(1600000060000\) in ms"),
        ([0, 1600000000123456, 1600000000], "row 3 .* in s, row 2 .* in us"),
        ([100, "1e300"], "row 2: time 1e300 is beyond 64 bits"),
        ([9223372036854775808], "row 1: time 9223372036854775808 is beyond 64 bits"),
        (["1600000000.5", "9000000000000000000"], "is beyond what ms in 64 bits can hold"),
        ([1600000000, "2020-01-01"], "row 2: '2020-01-01' is not a number"),
        ([1600000000, "NA"], "1 rows are empty or NaN; the first is row 2"),
        ([1600000000, "0x10"], "row 2: '0x10' is not a number"),
    ],
)
def test_what_no_one_unit_fits_is_refused(tmp_path: Path, times: list, message: str) -> None:
    with pytest.raises(DataError, match=f"column timestamp: .*{message}"):
        written(tmp_path, *times)


def test_times_of_other_centuries_are_told_and_those_of_a_counter_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert written(tmp_path, 1600000000, 5).timestamps.tolist() == [1600000000, 5]
    assert "1 of 2 times lie outside 1990-2100, the first in row 2 (5 s since 1970)" in caplog.text
    assert written(tmp_path, *range(0, 9 * 10**11, 10**11)).time_unit == "s"  # a counter is no mixture of units
    caplog.clear()
    assert written(tmp_path, 631152000, 4102444799).time_unit == "s"
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (np.array([1.7e9, 1.7e9 + 1], np.float32), "float32, which cannot represent all integers above 16777216"),
        (np.array([1.7e18, 1.7e18 + 256]), "float64, which cannot represent all integers above 9007199254740992"),
        (np.array([1.7e9, 1.7e9 + 0.5]), ""),
        (pd.Series(["1.7000000005e9", "1.7e9"]), ""),  # its digits are none after the point
    ],
    ids=["seconds", "ns", "exact", "exponent"],
)
def test_times_that_floats_have_merged_are_told(caplog: pytest.LogCaptureFixture, times: Any, told: str) -> None:
    Dataset.from_frame(pd.DataFrame({"user_id": [1, 2], "item_id": [1, 2], "timestamp": times}))
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == (told != "") and all(told in line for line in warnings)


def test_config_stays_in_seconds() -> None:
    def rows(factor: int, unit: str) -> Dataset:
        times = np.array([0, 86400, 3 * 86400, 10 * 86400], np.int64) * factor
        users = np.arange(4, dtype=np.int32)
        log = Interactions(users, users % 2, np.ones(4, np.float32), 4, 2, timestamps=times, time_unit=unit)
        return Dataset("x", log, np.arange(4), np.arange(2))

    seconds, millis = rows(1, "s"), rows(1000, "ms")
    window = TimeWindow(since=86400, until=10 * 86400)
    split = recexp.make("split=temporal", "split.test_ratio=null", "split.test_from=1970-01-04")
    half_life = Popularity(half_life_days=2.0)
    for data in (seconds, millis):
        assert window.apply(data, rng=np.random.default_rng(0)).interactions.users.tolist() == [1, 2]
        assert split.assign(data.interactions, rng=np.random.default_rng(0)).tolist() == [0, 0, 2, 2]
    np.testing.assert_allclose(half_life.fit(seconds).counts_, half_life.fit(millis).counts_)
    assert seconds.fingerprint != millis.fingerprint


def test_whole_seconds_keep_their_digest() -> None:
    one = np.zeros(1, np.int32)
    rows = Interactions(one, one, np.ones(1, np.float32), 1, 1, timestamps=np.array([7]))
    # of the code of 0.1.0, which knew no units
    assert rows.fingerprint == "4a4f85266227dcd30ffd7f27ae4df2967750c875a3dec056e94d2421ccbb5ad1"


def test_files_of_a_split_may_have_another_unit(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("user_id,item_id,timestamp\n1,9,1600000100500\n2,9,1600000100000\n")
    split = recexp.make("split=predefined", f"split.test={tmp_path / 'test.csv'}")
    log = pd.DataFrame({"user_id": [1, 2], "item_id": [3, 3], "timestamp": [1600000000, 1600000001]})
    [found] = split.split(Dataset.from_frame(log))
    assert found.train.interactions.timestamps.tolist() == [1600000000000, 1600000001000]
    assert found.queries.timestamps.tolist() == [1600000100500, 1600000100000]
    assert found.train.interactions.time_unit == found.test.time_unit == found.queries.log.time_unit == "ms"


@pytest.mark.parametrize("text", ["%Q", "%Y%Y", "%", "%s", "%d-%"])
def test_a_format_that_strptime_does_not_know_is_refused_at_once(text: str) -> None:
    for group, field in (("dataset=files", "interactions"), ("split=predefined", "test")):
        name = group.partition("=")[0]
        with pytest.raises(ConfigError, match=rf"{name}\.time_format: must be a format of strptime"):
            recexp.make(group, f"{name}.{field}=log.csv", f"{name}.time_format='{text}'")


@pytest.mark.parametrize(
    ("time_format", "cells"),
    [
        ("%d.%m.%Y %H:%M:%S", ["29.02.2024 23:59:59", "01.01.1970 00:00:00", "31.12.1969 00:00:01"]),
        ("%m/%d/%Y", ["02/29/2024", "12/31/1905"]),
        ("%Y%m%d%H", ["2024013123"]),
        ("%H:%M on %d-%m-%Y", ["23:01 on 05-06-2024"]),
        ("%d.%m.%Y", ["5.6.2024", "05.06.2024"]),  # not all of one length: by pandas
    ],
)
def test_times_of_a_format_are_those_that_python_reads(tmp_path: Path, time_format: str, cells: list[str]) -> None:
    raw = written(tmp_path, *cells, time_format=time_format)
    expected = [datetime.strptime(cell, time_format).replace(tzinfo=UTC).timestamp() for cell in cells]
    assert (raw.timestamps.tolist(), raw.time_unit) == (expected, "s")


@pytest.mark.parametrize("cell", ["31.02.2024", "05/06.2024", "0x.06.2024", "05.13.2024", "05.06.0000"])
def test_what_is_no_time_of_a_format_is_refused_although_it_has_its_length(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=rf"row 2: '{cell}' is not a time of the form %d\.%m\.%Y"):
        written(tmp_path, "05.06.2024", cell, time_format="%d.%m.%Y")


def test_a_format_reads_all_of_many_rows() -> None:
    """More than are read at a time, and a part of a column."""
    seconds = np.arange(150_000) * 1000
    cells = pa.array(pd.to_datetime(seconds, unit="s").strftime("%d.%m.%Y %H:%M:%S")).cast(pa.string())
    for column in (cells.slice(7), pa.chunked_array([cells.slice(7, 80_000), cells.slice(80_007)])):
        assert (fixed_times(column, "%d.%m.%Y %H:%M:%S") == seconds[7:]).all()
