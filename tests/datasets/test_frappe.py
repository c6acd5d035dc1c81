"""Frappe: the published parts, labels and context."""

import gzip
from pathlib import Path

import pytest

import recexp
from recexp.errors import DataError
from recexp.testing import check_dataset

CONTEXT = ["daytime", "weekday", "isweekend", "homework", "cost", "weather", "country", "city"]


def write(folder: Path, part: str, *rows: str) -> None:
    with gzip.open(folder / f"{part}.csv.gz", "wt") as file:
        file.write("\n".join([",".join(["label", "user", "item", *CONTEXT]), *rows]) + "\n")


def test_three_files_are_one_dataset_whose_column_tells_the_part(tmp_path: Path, cache: Path) -> None:
    write(tmp_path, "train", "1,4,70,1,2,3,4,5,6,7,8", "1,4,70,1,2,3,4,5,6,7,8", "0,9,71,1,2,3,4,5,6,7,9")
    write(tmp_path, "valid", "1,9,70,1,2,3,4,5,6,7,8")
    source = recexp.make("dataset=frappe", f"dataset.root={tmp_path}")
    with pytest.raises(DataError, match=r"has no test\.csv\.gz"):
        source.load()
    write(tmp_path, "test", "0,4,71,1,2,3,4,5,6,7,9")
    check_dataset(source)
    data = source.load()
    assert data.user_ids.tolist() == [4, 9] and data.item_ids.tolist() == [70, 71]
    assert data.interactions.values.tolist() == [1, 1, 0, 1, 0] and data.has("labels")
    (split,) = recexp.make("split=parts").split(data)
    assert split.validation is not None
    assert len(split.validation.train.interactions) == 3 and split.validation.test.values.tolist() == [1]
    assert split.test.context["city"].categories == ("8", "9") and split.test.context["city"].values.tolist() == [1]
    assert list(split.test.context) == CONTEXT


def test_published_counts(shared: Path) -> None:
    data = recexp.make("dataset=frappe").load()
    assert (data.n_users, data.n_items) == (957, 4082)
    (split,) = recexp.make("split=parts").split(data)
    assert split.validation is not None
    parts = split.validation.train.interactions, split.validation.test, split.test
    assert [len(rows) for rows in parts] == [202_027, 57_722, 28_860]
    assert [int(rows.values.sum()) for rows in parts] == [67_604, 19_063, 9_536]
