"""Splits given as files: ids, items and users that train lacks, candidates, identity."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recexp.data import Column, Dataset, Interactions
from recexp.data.moments import with_moments
from recexp.errors import ConfigError, DataError
from recexp.splits.base import Splitter

Make = Callable[..., Splitter]


@pytest.fixture
def dataset() -> Dataset:
    """anna: p q; ben: q r; carl: p, with features of items."""
    rows = Interactions(
        users=np.array([0, 0, 1, 1, 2], np.int32),
        items=np.array([0, 1, 1, 2, 0], np.int32),
        values=np.ones(5, np.float32),
        n_users=3,
        n_items=3,
        timestamps=np.array([1, 2, 1, 3, 2]),
        events=Column.category(["view", "buy", "buy", "view", "view"]),
    )
    features = {
        "price": Column.numeric([1.0, 2.0, 3.0], "price"),
        "kind": Column.category(["a", "b", "a"]),
        "tags": Column.multi_category([["x"], ["y", "x"], []]),
        "title": Column.text(["P", "Q", "R"]),
    }
    names = np.array(["anna", "ben", "carl"], dtype=object)
    return Dataset("tiny", rows, names, np.array(["p", "q", "r"], dtype=object), items=features)


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def named(split, attribute: str) -> list[dict[str, list[str]]]:
    """Users in order with the item ids of their row in the target or candidates."""
    matrix = split.target if attribute == "target" else split.queries.candidates
    ids = split.train.item_ids
    rows = (sorted(ids[matrix.indices[slice(*matrix.indptr[q : q + 2])]]) for q in range(matrix.shape[0]))
    return [(split.train.user_ids[user], items) for user, items in zip(split.queries.users, rows, strict=True)]


def test_ids_are_mapped_and_unknown_users_counted(
    make: Make, dataset: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    test = write(tmp_path / "t.csv", "user_id,item_id\nben,p\ndora,p\nanna,r\ndora,q\nanna,q\nemil,p\n")
    [split] = make("predefined", test=test).split(dataset)
    assert named(split, "target") == [("anna", ["r"]), ("ben", ["p"])]  # q is in anna's train already
    assert len(split.test) == 3
    assert f"{test}: 2 of 4 users do not occur in train; their 3 rows are dropped" in caplog.text
    assert split.train.interactions.fingerprint == dataset.interactions.fingerprint


def test_repeated_rows_of_a_file_are_counted(
    make: Make, dataset: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    test = write(tmp_path / "t.csv", "user_id,item_id\nben,p\nben,p\n")
    [split] = make("predefined", test=test).split(dataset)
    assert split.target.nnz == 1
    assert f"{test}: 1 rows repeat a user and item, and are counted once" in caplog.text


def test_items_that_only_the_file_knows_join_the_catalogue_and_can_be_missed(
    make: Make, dataset: Dataset, tmp_path: Path
) -> None:
    test = write(tmp_path / "t.csv", "user_id,item_id\nanna,z\nanna,y\nben,y\n")
    [split] = make("predefined", test=test).split(dataset)
    train = split.train
    assert train.item_ids.tolist() == ["p", "q", "r", "y", "z"]
    assert named(split, "target") == [("anna", ["y", "z"]), ("ben", ["y"])]
    assert np.isnan(train.items["price"].values[3:]).all() and train.items["price"].values[0] == 1
    assert train.items["kind"].values.tolist() == [0, 1, 0, -1, -1]
    assert np.diff(train.items["tags"].offsets).tolist() == [1, 2, 0, 0, 0]
    assert train.items["title"].values.tolist() == ["P", "Q", "R", "", ""]
    assert split.target.shape == (2, 5)


def test_numbers_and_text_name_the_same_ids(make: Make, tmp_path: Path) -> None:
    rows = Interactions(np.zeros(2, np.int32), np.arange(2, dtype=np.int32), np.ones(2, np.float32), 1, 2)
    numbered = Dataset("numbered", rows, np.array([7]), np.array([10, 20]))
    [split] = make("predefined", test=write(tmp_path / "a.csv", "user_id,item_id\n7,30\n")).split(numbered)
    assert split.train.item_ids.tolist() == [10, 20, 30]
    [split] = make("predefined", test=write(tmp_path / "b.csv", "user_id,item_id\n7,x\n")).split(numbered)
    assert split.train.item_ids.tolist() == ["10", "20", "x"]


def test_only_the_same_number_is_a_user_of_train(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = Interactions(np.arange(3, dtype=np.int32), np.zeros(3, np.int32), np.ones(3, np.float32), 3, 2)
    train = Dataset("numbers", rows, np.array([7, 196, 1000]), np.array([1, 2]))
    asked = ("1_96", "007", "\uff17", "+7", "1e3", "1000.0", "True", "1000", "196")
    test = write(tmp_path / "t.csv", "user_id,item_id\n" + "".join(f"{user},2\n" for user in asked))
    [split] = make("predefined", test=test).split(train)
    assert sorted(split.train.user_ids[split.queries.users]) == [196, 1000]
    assert f"{test}: 7 of 9 users do not occur in train; their 7 rows are dropped" in caplog.text


def test_validation_joins_train_before_the_test(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    paths = {
        "validation": write(tmp_path / "v.csv", "user_id,item_id,timestamp,event\nanna,r,9,sale\ncarl,z,8,view\n"),
        "test": write(tmp_path / "t.csv", "user_id,item_id,timestamp\nanna,r,11\nanna,y,12\nben,z,10\n"),
    }
    [split] = make("predefined", **paths).split(dataset)
    assert len(split.validation.train.interactions) == 5
    assert named(split.validation, "target") == [("anna", ["r"]), ("carl", ["z"])]
    train = split.train.interactions
    assert train.items.tolist() == [0, 1, 1, 2, 0, 2, 4]
    assert train.timestamps.tolist() == [1, 2, 1, 3, 2, 9, 8]
    assert [train.events.categories[code] for code in train.events.values] == [
        "view",
        "buy",
        "buy",
        "view",
        "view",
        "sale",
        "view",
    ]
    assert named(split, "target") == [("anna", ["y"]), ("ben", ["z"])]  # r became train of anna


def test_values_of_the_files(make: Make, dataset: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Test values stay as they are; validation rows weigh in train what train rows weigh."""
    paths = {
        "validation": write(tmp_path / "v.csv", "user_id,item_id,rating\nanna,r,2\n"),
        "test": write(tmp_path / "t.csv", "user_id,item_id,rating\nben,p,5\nben,p,3\n"),
    }
    [binary] = make("predefined", **paths).split(dataset)
    assert binary.target.data.tolist() == [5] and binary.test.explicit
    assert binary.validation.target.data.tolist() == [2]
    assert "all rows count as positive, whatever their rating" in caplog.text
    assert binary.train.interactions.values.tolist() == [1] * 6
    rows = replace(dataset.interactions, values=np.array([4, 5, 3, 2, 1], np.float32), explicit=True)
    [rated] = make("predefined", **paths).split(replace(dataset, interactions=rows))
    assert rated.test.explicit and rated.test.values.tolist() == [5, 3]
    assert rated.train.interactions.values.tolist() == [4, 5, 3, 2, 1, 2]


