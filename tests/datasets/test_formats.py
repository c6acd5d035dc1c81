"""The usual formats of the field: small files by hand, and the real ones with their published counts."""

import gzip
from pathlib import Path

import numpy as np
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import DataError
from recexp.history.archive import Archive
from recexp.testing import check_dataset


def load(name: str, path: Path, *overrides: str, field: str = "interactions") -> Dataset:
    source = recexp.make(f"dataset={name}", f"dataset.{field}={path}", *overrides)
    source.check()
    assert source.location() == path
    return source.load()


def test_own_files(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text("who\titem_id\trating\ttimestamp\nben\t2\t4\t50\nanna\t1\t5\t60\n")
    (tmp_path / "people.csv").write_text("who,age\nanna,30\nzoe,1\n")
    (tmp_path / "things.jsonl").write_text('{"item_id": 1, "price": 2.5, "tags": ["a", "b"]}\n')
    data = load(
        "files",
        tmp_path / "log.tsv",
        "dataset.columns.user=who",
        f"dataset.users={tmp_path / 'people.csv'}",
        f"dataset.items={tmp_path / 'things.jsonl'}",
    )
    assert data.user_ids.tolist() == ["anna", "ben"] and data.interactions.users.tolist() == [1, 0]
    np.testing.assert_array_equal(data.users["age"].values, [30, np.nan])
    np.testing.assert_array_equal(data.items["price"].values, [2.5, np.nan])
    assert data.items["price"].kind == "price" and data.items["tags"].offsets.tolist() == [0, 2, 2]
    assert data.interactions.explicit


def test_own_data_are_called_as_their_option_or_their_file(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = "user_id,item_id\n" + "".join(f"{u},{i}\n" for u in range(9) for i in range(9) if (u + i) % 4)
    (workplace / "clicks.2024.csv").write_text(log)
    (workplace / "plain.csv.gz").write_bytes(gzip.compress(log.encode()))
    (workplace / "mine" / "dataset").mkdir(parents=True)
    for name, more in (("films", ""), ("named", "name: Our films\n")):
        text = f"# ours\ndefaults: [files]\ninteractions: clicks.2024.csv\n{more}"
        (workplace / "mine" / "dataset" / f"{name}.yaml").write_text(text)
    for words, name in (
        (["dataset=films"], "films"),
        (["dataset=named"], "Our films"),
        (["dataset=files", "dataset.interactions=clicks.2024.csv"], "clicks.2024"),
        (["dataset=files", "dataset.interactions=plain.csv.gz"], "plain"),
        (["dataset=files", "dataset.interactions=plain.csv.gz", "dataset.name=mine"], "mine"),
        (["dataset=sessions", "dataset.interactions=plain.csv.gz"], "plain"),
        (["dataset=movielens_100k"], "movielens_100k"),
    ):
        assert recexp.make(*words, config_dir="mine").name == name
    small = ["filter=all_positive", "algorithm=popularity", "tracking.log_model=false"]
    first = recexp.run("dataset=films", *small, config_dir="mine")
    other = recexp.run("dataset=files", "dataset.interactions=plain.csv.gz", *small)
    archive = Archive(None)
    runs = [archive.run(outcome.run_id) for outcome in (first, other)]
    assert [run.tags["dataset"] for run in runs] == [run.params["dataset.name"] for run in runs] == ["films", "plain"]
    assert runs[0].tags["recexp.protocol"] == runs[1].tags["recexp.protocol"], "a name is no part of what was asked"


def test_weights_order_context_and_folds_of_own_files(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,rating,part,place\n1,1,7,x,home\n1,1,9,y,work\n")
    with pytest.raises(DataError, match=r"1 rows repeat an earlier row \(user, item\)"):
        load("files", path)
    settings = ["dataset.columns.fold=part", "dataset.context={place: category}", "dataset.explicit=false"]
    data = load("files", path, "dataset.duplicates=keep", *settings)
    assert not data.interactions.explicit and data.interactions.values.tolist() == [7, 9]
    assert data.interactions.context["fold"].categories == ("x", "y")
    assert data.interactions.context["place"].values.tolist() == [0, 1]
    assert data.interactions.timestamps is None
    assert load("files", path, "dataset.order=file").interactions.timestamps.tolist() == [0, 1]


TIMES = "1,1,4,1969-12-31T23:59:59\n1,2,3,1970-01-01T00:00:00\n2,1,5,2026-12-01T13:30:00.25\n"
"""A Wednesday, a Thursday and a Tuesday."""


@pytest.mark.parametrize("fraction", [".25", ""])
def test_hour_and_weekday_are_made_of_times(tmp_path: Path, fraction: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,rating,timestamp\n" + TIMES.replace(".25", fraction))
    context = load("files", path, "dataset.derive=[hour,weekday]").interactions.context
    found = {name: [column.categories[code] for code in column.values] for name, column in context.items()}
    assert found == {"hour": ["23", "00", "13"], "weekday": ["wednesday", "thursday", "tuesday"]}
    assert not load("files", path).interactions.context


def test_hour_and_weekday_of_what_has_no_times_or_has_them_already(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp,hour\n1,1,5,x\n")
    with pytest.raises(DataError, match=r"^dataset\.derive: log has a context column hour already$"):
        load("files", path, "dataset.derive=[hour]", "dataset.context={hour: category}")
    with pytest.raises(
        DataError, match=r"^dataset\.derive: hour is made of times, and log has none; name their column"
    ):
        load("files", path, "dataset.derive=[hour]", "dataset.columns.timestamp=null")
    with pytest.raises(DataError, match=r"^dataset\.derive: weekday .* dataset\.order=file has row numbers for times$"):
        load("files", path, "dataset.derive=[weekday]", "dataset.order=file")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("files", "user_id,item_id,rating\na,7,\nb,8,4\n"),
        ("recbole", "user_id:token\titem_id:token\n5\ta\n"),
        ("lightgcn", "0 3 4\n1 3\n"),
        ("sessions", "SessionId,ItemId,Time\n1,5,7\n1,6,8\n"),
        ("session_lines", "3 4 5\n4 9\n"),
    ],
)
def test_sources_of_files_keep_what_sources_promise(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    check_dataset(recexp.make(f"dataset={name}", f"dataset.interactions={tmp_path / 'log.csv'}", "dataset.name=mine"))


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("dataset=files", set()),
        ("dataset=files dataset.columns={timestamp:null}", {"order", "timestamps"}),
        ("dataset=files dataset.columns={timestamp:null} dataset.order=file", set()),
        ("dataset=lightgcn", {"order", "timestamps"}),
        ("dataset=session_lines", set()),
    ],
)
def test_that_there_are_no_times_is_known_before_loading(setting: str, expected: set[str]) -> None:
    assert recexp.make(*setting.split(), "dataset.interactions=log.csv", "dataset.name=mine").lacks() == expected


@pytest.mark.parametrize("field", ["interactions", "users", "items"])
def test_missing_files_are_seen_before_loading(tmp_path: Path, field: str) -> None:
    (tmp_path / "log.csv").write_text("user_id,item_id\n1,1\n")
    overrides = ["dataset=files", f"dataset.interactions={tmp_path / 'log.csv'}", f"dataset.{field}=nowhere.csv"]
    with pytest.raises(DataError, match=f"dataset.{field}: nowhere.csv: no such file"):
        recexp.make(*overrides).check()


def test_features_without_a_table(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,item_id\n1,1\n")
    with pytest.raises(DataError, match=r"dataset\.item_features is set, but dataset\.items names no table"):
        load("files", tmp_path / "log.csv", "dataset.item_features={year: numeric}")


def test_recbole_with_its_side_tables(tmp_path: Path) -> None:
    (tmp_path / "x.inter").write_text("user_id:token\titem_id:token\trating:float\ttimestamp:float\n5\ta\t3\t100.0\n")
    (tmp_path / "x.item").write_text(
        'item_id:token\tyear:float\tclass:token_seq\tname:token\tv:float_seq\na\t1999\tWar Drama\t"Odd\t1 2\n'
    )
    data = load("recbole", tmp_path / "x.inter")
    assert data.user_ids.tolist() == [5] and data.item_ids.tolist() == ["a"]
    assert data.interactions.timestamps.tolist() == [100] and data.users == {}
    assert {name: column.kind for name, column in data.items.items()} == {
        "year": "numeric",
        "class": "multi_category",
        "name": "category",
    }
    assert data.items["class"].categories == ("Drama", "War") and data.items["name"].categories == ('"Odd',)


def test_online_retail_leaves_out_cancellations_and_strangers(tmp_path: Path) -> None:
    (tmp_path / "retail.csv").write_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,,6,12/1/2010 8:26,2.5,17850.0,France\n"
        "536366,85123A,HOLDER ,2,12/1/2010 8:28,3.5,17851.0,Spain\n"
        "C536379,85123A,HOLDER,-1,12/1/2010 9:41,2.5,17850.0,France\n"
        "536380,22752,BOXES,1,12/1/2010 9:45,9,,Spain\n"
    )
    data = load("online_retail", tmp_path / "retail.csv", "dataset.time_format='%m/%d/%Y %H:%M'", field="path")
    assert data.user_ids.tolist() == [17850, 17851] and data.item_ids.tolist() == ["85123A"]
    assert data.interactions.values.tolist() == [6, 2] and not data.interactions.explicit
    assert data.interactions.sessions.tolist() == [0, 1]
    assert data.interactions.timestamps.tolist() == [1291191960, 1291191960 + 120]
    assert data.items["description"].values.tolist() == ["HOLDER"] and data.items["price"].values.tolist() == [3.0]
    assert data.users["country"].categories == ("France", "Spain")


def groceries(folder: Path) -> None:
    """Write the three tables of The Complete Journey, small."""
    folder.mkdir(exist_ok=True)
    (folder / "transactions.csv").write_text(
        "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,"
        "transaction_timestamp\n"
        "900,330,31,1095275,2,5.0,1.0,0.5,0.5,1,2017-01-01 11:53:26\n"
        "900,330,31,1095275,0,0.0,0.0,0.0,0.0,1,2017-01-01 11:53:26\n"
        "906,406,32,1095275,1,4.5,0.0,0.0,0.0,1,2017-01-01 12:10:28\n"
        "906,406,32,25671,1,3.0,0.0,0.0,0.0,1,2017-01-01 12:10:28\n"
    )
    (folder / "products.csv").write_text(
        "product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n"
        "25671,2,GROCERY,National,FRZN ICE,ICE - CRUSHED/CUBED,22 LB\n"
        "1095275,69,PASTRY,Private,ROLLS,ROLLS: DINNER,\n"
        "26081,2,MISCELLANEOUS,National,,,\n"
    )
    (folder / "demographics.csv").write_text(
        "household_id,age,income,home_ownership,marital_status,household_size,household_comp,kids_count\n"
        "900,35-44,35-49K,Homeowner,Married,2,2 Adults No Kids,0\n"
    )


def test_the_complete_journey_has_prices_and_demographics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groceries(tmp_path / "complete-journey")
    monkeypatch.setenv("RECEXP_DATA", str(tmp_path))
    source = recexp.make("dataset=complete_journey")
    check_dataset(source)
    data = source.load()
    rows = data.interactions
    assert data.user_ids.tolist() == [900, 906] and data.item_ids.tolist() == [25671, 1095275]
    assert rows.values.tolist() == [2, 1, 1] and not rows.explicit, "what has quantity 0 is not sold"
    assert rows.sessions.tolist() == [0, 1, 1] and rows.timestamps.tolist() == [1483271606, 1483272628, 1483272628]
    assert rows.context["price"].values.tolist() == [2.5, 4.5, 3] and rows.context["price"].kind == "price"
    assert rows.context["discount"].values.tolist() == [0.75, 0, 0]
    assert data.items["price"].values.tolist() == [3, 3.5] and data.items["brand"].values.tolist() == [0, 1]
    assert data.users["age"].values.tolist() == [0, -1] and data.users["age"].categories == ("35-44",)
    assert data.listed.ids.tolist() == [26081] and np.isnan(data.listed.columns["price"].values).all()
    (tmp_path / "complete-journey" / "products.csv").unlink()
    with pytest.raises(DataError, match=r"^dataset\.root: transactions, products, demographics .* not all in .*RECEXP"):
        source.load()


@pytest.mark.parametrize(
    ("name", "field", "file", "counts"),
    [
        ("lightgcn", "interactions", "gowalla-lightgcn/gowalla.zip/gowalla/train.txt", (810_128, 29_858, 40_981)),
        (
            "amazon_reviews",
            "interactions",
            "amazon-musical-instruments/Musical_Instruments_5.json.gz",
            (10_261, 1429, 900),
        ),
        ("sessions", "interactions", "yoochoose-100k/yoochoose-clicks-100k_train_full.txt.gz", (70_278, 17_794, 2933)),
        ("session_lines", "interactions", "tmall-sessions/train_sessions.txt.gz", (416_554, 65_286, 40_727)),
        ("online_retail", "path", "online-retail/online_retail.parquet", (397_924, 4339, 3665)),
        ("complete_journey", "root", "complete-journey", (1_460_438, 2469, 68_260)),
    ],
)
def test_counts_of_real_files(shared: Path, name: str, field: str, file: str, counts: tuple[int, int, int]) -> None:
    data = load(name, shared / file, field=field)
    assert (len(data.interactions), data.n_users, data.n_items) == counts


def test_sessions_are_users(shared: Path) -> None:
    data = load("sessions", shared / "yoochoose-100k/yoochoose-clicks-100k_train_full.txt.gz")
    np.testing.assert_array_equal(data.interactions.sessions, data.interactions.users)
    assert (data.interactions.timestamps[0], data.interactions.time_unit) == (1396437466940, "ms")


def test_texts_of_reviews(shared: Path) -> None:
    data = load("amazon_reviews", shared / "amazon-musical-instruments/Musical_Instruments_5.json.gz")
    assert data.interactions.context["summary"].values[0] == "good"
    assert data.interactions.explicit and data.item_ids[0] == "1384719342"


def test_online_retail_is_found_in_the_folder_of_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"]
    lines += [f"{n},{n % 2},thing,{n},2011-01-0{n} 08:00:00,1.5,{n % 3},France" for n in range(1, 6)]
    for folder in ("online-retail", "online_retail", "."):
        (tmp_path / folder).mkdir(exist_ok=True)
        file = tmp_path / folder / "online_retail.csv"
        file.write_text("\n".join(lines))
        for shared in {tmp_path, file.parent}:
            monkeypatch.setenv("RECEXP_DATA", str(shared))
            source = recexp.make("dataset=online_retail")
            assert len(source.load().interactions) == 5
            assert source.files() == {"path": file}
        file.unlink()
        with pytest.raises(DataError, match=r"^dataset\.path: .* RECEXP_DATA .* online_retail\.parquet"):
            source.load()
