"""Which items are ranked: those with rows, those that only a test file holds, those that only the items table lists."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recexp import make
from recexp.config import compose, experiments
from recexp.data import Dataset, Queries, Split
from recexp.errors import DataError
from recexp.filters.base import Filters
from recexp.filters.counts import MinimumInteractions
from recexp.prepared import Loaded
from recexp.runners.base import Experiment, Plan
from recexp.runners.fold import Fold, tell_unranked

ROWS = [("ann", "x1"), ("ann", "x2"), ("ben", "x1"), ("ben", "y1"), ("cem", "y1"), ("cem", "y2"), ("dan", "y2")]
ROWS += [("dan", "rare")]
COLD = [("ann", "x3"), ("cem", "y3")]
TABLE = {"x1": "x", "x2": "x", "x3": "x", "x4": "x", "y1": "y", "y2": "y", "y3": "y", "rare": "x"}


@pytest.fixture
def data() -> Dataset:
    """x3, y3 and x4 have no row; x4 is in no test file either."""
    frame = pd.DataFrame(ROWS, columns=["user_id", "item_id"])
    items = pd.DataFrame({"item_id": TABLE.keys(), "kind": TABLE.values(), "title": [f"film {i}" for i in TABLE]})
    return Dataset.from_frame(frame, items=items, item_features={"kind": "category", "title": "text"})


@pytest.fixture
def cold(tmp_path: Path) -> str:
    file = tmp_path / "cold.csv"
    file.write_text("user_id,item_id\n" + "".join(f"{user},{item}\n" for user, item in COLD))
    return str(file)


def planned(data: Dataset, *words: str, filters: Filters | None = None) -> tuple[Experiment, Split, Plan]:
    x = experiments.experiment(compose(["dataset=movielens_small", "audit.policy=off", *words]), tags={})
    filtered, effects = (filters or Filters(steps=[])).apply(data, seed=1)
    loaded = Loaded(filtered, effects, data.fingerprint)
    split = x["evaluation"].applied(next(x["split"].split(filtered)))
    tell_unranked(x, loaded, split)
    return x, split, Fold.of(x, loaded, split).plan(None)


def test_the_table_s_other_items_are_kept_and_are_no_part_of_the_fingerprint(data: Dataset) -> None:
    assert data.item_ids.tolist() == ["rare", "x1", "x2", "y1", "y2"]
    assert data.listed is not None and data.listed.ids.tolist() == ["x3", "x4", "y3"]
    assert data.listed.columns["title"].values.tolist() == ["film x3", "film x4", "film y3"]
    alone = Dataset.from_frame(
        pd.DataFrame(ROWS, columns=["user_id", "item_id"]),
        items=pd.DataFrame({"item_id": ["rare", "x1", "x2", "y1", "y2"], "kind": ["x", "x", "x", "y", "y"]}),
    )
    assert alone.listed is not None and len(alone.listed) == 0


def test_items_of_a_test_file_alone_have_the_table_s_features(data: Dataset, cold: str) -> None:
    """A model of content finds them as if they had been in the data: ann took x, cem took y."""
    _, split, plan = planned(data, "split=predefined", f"split.test={cold}")
    train = split.train
    assert train.item_ids.tolist() == ["rare", "x1", "x2", "y1", "y2", "x3", "y3"]
    assert train.items["title"].values.tolist()[-2:] == ["film x3", "film y3"]
    kinds = [train.items["kind"].categories[code] for code in train.items["kind"].values]
    assert kinds == ["x", "x", "x", "y", "y", "x", "y"]
    assert train.listed is not None and train.listed.ids.tolist() == ["x4"]
    model = make("algorithm=content_based", "algorithm.feature_columns=[kind]").fit(train)
    ann, cem = model.score(split.queries)
    assert ann[5] > ann[6] and cem[6] > cem[5]
    assert set(plan.protocol) == {"data", "listed"}


def test_new_items_are_ranked_alone(data: Dataset, cold: str, caplog: pytest.LogCaptureFixture) -> None:
    """Beside the four items with rows x3 and y3 are new: popularity cannot find them, nor can it rank them."""
    caplog.set_level(logging.INFO)
    words = "split=predefined", f"split.test={cold}", "evaluation.metrics=[recall]", "evaluation.cutoffs=[1]"
    planned(data, *words)
    assert "no held-out item has a train row, and each is ranked among 5 items that have; evaluation" in caplog.text
    x, split, _ = planned(data, *words, "evaluation.catalogue=new")
    assert "2 items are ranked: those without a train row" in caplog.text and "not ranked" not in caplog.messages[-1]
    ranking = x["evaluation"].ranking(split.train, seed=1)
    assert split.train.item_ids[ranking.catalogue].tolist() == ["x3", "y3"]
    model = make("algorithm=content_based", "algorithm.feature_columns=[kind]").fit(split.train)
    lists = model.recommend(split.queries, 1, ranking)
    assert x["evaluation"].evaluate(split, lists, seed=1).metrics["recall_at_1"] == 1


def test_targets_with_a_train_row_are_none_among_new_items(data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "mixed.csv").write_text("user_id,item_id\nann,x3\nann,y1\nben,x2\n")
    _, split, _ = planned(data, "split=predefined", f"split.test={tmp_path / 'mixed.csv'}", "evaluation.catalogue=new")
    assert split.train.user_ids[split.queries.users].tolist() == ["ann"]
    assert split.train.item_ids[split.target.indices].tolist() == ["x3"]
    (tmp_path / "known.csv").write_text("user_id,item_id\nann,y1\n")
    with pytest.raises(DataError, match="catalogue=new: every held-out item has a train row; split=cold_items holds"):
        planned(data, "split=predefined", f"split.test={tmp_path / 'known.csv'}", "evaluation.catalogue=new")


def test_without_features_for_them_the_protocol_is_as_it_was(data: Dataset, cold: str) -> None:
    bare = Dataset(data.name, data.interactions, data.user_ids, data.item_ids)
    _, split, plan = planned(bare, "split=predefined", f"split.test={cold}")
    assert split.train.n_items == 7 and set(plan.protocol) == {"data"}
    _, _, plan = planned(data, "split=leave_random")
    assert set(plan.protocol) == {"data"}


def test_listed_ranks_what_never_had_a_row(data: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    """An item that a filter removed does not come back."""
    often = Filters(steps=[MinimumInteractions(per_user=1, per_item=2)])
    caplog.set_level(logging.INFO)
    for catalogue, n, told in (
        ("all", 3, "5 items are not ranked: 3 have no row (evaluation.catalogue=listed ranks them), 2 were removed"),
        ("listed", 6, "2 items are not ranked: 2 were removed by the filters"),
    ):
        caplog.clear()
        x, split, plan = planned(data, "split=leave_random", f"evaluation.catalogue={catalogue}", filters=often)
        assert split.train.n_items == split.target.shape[1] == split.queries.n_items == split.test.n_items == n
        assert "rare" not in split.train.item_ids
        assert x["evaluation"].ranking(split.train, seed=1).catalogue.sum() == n
        assert next(line for line in caplog.messages if "not ranked" in line).startswith(told)
        assert ("listed" in plan.protocol) == (catalogue == "listed")
        seen = make("algorithm=item_knn", "algorithm.weighting=bm25").fit(split.train)
        assert seen.lengths_.sum() == pytest.approx(n), "BM25 counts the chosen catalogue"
    assert split.train.item_ids.tolist()[3:] == ["x3", "x4", "y3"]


def test_rows_of_numbered_data_without_a_table_list_nothing(caplog: pytest.LogCaptureFixture) -> None:
    rows = Dataset.from_frame(pd.DataFrame(ROWS, columns=["user_id", "item_id"]))
    _, split, _ = planned(rows, "split=leave_random", "evaluation.catalogue=listed")
    assert split.train.n_items == 5 and "has no items table" in caplog.text


def test_items_of_data_made_in_memory_that_have_no_row_are_listed(data: Dataset) -> None:
    whole = data.joined(data.listed.ids, np.arange(3))
    filtered, _ = Filters(steps=[]).apply(whole, seed=1)
    assert filtered.item_ids.tolist() == data.item_ids.tolist()
    assert filtered.listed is not None and filtered.listed.ids.tolist() == ["x3", "x4", "y3"]
    assert filtered.fingerprint == data.fingerprint


def test_a_widened_split_asks_the_same(data: Dataset) -> None:
    split = next(make("split=leave_random").split(data))
    wide = split.with_listed()
    assert wide.fingerprint == split.fingerprint and wide.with_listed() is wide
    model = make("algorithm=item_knn").fit(wide.train)
    narrow = make("algorithm=item_knn").fit(split.train).score(split.queries)
    np.testing.assert_array_equal(model.score(wide.queries)[:, :5], narrow)
    assert isinstance(wide.queries, Queries) and not model.score(wide.queries)[:, 5:].any()