def test_no_known_user_is_an_error(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    test = write(tmp_path / "t.csv", "user_id,item_id\ndora,p\nemil,p\n")
    with pytest.raises(DataError, match=r"^none of the 2 test users in .*t\.csv occurs in the training data"):
        list(make("predefined", test=test).split(dataset))


def test_missing_file_is_noticed_before_data_is_loaded(make: Make, tmp_path: Path) -> None:
    there = write(tmp_path / "t.csv", "user_id,item_id\nanna,p\n")
    make("predefined", test=there).check()
    with pytest.raises(DataError, match=r"split\.test: no such file: .*nowhere\.csv"):
        make("predefined", test=str(tmp_path / "nowhere.csv")).check()
    with pytest.raises(DataError, match=r"split\.validation: no such file"):
        make("predefined", test=there, validation=str(tmp_path / "nowhere.csv")).check()


def test_columns_have_the_names_that_one_says(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    test = write(tmp_path / "t.txt", "who;what\nanna;r\n")
    with pytest.raises(DataError, match=r"no user column 'user_id'; its columns are who, what"):
        list(make("predefined", test=test).split(dataset))
    [split] = make("predefined", test=test, columns={"user": "who", "item": "what"}, separator=";").split(dataset)
    assert named(split, "target") == [("anna", ["r"])]
    with pytest.raises(ConfigError, match=r"split\.columns"):
        make("predefined", test=test, columns={"usr": "who"})


def test_identity_follows_content_not_paths(make: Make, tmp_path: Path) -> None:
    text = "user_id,item_id\nanna,r\n"
    one = make("predefined", test=write(tmp_path / "one.csv", text))
    two = make("predefined", test=write(tmp_path / "two.csv", text))
    with gzip.open(tmp_path / "three.csv.gz", "wt") as packed:
        packed.write(text)
    three = make("predefined", test=str(tmp_path / "three.csv.gz"))
    other = make("predefined", test=write(tmp_path / "other.csv", text + "ben,p\n"))
    assert one.rule() == two.rule() == three.rule() != other.rule()
    assert "one.csv" not in str(one.rule())
    assert make("predefined", test=one.test, validation=one.test).rule() != one.rule()


def test_how_files_are_read_is_part_of_the_rule_where_it_is_not_as_usual(make: Make, tmp_path: Path) -> None:
    test = write(tmp_path / "t.csv", "user_id,item_id\nben,p\n")
    usual, comma, guests = (
        make("predefined", test=test, **given) for given in ({}, {"decimal": ","}, {"missing_user": "drop"})
    )
    assert not {"decimal", "encoding", "missing_user"} & {*usual.rule()}, "digests of earlier runs stay"
    assert comma.rule() == {**usual.rule(), "decimal": ","}
    assert guests.rule() == {**usual.rule(), "missing_user": "drop"}


def test_candidates_make_each_row_a_query(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    text = "user_id,item_id,candidates\nanna,r,x p\nanna,y,r|r\nben,p,x\ndora,p,q\n"
    [split] = make("predefined", test=write(tmp_path / "t.csv", text)).split(dataset)
    assert named(split, "target") == [("anna", ["r"]), ("anna", ["y"]), ("ben", ["p"])]
    assert named(split, "candidates") == [("anna", ["p", "r", "x"]), ("anna", ["r", "y"]), ("ben", ["p", "x"])]
    assert set(split.queries.candidates.data) <= {1.0, 2.0}
    assert split.train.item_ids.tolist() == ["p", "q", "r", "y", "x"]  # x is listed only, and can be ranked
    assert split.queries.lengths.tolist() == [2, 2, 2]


def test_rows_of_a_file_bring_the_context_that_the_data_have(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    context = {"device": Column.category(["tv"] * 5), "hour": Column.numeric([1, 2, 3, 4, 5])}
    data = replace(dataset, interactions=replace(dataset.interactions, context=context))
    head, rows = "user_id,item_id,device,mood,fold", ["ben,p,tv,good,a", "dora,p,web,bad,a", "anna,r,web,bad,b"]

    def asked(text: str, where: Dataset) -> dict[str, Column]:
        [split] = make("predefined", test=write(tmp_path / "t.csv", text)).split(where)
        return split.queries.context

    (found,) = asked("\n".join([head, *rows]), data).items()
    name, device = found  # neither the hour, which the file has not, nor the mood, which the data have not
    assert name == "device" and [device.categories[code] for code in device.values] == ["web", "tv"], "anna, then ben"
    assert asked("\n".join([head, *rows]), dataset) == {}
    assert asked("\n".join([head, *rows, "anna,z,tv,good,a"]), data) == {}, "anna asks about two rows"
    each = [f"{row},x" for row in [*rows, "anna,z,tv,good,a"]]
    device = asked("\n".join([f"{head},candidates", *each]), data)["device"]
    assert [device.categories[code] for code in device.values] == ["tv", "web", "tv"], "each row is a query"


def test_context_of_validation_joins_that_of_train_and_is_made_of_times_as_there(
    make: Make, dataset: Dataset, tmp_path: Path
) -> None:
    context = {"device": Column.category(["tv", "tv", "web", "tv", ""]), "place": Column.numeric([1, 2, 3, 4, 5])}
    rows = with_moments(replace(dataset.interactions, context=context), ["hour"], "tiny")
    head = "user_id,item_id,timestamp,device"
    files = {
        "validation": write(tmp_path / "v.csv", f"{head}\nben,p,7200,phone\nanna,r,3600,"),
        "test": write(tmp_path / "t.csv", f"{head}\ncarl,r,36000,phone\n"),
    }
    (split,) = make("predefined", **files, derive=["hour"]).split(replace(dataset, interactions=rows))
    found = split.train.interactions.context
    assert sorted(found) == ["device", "hour"], "the files tell no place"
    names = [[*column.categories, ""] for column in (found["device"], found["hour"])]
    told = [[names[n][code] for code in found[name].values] for n, name in enumerate(("device", "hour"))]
    assert told == [["tv", "tv", "web", "tv", "", "phone", ""], ["00"] * 5 + ["02", "01"]]
    assert split.test.context["hour"].values.tolist() == [10]


def test_listed_target_counts_once_among_candidates(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    """NCF's lists name the test item among the negatives 156 times."""
    test = write(tmp_path / "t.csv", "user_id,item_id,candidates\nanna,r,r p\n")
    [split] = make("predefined", test=test).split(dataset)
    assert named(split, "candidates") == [("anna", ["p", "r"])]
    assert named(split, "target") == [("anna", ["r"])]


def test_empty_candidate_list_is_an_error(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    test = write(tmp_path / "t.csv", "user_id,item_id,candidates\nanna,r,p\nben,p,\n")
    with pytest.raises(DataError, match=r"t\.csv: 1 rows list no candidates, the first is row 2"):
        list(make("predefined", test=test).split(dataset))


def test_users_unknown_to_train_are_asked_by_what_is_shown(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    """Given-N as files: dora and emil are in no train row; y is an item that only the shown rows hold."""
    paths = {
        "shown": write(tmp_path / "s.csv", "user_id,item_id,timestamp\ndora,q,7\ndora,y,6\nemil,p,5\ncarl,q,9\n"),
        "test": write(tmp_path / "t.csv", "user_id,item_id,timestamp\ndora,r,8\ndora,q,9\nemil,r,8\ncarl,r,10\n"),
    }
    splitter = make("predefined", **paths)
    [split] = splitter.split(dataset)
    assert split.train.user_ids.tolist() == ["anna", "ben", "carl", "dora", "emil"]
    assert len(split.train.interactions) == 5, "nothing is learned from what is shown"
    assert named(split, "target") == [("carl", ["r"]), ("dora", ["r"]), ("emil", ["r"])]
    rows, ids = split.queries.log, split.train.item_ids
    shown = [ids[rows.items[a:b]].tolist() for a, b in zip(split.queries.start, split.queries.stop)]
    assert shown == [["p", "q"], ["y", "q"], ["p"]], "in time order, after what train knows"
    assert "shown" in splitter.rule() and "shown" not in make("predefined", test=paths["test"]).rule()


def test_users_who_are_shown_have_what_the_users_table_says(make: Make, tmp_path: Path) -> None:
    """The table lists dora, who has no row in the data, and emil is not in it."""
    paths = {
        "shown": write(tmp_path / "s.csv", "user_id,item_id\ndora,q\nemil,p\n"),
        "test": write(tmp_path / "t.csv", "user_id,item_id\ndora,r\nemil,r\n"),
    }
    rows = pd.DataFrame({"user_id": ["anna", "anna", "ben"], "item_id": ["p", "q", "r"]})
    cities = {"dora": "Rome", "ben": "Oslo", "anna": "Bern", "zoe": "Lima"}
    data = Dataset.from_frame(rows, users=pd.DataFrame({"user_id": [*cities], "city": [*cities.values()]}))
    assert data.listed_users.ids.tolist() == ["dora", "zoe"]
    [split] = make("predefined", **paths).split(data)
    city = split.train.users["city"]
    assert split.train.user_ids.tolist() == ["anna", "ben", "dora", "emil"]
    assert [city.categories[code] if code >= 0 else None for code in city.values] == ["Bern", "Oslo", "Rome", None]
    assert split.train.listed_users.ids.tolist() == ["zoe"]


def test_shown_rows_stand_before_validation_too(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    paths = {
        "shown": write(tmp_path / "s.csv", "user_id,item_id\n7,p\n"),
        "validation": write(tmp_path / "v.csv", "user_id,item_id\n7,q\n"),
        "test": write(tmp_path / "t.csv", "user_id,item_id\n7,r\n"),
    }
    [split] = make("predefined", **paths).split(dataset)
    assert named(split.validation, "target") == [("7", ["q"])] and named(split, "target") == [("7", ["r"])]
    assert split.validation.queries.lengths.tolist() == [1] and split.queries.lengths.tolist() == [2]
    assert len(split.validation.train.interactions) == 5 and len(split.train.interactions) == 6


def test_without_shown_rows_unknown_users_say_what_to_do(make: Make, dataset: Dataset, tmp_path: Path) -> None:
    test = write(tmp_path / "t.csv", "user_id,item_id\ndora,p\n")
    with pytest.raises(DataError, match=r"none of the 1 test users .*split\.shown"):
        list(make("predefined", test=test).split(dataset))
    with pytest.raises(DataError, match=r"split\.shown: no such file: nowhere\.csv"):
        list(make("predefined", test=test, shown="nowhere.csv").split(dataset))
