"""A dataset of DataFrames in memory is the one that their rows in files make; what cannot be read names its column."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import ConfigError, DataError

ROWS = {
    "user_id": ["ben", "ann", "ben", "zoe", "ann"],
    "item_id": [30, 4, 4, 4, 30],
    "rating": [4.0, 2.5, np.nan, 5.0, 1.0],
    "timestamp": [50, 40, 60, 10, 20],
    "event": ["rating", "rating", "view", "rating", None],
    "session_id": [1, 0, 2, 7, 0],
    "device": ["phone", "tv", "tv", "phone", "phone"],
    "week": ["a", "b", "a", "b", "a"],
}
ITEMS = {
    "item_id": [4, 5, 30],
    "price": [1.5, 3.0, np.nan],
    "genres": ["noir|drama", "drama", "noir"],
    "new": [True, False, True],
    "about": ["a very long night in town", "a very short day in town", "what a very fine town it is"],
}
USERS = {"user_id": ["ann", "ben"], "city": pd.Categorical(["Rome", "Oslo"]), "age": [30, 41]}
MORE: dict[str, Any] = {"columns": {"fold": "week"}, "context": {"device": "category"}}
NODE = ["dataset.columns.fold=week", "dataset.context={device: category}"]


def from_files(folder: Path, rows: pd.DataFrame, *overrides: str, **tables: pd.DataFrame) -> Dataset:
    for name, table in {"interactions": rows, **tables}.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        overrides = (*overrides, f"dataset.{name}={folder / name}.csv")
    return recexp.make("dataset=files", *overrides).load()


def test_it_is_the_dataset_of_the_same_rows_in_files(tmp_path: Path) -> None:
    rows, items, users = map(pd.DataFrame, (ROWS, ITEMS, USERS))
    made = Dataset.from_frame(rows, items=items, users=users, **MORE)
    assert made.fingerprint == from_files(tmp_path, rows, *NODE, items=items, users=users).fingerprint
    assert made.name == "frame" and made.user_ids.tolist() == ["ann", "ben", "zoe"]
    assert made.items["price"].kind == "price" and made.items["about"].kind == "text"
    assert {*made.interactions.context} == {"device", "fold"} and made.interactions.explicit


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": [5, 7, 5, 9, 7]},
        {"user_id": ["5", "7", "5", "9", "7"]},
        {"user_id": [5.0, 7.0, 5.0, 9.0, 7.0]},
        {"item_id": pd.Categorical(["i", "j", "j", "j", "i"])},
        {"timestamp": pd.to_datetime([50, 40, 60, 10, 20], unit="D")},
        {"timestamp": pd.to_datetime([50, 40, 60, 10, 20], unit="D").tz_localize("Asia/Tokyo")},
        {"timestamp": [1.7e12, 1.6e12, 1.71e12, 1.5e12, 1.4e12]},
        {"rating": pd.array([4, 2, None, 5, 1], dtype="Int64")},
        {"event": [True, False, True, True, True]},
        {"session_id": ["x", "y", "z", "x", "y"]},
    ],
    ids=lambda change: "-".join(
        f"{name} {getattr(values, 'dtype', type(values[0]).__name__)}" for name, values in change.items()
    ),
)
def test_types_of_columns_are_read_as_in_files(tmp_path: Path, change: dict[str, Any]) -> None:
    rows = pd.DataFrame({**ROWS, **change})
    assert Dataset.from_frame(rows).fingerprint == from_files(tmp_path, rows).fingerprint


def test_columns_that_may_be_absent_and_other_names(tmp_path: Path) -> None:
    rows = pd.DataFrame({"who": ["b", "a"], "item_id": [1, 2], "amount": [3, 8]})
    made = Dataset.from_frame(rows, columns={"user": "who", "rating": "amount"}, explicit=False, name="shop")
    assert made.name == "shop" and made.interactions.values.tolist() == [3, 8] and not made.interactions.explicit
    assert made.interactions.timestamps is None and made.interactions.events is None
    plain = Dataset.from_frame(rows.rename(columns={"who": "user_id"}))
    assert plain.interactions.values.tolist() == [1, 1] and not plain.interactions.explicit


def test_tables_may_be_indexed_by_id_and_kinds_named() -> None:
    rows, items = pd.DataFrame(ROWS), pd.DataFrame(ITEMS).set_index("item_id")
    made = Dataset.from_frame(rows, items=items, item_features={"price": "numeric"})
    assert {name: column.kind for name, column in made.items.items()} == {"price": "numeric"}
    np.testing.assert_array_equal(made.items["price"].values, [1.5, np.nan])


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        ({"item_id": [1]}, {}, "frame: no user column 'user_id'; its columns are item_id (name it: Dataset.from_frame"),
        ({"user_id": [1]}, {"columns": {"item": "film"}}, "frame: no item column 'film'; its columns are user_id"),
        ({"user_id": [1, None], "item_id": [1, 2]}, {}, "frame: column user_id: 1 rows are empty or NaN; the first is"),
        (
            {"user_id": [1, "a"], "item_id": [1, 2]},
            {},
            "frame: column user_id: holds int, str values; expected numbers",
        ),
        ({"user_id": [1.5], "item_id": [1]}, {}, "frame: column user_id: row 1: 1.5 is not an id"),
        (
            {"user_id": [1], "item_id": [1], "rating": ["good"]},
            {},
            "frame: column rating: row 1: 'good' is not a number",
        ),
        (
            {"user_id": [1], "item_id": [1], "timestamp": ["May"]},
            {},
            "frame: column timestamp: row 1: 'May' is not a time",
        ),
        ({"user_id": [1], "item_id": [1], "timestamp": [pd.NaT]}, {}, "frame: column timestamp: 1 rows are empty"),
        ({"user_id": [], "item_id": []}, {}, "frame: has no rows"),
        (
            {"user_id": [1], "item_id": [1]},
            {"context": {"hour": "numeric"}},
            "frame: no column 'hour'; its columns are",
        ),
        ({"user_id": [1, 1], "item_id": [1, 1]}, {}, "frame: 1 rows repeat an earlier row (user, item); the first is"),
        (
            {"user_id": [1], "item_id": [1]},
            {"items": pd.DataFrame({"film": [1]})},
            "frame, items: no column 'item_id'; its columns are film",
        ),
        (
            {"user_id": [1], "item_id": [1]},
            {"users": pd.DataFrame({"user_id": [1], "seen": [object()]})},
            "frame, users: column seen: holds object values; expected numbers, text, times or lists of text",
        ),
        ({"user_id": [1], "item_id": [1]}, {"items": [1]}, "frame, items: must be a pandas DataFrame (got list)"),
    ],
)
def test_what_cannot_be_read_names_its_column(rows: dict, more: dict, message: str) -> None:
    with pytest.raises(DataError) as caught:
        Dataset.from_frame(pd.DataFrame(rows), **more)
    assert str(caught.value).startswith(message)


def test_a_role_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"columns\.usr: unknown; did you mean user\? allowed: user, item, rating"):
        Dataset.from_frame(pd.DataFrame(ROWS), columns={"usr": "user_id"})


def test_categories_may_be_lists_or_sets() -> None:
    rows = pd.DataFrame({"user_id": [1], "item_id": [2]})
    for tags in (["b", "a"], {"a", "b"}):
        made = Dataset.from_frame(rows, items=pd.DataFrame({"item_id": [2], "tags": [tags]}))
        assert made.items["tags"].kind == "multi_category" and made.items["tags"].categories == ("a", "b")


def test_repeated_rows_are_kept_when_asked_for() -> None:
    rows = pd.DataFrame({"user_id": [1, 1], "item_id": [1, 1]})
    with pytest.raises(DataError, match=r'duplicates="keep" keeps them'):
        Dataset.from_frame(rows)
    assert len(Dataset.from_frame(rows, duplicates="keep").interactions) == 2


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        ("timestamps", True),
        ("links", False),
        ("item_prices", True),
        ("user_features", False),
        ("items.genres", True),
        ("items.publisher", False),
        ("users.genres", False),
        ("context.device", True),
    ],
)
def test_what_a_component_may_need(need: str, expected: bool) -> None:
    data = Dataset.from_frame(pd.DataFrame(ROWS), pd.DataFrame(ITEMS), context={"device": "category"})
    assert data.has(need) is expected


@pytest.mark.parametrize("need", ["prices", "item.price", "genres"])
def test_what_no_data_can_have_is_refused(need: str) -> None:
    with pytest.raises(
        ConfigError, match=f"a component needs '{need}', which is not one of timestamps, .*, items.COLU"
    ):
        Dataset.from_frame(pd.DataFrame(ROWS)).has(need)
