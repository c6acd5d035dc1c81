"""Files as shops export them: decimal commas, other encodings, guests, quantities, Excel."""

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import ConfigError, DataError
from recexp.io import open_table, tables

ORDERS = """Kunde;Artikel;Menge;Preis;Datum
007;A1;2;3,50;31.12.2023 09:15
;A1;1;3,50;31.12.2023 10:00
007;B2;-1;1.234,5;01.01.2024 11:30
042;Süßes €;1.000;,5;02.01.2024 00:00
"""
COLUMNS = "dataset.columns={user:Kunde,item:Artikel,rating:null,quantity:Menge,timestamp:Datum}"
HOW = [COLUMNS, "dataset.time_format='%d.%m.%Y %H:%M'", "dataset.missing_user=drop", "dataset.decimal=','"]


def load(path: Path, *words: str) -> Dataset:
    return recexp.make("dataset=files", f"dataset.interactions={path}", *words).load()


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8"])
def test_an_export_is_read_as_it_is_meant(tmp_path: Path, encoding: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "orders.csv").write_bytes(ORDERS.encode(encoding))
    data = load(tmp_path / "orders.csv", *HOW, f"dataset.encoding={encoding}", "dataset.context={Preis:price}")
    rows = data.interactions
    assert data.user_ids.tolist() == ["007", "042"] and data.item_ids.tolist() == ["A1", "B2", "Süßes €"]
    assert rows.values.tolist() == [2, -1, 1000] and not rows.explicit
    np.testing.assert_allclose(rows.context["Preis"].values, [3.5, 1234.5, 0.5])
    moments = [(2023, 12, 31, 9, 15), (2024, 1, 1, 11, 30), (2024, 1, 2)]
    assert rows.timestamps.tolist() == [
        int(datetime.datetime(*moment, tzinfo=datetime.UTC).timestamp()) for moment in moments
    ]
    assert "1 of 4 rows have no user and are dropped" in caplog.text


def test_tables_have_the_same_decimal_sign_and_may_name_ids_otherwise(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "products.csv").write_text("ArtNr;Titel;Preis;Gewicht\nA1;Tee;3,50;0,5\nB2;Kaffee;1.234,5;NA\n")
    data = load(tmp_path / "orders.csv", *HOW, f"dataset.items={tmp_path / 'products.csv'}", "dataset.item_id=ArtNr")
    kinds = {name: column.kind for name, column in data.items.items()}
    assert kinds == {"Titel": "category", "Preis": "numeric", "Gewicht": "numeric"}
    np.testing.assert_allclose(data.items["Preis"].values, [3.5, 1234.5, np.nan])
    np.testing.assert_allclose(data.items["Gewicht"].values, [0.5, np.nan, np.nan])


REFUSED = {
    "guests": ([COLUMNS, *HOW[1:2], HOW[3]], "column Kunde: 1 rows are empty or NaN; the first is row 2; "),
    "comma": (
        [*HOW[:3], "dataset.context={Preis:price}"],
        "column Preis: row 1: '3,50' is not a number with a decimal point; dataset.decimal=',' reads it with a comma",
    ),
    "bytes": ([*HOW, "dataset.encoding=ascii"], "is not text in dataset.encoding=ascii"),
    "two": (
        [COLUMNS.replace("rating:null", "rating:Preis"), *HOW[1:]],
        "'Preis' is read as rating and 'Menge' as quantity, but a row has one value; set",
    ),
    "point": ([*HOW, "dataset.context={Datum:numeric}"], "row 1: '31.12.2023 09:15' is not a number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_said_with_the_remedy(tmp_path: Path, case: str) -> None:
    words, message = REFUSED[case]
    (tmp_path / "orders.csv").write_text(ORDERS)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "orders.csv", *words)
    assert message in str(caught.value)


def test_an_encoding_that_python_lacks_is_refused_before_anything_is_read() -> None:
    for name in ("klingon", "zip"):
        with pytest.raises(ConfigError, match="encoding: must be a text encoding that Python knows"):
            recexp.make("dataset=files", "dataset.interactions=x.csv", f"dataset.encoding={name}")


def test_a_quantity_that_is_missing_counts_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "orders.csv").write_text("user_id,item_id,n\n1,a,2\n1,b,\n")
    data = load(tmp_path / "orders.csv", "dataset.columns.quantity=n")
    assert data.interactions.values.tolist() == [2, 0] and "1 of 2 rows have no quantity and count 0" in caplog.text


