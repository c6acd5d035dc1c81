"""Answers for a shop: the page docs/recommend.md, done with a shop's files, and what comes out of it."""

import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.algorithms.baselines.popularity import Popularity
from recexp.data import Column, Dataset, Interactions
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking

CUSTOMERS = [f"{number:03}" for number in range(1, 61)]
KINDS = ("phones", "cases", "lamps")


def write_files(folder: Path) -> None:
    """60 customers who buy of one kind each, 10 products of each of three kinds."""
    rng = np.random.default_rng(3)
    rows = []
    for number, customer in enumerate(CUSTOMERS):
        for product in 10 * (number % 3) + rng.permutation(10)[:5]:
            rows.append(f"{customer},p{product},2024-03-{1 + len(rows) % 28:02}")
    (folder / "purchases.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]) + "\n")
    products = [
        f"p{i},Nice {KINDS[i // 10]} number {i},{KINDS[i // 10]},{'Aldra' if i % 2 else 'Ionix'},{10 + 2 * i}"
        for i in range(30)
    ]
    (folder / "products.csv").write_text("\n".join(["item_id,title,category,brand,price", *products]) + "\n")
    (folder / "customers.csv").write_text("user_id,name\n007,Ann\n999,New\n008,Ben\n007,Ann again\n")
    (folder / "mailing.csv").write_text("customer,day\n010,1\n011,2\n")
    (folder / "sold_out.txt").write_text("p1\np2\nnever sold\n")


def test_the_page_works_and_the_lists_are_right(
    page: Callable,
    inside: Callable,
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    write_files(workplace)
    written, said, run = page("recommend"), {}, ""
    for words in written.commands:
        done = inside(*[word.replace("RUN", run) for word in words], *([] if run else ["evaluation.resamples=20"]))
        assert done.returncode == 0, f"{words}: {done.stderr}"
        run = run or done.stdout.partition("\nrun ")[2][:8]
        said[" ".join(words[1:])] = done
    exec("\n".join(written.snippets), {})

    products = pd.read_csv("products.csv").set_index("item_id")
    lists = pd.read_csv("lists.csv", dtype={"user_id": str})
    assert [*dict.fromkeys(lists["user_id"])] == ["007", "999", "008"]
    assert lists.groupby("user_id")["fallback"].agg(["min", "max"]).to_numpy().tolist() == [
        [False] * 2,
        [False] * 2,
        [True] * 2,
    ]
    assert lists.groupby("user_id")["rank"].agg(list).tolist() == [[*range(1, 11)]] * 3
    assert lists["title"].tolist() == products["title"][lists["item_id"]].tolist()
    owned = pd.read_csv("purchases.csv", dtype={"user_id": str}).groupby("user_id")["item_id"].agg(set)
    first = lists[lists["rank"] == 1].set_index("user_id")["item_id"]
    assert products["category"][first["007"]] == KINDS[6 % 3] and products["category"][first["008"]] == KINDS[7 % 3]
    notes = said["--best recexp --users customers.csv --out lists.csv"]
    assert "lists.csv: 30 rows, lists of 3 users, 1 from the fallback" in notes.stdout
    assert "1 duplicate ids are ignored" in notes.stderr and "ease is the best of 1 model on purchases" in notes.stderr

    phones = pd.read_csv("phones.csv", dtype={"user_id": str})
    assert {*products["category"][phones["item_id"]]} == {"phones"}
    assert phones.groupby("user_id").size()["999"] == 10
    assert pd.read_parquet("lists.parquet")["user_id"].nunique() == 60
    assert [*dict.fromkeys(pd.read_json("lists.jsonl", lines=True, dtype=False)["user_id"])] == ["010", "011"]
    some = said["RUN 007 --only category=phones,cases --only brand=Aldra --exclude sold_out.txt"].stdout.splitlines()
    expected = {f"p{i}" for i in range(20) if i % 2} - {"p1"} - owned["007"]
    assert expected <= {line.split("\t")[0] for line in some}
    priced = {line.split("\t")[0] for line in said["RUN 007 --price 20:50"].stdout.splitlines()}
    assert len(priced) == 10 and priced <= {f"p{i}" for i in range(5, 21)}
    named = inside("recommend", "my_model", "007", "--price", "price=20:50")
    assert named.stdout == said["RUN 007 --price 20:50"].stdout
    for wrong in ("=20:50", "20", "price=:"):
        assert "--price: must be LOW:HIGH or COLUMN=LOW:HIGH" in inside("recommend", "x", "7", "--price", wrong).stderr
    similar = [line.split("\t") for line in said["RUN p3 -n 5"].stdout.splitlines()]
    assert {products["category"][item] for item, *_ in similar} == {"phones"}
    assert [title for *_, title in similar] == [products["title"][item] for item, *_ in similar]

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.move("my_model", elsewhere)
    monkeypatch.chdir(elsewhere)
    answer = inside("recommend", "my_model", "007").stdout
    assert answer == said["RUN 007"].stdout and not Path("mlflow.db").exists()


def test_all_names_of_a_model_mean_the_same(inside: Callable, workplace: Path, runs: Callable) -> None:
    from mlflow import MlflowClient

    write_files(workplace)
    for name in ("popularity", "ease"):
        done = inside(
            f"algorithm={name}", "dataset=files", "dataset.interactions=purchases.csv", "evaluation.resamples=20"
        )
        assert done.returncode == 0, done.stderr
    run = next(run for run in runs() if run.data.tags["algorithm"] == "ease")
    client, run_id = MlflowClient(f"sqlite:///{workplace / 'mlflow.db'}"), run.info.run_id
    logged = run.outputs.model_outputs[0].model_id
    client.create_registered_model("shop")
    client.create_model_version("shop", f"models:/{logged}", run_id=run_id, model_id=logged)
    client.set_registered_model_alias("shop", "live", "1")
    names = [run_id[:10], run_id, f"runs:/{run_id}", f"runs:/{run_id}/model", "models:/shop@live", "models:/shop/1"]
    names += [f"models:/{logged}", f"mlflow-artifacts/models/{logged}/artifacts"]
    answers = {inside("recommend", name, "007").stdout for name in names} | {
        inside("recommend", "--best", "recexp", "007").stdout
    }
    assert len(answers) == 1 and len(answers.pop().splitlines()) == 10
    assert inside("compare", "--runs", f"models:/shop@live,{run_id}").returncode == 0
    refused = inside("recommend", "--best", "foo", "007")
    assert refused.returncode == 2
    assert re.search(r"--best: there is no foo in sqlite.*; it has .*recexp.*: give --best NAME$", refused.stderr)
    for name, message in (
        ("models:/shop@new", "there is no models:/shop@new in sqlite"),
        ("models:/shop", "a registered model is written models:/NAME@ALIAS or models:/NAME/VERSION"),
        ("runs:/0123", "there is no run 0123 in sqlite"),
    ):
        done = inside("recommend", name, "007")
        assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1


def test_what_is_wrong_with_files_and_categories_is_said_in_a_line(
    inside: Callable, workplace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Popularity of five items; 196 has all but one."""
    codes = np.array([(0, 0), (0, 1), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2), (2, 3)], np.int32).T.copy()
    log = Interactions(codes[0], codes[1], np.ones(8, np.float32), n_users=3, n_items=5)
    items = {
        "name": Column.text(["=cmd()", "b c", "d e", "f g", "h i"]),
        "kind": Column.category(["x", "x", "y,z", "y", "y"]),
    }
    train = Dataset("three", log, np.array([1, 7, 196]), np.arange(10, 15), items=items)
    popular = Popularity(half_life_days=None).fit(train)
    ranking = Ranking(np.arange(5, dtype=np.int32), np.ones(5, bool))
    FittedModel.of(popular, popular, ranking, train, exclude_seen=True, block_mib=1).save("model")
    Path("empty.csv").write_text("user_id\n")
    Path("users.txt").write_text("196\nnobody\n")
    for words, message in (
        (["--users", "none.csv"], "none.csv: no such file"),
        (["--users", "empty.csv"], "empty.csv: has no rows"),
        (["1", "--only", "colour=red"], "there is no item category column 'colour'; the columns are kind"),
        (["1", "--only", "kind=w"], "no item has kind=w; kind has x, y, y,z"),
        (["1", "--exclude", "none.txt"], "none.txt: no such file"),
        (["1", "--out", "no/such.csv"], "--out: no/such.csv cannot be written: there is no folder"),
    ):
        done = inside("recommend", "model", *words)
        assert (done.returncode, done.stdout) == (2, "") and message in done.stderr, words
        assert len(done.stderr.splitlines()) == 1
    assert inside("recommend", "model", "7", "--only", "kind=y,z").stdout == "", "7 has the only one"
    assert inside("recommend", "model", "7", "--only", "kind=y,x").stdout.split("\t")[0] == "11"
    with caplog.at_level(logging.WARNING):
        done = inside("recommend", "model", "--users", "users.txt", "--out", "lists.csv")
    assert "lists.csv: 6 rows, lists of 2 users, 2 of them with fewer than 10 items, 1 from the fallback" in done.stdout
    assert "1 of 2 users are unknown, such as 'nobody'" in caplog.text
    table = pd.read_csv("lists.csv")
    assert table["item_id"].tolist() == [14, 10, 12, 11, 13, 14] or table["item_id"].tolist() == [
        14,
        10,
        11,
        12,
        13,
        14,
    ]
    assert table["title"][1] == "'=cmd()", "a spreadsheet would run it"
    assert inside("recommend", "model", "--users", "users.txt", "--out", "lists.parquet").returncode == 0
    assert pd.read_parquet("lists.parquet")["user_id"].tolist() == ["196"] + ["nobody"] * 5


def test_columns_of_the_file_of_users_tell_the_context(
    inside: Callable, workplace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Item 1 is what all take on days off, item 2 on others; a row without a day is told by --context."""
    rows = [(user, 1 + item % 2, day) for user in range(20) for item, day in ((0, "off"), (1, "on"))]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "day"])
    data = Dataset.from_frame(frame, context={"day": "category"}, explicit=False)
    words = ("algorithm.columns=[day]", "algorithm.min_rows=5", "algorithm@algorithm.base=popularity")
    model = recexp.make("algorithm=context_prefilter", *words).fit(data)
    ranking = Ranking(np.arange(2, dtype=np.int32), np.ones(2, bool))
    popular = Popularity(half_life_days=None).fit(data)
    FittedModel.of(model, popular, ranking, data, exclude_seen=False, block_mib=1).save("model")
    Path("asking.csv").write_text("user_id,name,day\n3,Ann,on\n3,Ann,off\n3,Ann,off\n4,Ben,\n")
    words = ("recommend", "model", "--users", "asking.csv", "-n", "1", "--context", "day=on", "--out", "lists.csv")
    done = inside(*words)
    assert done.returncode == 0, done.stderr
    lists = pd.read_csv("lists.csv", keep_default_na=False)
    assert lists[["user_id", "item_id", "day"]].to_numpy().tolist() == [[3, 2, "on"], [3, 1, "off"], [4, 2, ""]]
    assert "1 duplicate ids are ignored" in caplog.text and "name" not in lists
