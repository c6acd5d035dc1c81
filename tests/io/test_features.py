"""Side tables: kinds inferred or stated, rows matched by id."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recexp.errors import DataError
from recexp.io import Features, Ids, RawLog, code_log, read_features
from recexp.io.features import typed

TABLE = """item_id,name,genres,price,year,flag
1,The long dark night of the whale,Drama|War,9.5,1999,yes
3,A very short story of a cat,Comedy,,2001,no
4,One more sentence that nobody reads,,12,,no
"""


def table(tmp_path: Path, text: str = TABLE, kinds: dict | None = None) -> Features:
    (tmp_path / "items.csv").write_text(text)
    return read_features(tmp_path / "items.csv", id_column="item_id", kinds=kinds, separator=None)


def test_kinds_are_inferred(tmp_path: Path) -> None:
    found = {name: column.kind for name, column in table(tmp_path).columns.items()}
    assert found == {
        "name": "text",
        "genres": "multi_category",
        "price": "price",
        "year": "numeric",
        "flag": "category",
    }


def test_rows_are_matched_by_id_and_missing_ones_are_missing(tmp_path: Path) -> None:
    raw = RawLog(users=Ids.of(np.array([1, 1, 1])), items=Ids.of(np.array([3, 2, 1])))
    items = code_log(raw, explicit=False, items=table(tmp_path)).items  # items 1, 2, 3
    np.testing.assert_array_equal(items["year"].values, [1999, np.nan, 2001])
    assert items["name"].values.tolist() == ["The long dark night of the whale", "", "A very short story of a cat"]
    assert items["flag"].values.tolist() == [1, -1, 0]
    assert items["genres"].categories == ("Comedy", "Drama", "War")
    np.testing.assert_array_equal(items["genres"].indicators().toarray(), [[0, 1, 1], [0, 0, 0], [1, 0, 0]])


def test_stated_kinds_select_columns(tmp_path: Path) -> None:
    columns = table(tmp_path, kinds={"year": "category", "name": "multi_category"}).columns
    assert columns["year"].categories == ("1999", "2001") and set(columns) == {"year", "name"}
    assert columns["name"].offsets.tolist() == [0, 7, 14, 20]


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["Action, Drama", "War"], ("Action", "Drama", "War")),
        (["Action,Drama", "Sci Fi, War"], ("Action", "Drama", "Sci Fi", "War")),
        (["Action Drama", "War"], ("Action", "Drama", "War")),
        (["Story, The", "Toy Story"], ("Story,", "Story", "The", "Toy")),  # words: not each blank follows a comma
        (["a, b|c", "d e"], ("a, b", "c", "d e")),
    ],
)
def test_names_in_one_cell_are_told_apart(cells: list[str], names: tuple[str, ...]) -> None:
    assert set(typed({"genres": pa.chunked_array([cells])}, "genres", "multi_category", "x").categories) == set(names)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'colour'; its columns are item_id, name"):
        table(tmp_path, kinds={"colour": "category"})
    with pytest.raises(DataError, match="column flag: row 1: 'yes' is not a number"):
        table(tmp_path, kinds={"flag": "numeric"})
    with pytest.raises(DataError, match="column item_id: row 4: 1 already has a row"):
        table(tmp_path, TABLE + "1,again,,,,\n")
    with pytest.raises(DataError, match="no column 'item_id'; its columns are id"):
        table(tmp_path, "id,name\n1,x\n")