def test_quantities_of_frames_are_no_ratings() -> None:
    import pandas as pd

    frame = pd.DataFrame({"user_id": [1, 2], "item_id": [1, 1], "n": [3, -1]})
    data = Dataset.from_frame(frame, columns={"quantity": "n"})
    assert data.interactions.values.tolist() == [3, -1] and not data.interactions.explicit


def test_the_first_sheet_of_an_excel_file_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    noon = datetime.datetime(2024, 5, 31, 12)
    for row in (("user_id", "item_id", "n", "timestamp"), ("007", 85123, 2.0, noon), (8, "POST", 1.5, noon), ()):
        book.active.append(row)
    book.create_sheet("notes")
    book.save(tmp_path / "orders.xlsx")
    data = load(tmp_path / "orders.xlsx", "dataset.columns.quantity=n")
    assert data.user_ids.tolist() == ["007", "8"] and data.item_ids.tolist() == ["85123", "POST"]
    assert data.interactions.values.tolist() == [2, 1.5]
    assert set(data.interactions.timestamps) == {int(noon.replace(tzinfo=datetime.UTC).timestamp())}
    assert "reading sheet 'Sheet', the first of 2" in caplog.text
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(DataError, match=r"bad.xlsx: is not a readable Excel file"):
        load(tmp_path / "bad.xlsx")


LIKE_QUANTITIES = {
    "counts": ([1, 1, 2, 1, 96, 3], True),
    "returns": ([12, -12, 1, 6, 200, 2], True),
    "stars": ([1, 5, 3, 4, 5, 2], False),
    "percent": ([20, 60, 80, 100, 70, 90], False),
    "jokes": ([-9.5, 3.2, 8.1, 0, 1, 10], False),
}


@pytest.mark.parametrize("case", LIKE_QUANTITIES)
def test_quantities_in_the_column_of_ratings_are_told(
    tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    values, doubtful = LIKE_QUANTITIES[case]
    rows = "".join(f"u,i{n},{value}\n" for n, value in enumerate(values))
    (tmp_path / "log.csv").write_text(f"user_id,item_id,n\n{rows}")
    load(tmp_path / "log.csv", "dataset.columns.rating=n")
    assert ("dataset.columns.rating=null dataset.columns.quantity=n with filter=shop" in caplog.text) == doubtful


@pytest.mark.parametrize(
    ("text", "is_coded"),
    [
        ('a,b\n007,x\n7,\n007, x \n"q,1",""\n', True),
        ("a,b\n1,x\na,b\n2,x\n", False),  # the header line comes again
        ("a,b\n1,NA\n2,5\n", False),  # NA stands for an empty cell among numbers
        ('a\n""\n', True),
        ("a,b\r\n\u00e9,1\r\n", True),
    ],
    ids=["quotes", "header", "words", "one", "letters"],
)
def test_columns_that_are_coded_hold_the_cells_that_are_read(text: str, is_coded: bool, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    file = open_table(tmp_path / "a.csv", separator=None)
    coded, table = file.read_coded(file.names), file.read()
    assert {name: column.to_pylist() for name, column in coded.items()} == table.to_pydict()
    assert all(isinstance(column, pa.DictionaryArray) == is_coded for column in coded.values())


def test_text_is_recoded_a_block_at_a_time_as_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter of two bytes may lie across blocks."""
    monkeypatch.setattr(tables, "_BLOCK", 3)
    text = "a;b\nK\u00f6ln;5\u20ac\nM\u00fcnchen;7\n"
    for encoding in ("cp1252", "utf-16", "utf-8"):
        (tmp_path / "a.csv").write_bytes(text.encode(encoding, "replace"))
        table = open_table(tmp_path / "a.csv", separator=None, encoding=encoding).read()
        assert table["a"].to_pylist() == ["K\u00f6ln", "M\u00fcnchen"] and table["b"].to_pylist() == ["5\u20ac", "7"]
