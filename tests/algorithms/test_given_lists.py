"""Lists of another system: judged as a model's are, what is missing counted, their content the identity."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.algorithms.external.given_lists import GivenLists
from recexp.data import Dataset, Queries
from recexp.errors import DataError
from recexp.params import describe
from recexp.ranking import Ranking
from recexp.testing import check_recommender, examples

WORDS = (
    "dataset=files",
    "dataset.interactions=ratings.csv",
    "filter=none",
    "split=leave_last",
    "evaluation.resamples=20",
)


@pytest.fixture
def data() -> Dataset:
    """Three users, five items."""
    rows = {"user_id": ["ann", "ann", "ben", "cat"], "item_id": ["a", "b", "c", "d"]}
    return Dataset.from_frame(pd.DataFrame({**rows, "timestamp": range(4)}))


def lists_of(path: Path, data: Dataset, k: int = 3) -> dict[str, list[str]]:
    """The lists of all users by id, of a model that has read a file."""
    model = GivenLists(file=str(path)).fit(data)
    queries = Queries.of_users(np.arange(data.n_users, dtype=np.int32), data.interactions, exclude_seen=True)
    found = model.recommend(queries, k, Ranking.draw(data.n_items, None, rng=np.random.default_rng(0))).items
    return {user: data.item_ids[row[row >= 0]].tolist() for user, row in zip(data.user_ids, found)}


@pytest.mark.parametrize(
    "text",
    [
        "user,item,rank\nann,d,1\nann,c,2\nben,a,1\n",
        "User ID;Item ID;Score\nann;c;0.25\nann;d;16777217.5\nben;a;-3\n",
        "item_id\tuser_id\trank\tscore\nc\tann\t2\t9\nd\tann\t1\t1\na\tben\t7\t7\n",  # the rank is what counts
    ],
)
def test_a_file_is_read_by_rank_or_score(text: str, data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "prod.csv").write_text(text)
    assert lists_of(tmp_path / "prod.csv", data) == {"ann": ["d", "c"], "ben": ["a"], "cat": []}


def test_scores_that_float32_cannot_tell_apart_keep_their_order(data: Dataset, tmp_path: Path) -> None:
    rows = [("cat", "c", 16777217.0), ("cat", "a", 16777216.0), ("cat", "b", 16777218.0)]
    pd.DataFrame(rows, columns=["user", "item", "score"]).to_parquet(tmp_path / "prod.parquet")
    assert lists_of(tmp_path / "prod.parquet", data)["cat"] == ["b", "c", "a"]


def test_what_is_missing_or_strange_is_counted(data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "prod.csv").write_text("user,item,rank\nann,a,1\nann,d,2\nann,new,3\nben,old,1\nzoe,a,1\n")
    model = GivenLists(file=str(tmp_path / "prod.csv")).fit(data)
    queries = Queries.of_users(np.arange(3, dtype=np.int32), data.interactions, exclude_seen=True)
    assert [said.removeprefix("prod.csv: ") for said in model.remarks(queries)] == [
        "3 rows are ignored: 1 users and 2 items are not in the data",
        "2 of 3 evaluated users have no list; without another model these count as misses",
        "1 of 2 listed items are removed, as they are in the users' histories; if these are many, the lists may be for "
        "another split",
    ]


@pytest.mark.parametrize(
    ("known", "given", "says"),
    [
        ("000001", "1", "; 1 is not 000001: ids are text; did they lose their leading zeros?"),
        ("1", "000001", "; 000001 is not 1: did the ids of the data lose their leading zeros?"),
        ("ann", "zoe", "; the first has user zoe and item a"),
    ],
)
def test_a_file_of_which_no_row_is_known_is_refused(known: str, given: str, says: str, tmp_path: Path) -> None:
    ids = np.array([int(known)]) if known == "1" else [known]
    data = Dataset.from_frame(pd.DataFrame({"user_id": ids, "item_id": ["a"]}))
    (tmp_path / "prod.csv").write_text(f"user,item,rank\n{given},a,1\n")
    with pytest.raises(DataError) as refused:
        GivenLists(file=str(tmp_path / "prod.csv")).fit(data)
    assert str(refused.value) == f"{tmp_path / 'prod.csv'}: no row has a user and an item of the data{says}"


def test_lists_of_nobody_who_is_evaluated_end_the_run(shop: Path) -> None:
    (shop / "one.csv").write_text("user,item,rank\nu1,f1,1\n")
    (shop / "held_out.csv").write_text("user_id,item_id\nu2,f3\nu3,f3\n")
    words = (*WORDS, "split=predefined", "split.test=held_out.csv", "algorithm=lists", "algorithm.file=one.csv")
    with pytest.raises(DataError, match=r"^test: every list is empty; one\.csv: 2 of 2 evaluated users have no list"):
        recexp.run(*words)


def test_a_hybrid_passes_its_remarks_on(data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "prod.csv").write_text("user,item,rank\nann,c,1\nzoe,a,1\n")
    model = recexp.make(
        "algorithm=hybrid_weighted",
        "algorithm@algorithm.parts.cf=popularity",
        "~algorithm@algorithm.parts.mf",
        "+algorithm@algorithm.parts.theirs=lists",
        f"algorithm.parts.theirs.file={tmp_path / 'prod.csv'}",
    ).fit(data)
    queries = Queries.of_users(np.arange(3, dtype=np.int32), data.interactions, exclude_seen=True)
    first, second = model.remarks(queries)
    assert first == "prod.csv: 1 rows are ignored: 1 users and 0 items are not in the data"
    assert second.startswith("prod.csv: 2 of 3 evaluated users have no list")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user,item\nann,a\n", "needs a column rank or score; its columns are user, item"),
        ("customer,item,rank\nann,a,1\n", "needs a column user or user_id; its columns are customer, item, rank"),
        ("user,item,rank\nann,a,1\nben,a,1\nann,a,2\n", "row 3: item a is listed twice for user ann"),
        ("user,item,score\nann,a,\n", "column score: row 1 is empty"),
        ("user,item,rank\nann,a,first\n", "column rank: row 1: 'first' is not a number"),
        ("user,item,rank\n", "has no rows"),
    ],
)
def test_a_file_that_is_no_lists_is_refused(text: str, message: str, data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "prod.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        lists_of(tmp_path / "prod.csv", data)


def test_it_keeps_what_every_algorithm_promises(tmp_path: Path) -> None:
    data = examples.two_tastes()
    rows = [(user, item, rank) for user in data.user_ids[:9] for rank, item in enumerate(data.item_ids[:5])]
    pd.DataFrame(rows, columns=["user", "item", "rank"]).to_csv(tmp_path / "prod.csv", index=False)
    check_recommender(GivenLists(file=str(tmp_path / "prod.csv")))


def test_its_content_is_its_identity(data: Dataset, tmp_path: Path) -> None:
    first, second = tmp_path / "prod.csv", tmp_path / "copy.csv"
    for path in (first, second):
        path.write_text("user,item,rank\nann,d,1\n")
    before = describe(GivenLists(file=str(first)))
    assert before == describe(GivenLists(file=str(second)))
    first.write_text("user,item,rank\nann,c,1\n")
    assert before != describe(GivenLists(file=str(first)))


def test_lists_stand_beside_models(shop_folder: Path, inside: Callable) -> None:
    """The lists that a run keeps give that run's values; changed ones are another model."""
    from recexp import cli
    from recexp.history.archive import Archive

    words = (*WORDS, f"dataset.interactions={shop_folder / 'ratings.csv'}", "tracking.experiment=lists")
    run = recexp.run(*words, "algorithm=popularity")
    archive = Archive(None)
    kept = pd.read_parquet(archive.file(archive.run(run.run_id), "lists.parquet"))
    kept.to_csv("prod.csv", index=False)
    lists = (*words, "algorithm=lists", "algorithm.file=prod.csv", "resume=true")
    same = recexp.run(*lists)
    for name, value in run.metrics.items():
        if name.startswith("test/"):
            assert same.metrics[name] == value, name
    assert recexp.run(*lists).reused
    lucky = kept.user_id[kept.hit & (kept["rank"] <= 10)].iloc[0]
    kept[kept.user_id != lucky].to_csv("prod.csv", index=False)
    other, name = recexp.run(*lists), "test/hit_rate_at_10"
    assert not other.reused and other.metrics[name] == pytest.approx(same.metrics[name] - 1 / 40)
    assert (
        "1 of 40 evaluated users have no list" in archive.client.get_run(other.run_id).data.tags["mlflow.note.content"]
    )
    assert cli.run(["compare", "--experiment", "lists", "--csv", "table.csv"]) == 0
    table = pd.read_csv("table.csv")
    assert len(table) == 3 and table["model"].str.startswith("lists code=").sum() == 2
    for mistake in ((), ("algorithm.file=nowhere.csv",)):
        assert cli.run([*words, "algorithm=lists", *mistake]) == 2
