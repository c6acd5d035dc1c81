"""export-split: another system is asked the same question, and what it answers is judged beside our models."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.data import Dataset
from recexp.prepared.split_files import write_split

SMALL = ("filter=none", "evaluation.resamples=20", "tracking.log_model=false")


@pytest.fixture
def purchases(workplace: Path) -> pd.DataFrame:
    """500 rows of 60 users and 30 items, ids with leading zeros; item i has about i + 3 rows, which rarely ties."""
    rng = np.random.default_rng(1)
    taken = rng.random((60, 30)) < (np.arange(30) + 3) / 60
    users, items = np.nonzero(taken)
    frame = pd.DataFrame({"user_id": [f"{u:03}" for u in users], "item_id": [f"{i:02}" for i in items]})
    frame["timestamp"] = 1_700_000_000 + rng.permutation(len(frame))
    frame.to_csv("purchases.csv", index=False)
    return frame


def popularity(train: pd.DataFrame, asked: pd.Series, k: int) -> pd.DataFrame:
    """The other system: each user's k most bought items of train that the user has not."""
    counts = train.item_id.value_counts()
    rows = []
    for user in asked.unique():
        items = counts.drop(train.item_id[train.user_id == user]).head(k)
        rows += [(user, item, count) for item, count in items.items()]
    return pd.DataFrame(rows, columns=["user", "item", "score"])


def test_another_system_is_asked_the_same_and_judged_beside_ours(purchases: pd.DataFrame, inside: Callable) -> None:
    words = ("dataset=files", "dataset.interactions=purchases.csv", "split=random", "seed=3", *SMALL)
    done = inside("export-split", *words, "files")
    assert done.returncode == 0, done.stderr
    train, test = (pd.read_csv(f"files/{name}.csv", dtype=str) for name in ("train", "test"))
    whole = pd.concat([train, test]).sort_values("timestamp").astype({"timestamp": int}).reset_index(drop=True)
    assert whole.equals(purchases.sort_values("timestamp").astype({"timestamp": int}).reset_index(drop=True)[[*whole]])
    popularity(train, test.user_id, 30).to_csv("FILE", index=False)  # its ties stay ties
    ours = recexp.run(*words, "algorithm=popularity")
    (judge,) = re.findall(r"evaluate its lists: recexp (.*)", done.stdout)
    assert inside(*judge.split()).returncode == 0
    theirs = recexp.run(*judge.split(), "resume=true")
    assert theirs.reused
    measured = [name for name in ours.metrics if name.startswith("test/")]
    assert len(measured) > 20
    for name in measured:
        assert theirs.metrics[name] == ours.metrics[name], name
    assert inside("compare", "--json", "found.json").returncode == 0
    (pair,) = json.loads(Path("found.json").read_text())["pairs"]
    assert {pair["first"], pair["second"]} == {"popularity", "lists"} and pair["p"] == 1


def splits(frame: pd.DataFrame, *words: str) -> list:
    data = Dataset.from_frame(frame, name="purchases")
    return list(recexp.make(*words).split(data))


@pytest.mark.parametrize(
    "words",
    [
        ("split=leave_last", "split.validation_n=1"),
        ("split=user_holdout", "split.validation_ratio=0.2"),
        ("split=temporal", "split.validation_ratio=0.2"),
    ],
    ids=lambda words: words[0].partition("=")[2],
)
def test_the_files_of_a_split_are_the_split(words: tuple[str, ...], purchases: pd.DataFrame) -> None:
    """Read by split=predefined they give its rows, questions and targets, in other codes."""
    (split,) = splits(purchases, *words)
    written = write_split(split, Path("files"))
    shown = "history" in written
    assert shown == (words[0] == "split=user_holdout")
    if shown:
        rows = {name: pd.read_csv(f"files/{name}.csv", dtype=str) for name in written}
        known = set(zip(rows["history"].user_id, rows["history"].item_id))
        users = split.train.user_ids[split.queries.users]
        log, starts = split.queries.log, zip(split.queries.start, split.queries.stop)
        for user, (start, stop) in zip(users, starts):
            assert {(user, item) for item in split.train.item_ids[log.items[start:stop]]} <= known
        assert not {*rows["train"].user_id} & {*rows["test"].user_id}
        return
    given = ("split=predefined", "split.test=files/test.csv", "split.validation=files/validation.csv")
    (again,) = splits(pd.read_csv("files/train.csv", dtype={"user_id": str, "item_id": str}), *given)
    for ours, theirs in ((split, again), (split.validation, again.validation)):
        assert pairs(ours.train.interactions, ours) == pairs(theirs.train.interactions, theirs)
        assert asked(ours) == asked(theirs)


def pairs(rows: object, split: object) -> list[tuple[str, str]]:
    return sorted(zip(split.train.user_ids[rows.users], split.train.item_ids[rows.items]))


def asked(split: object) -> set[tuple[str, str]]:
    """Whom a split asks for what."""
    queries, target = split.queries, split.target
    users = np.repeat(queries.users, np.diff(target.indptr))
    return set(zip(split.train.user_ids[users], split.train.item_ids[target.indices]))


def test_candidates_are_written_as_they_are_read(purchases: pd.DataFrame) -> None:
    rows = [("001", "29", "03 29 08"), ("002", "28", "28 02 05")]
    pd.DataFrame(rows, columns=["user_id", "item_id", "candidates"]).to_csv("asked.csv", index=False)
    answers = pd.MultiIndex.from_tuples([(user, item) for user, item, _ in rows])
    left = purchases[~purchases.set_index(["user_id", "item_id"]).index.isin(answers)]
    (split,) = splits(left, "split=predefined", "split.test=asked.csv", "split.exclude_seen=false")
    write_split(split, Path("files"))
    found = pd.read_csv("files/test.csv", dtype=str)[["user_id", "item_id", "candidates"]].to_numpy()
    assert [(*pair, {*listed.split()}) for *pair, listed in found] == [(*pair, {*some.split()}) for *pair, some in rows]


def test_folds_have_folders_and_what_is_wrong_is_told_in_a_line(purchases: pd.DataFrame, inside: Callable) -> None:
    words = ("dataset=files", "dataset.interactions=purchases.csv", "filter=none")
    assert inside("export-split", *words, "split=kfold", "split.folds=3", "folds").returncode == 0
    parts = [pd.read_csv(f"folds/fold_{fold}/test.csv") for fold in range(3)]
    assert sum(map(len, parts)) == len(purchases)
    again = inside("export-split", *words, "folds")
    assert again.returncode == 2 and "folds exists and is not an empty folder; choose another one" in again.stderr
    frame = purchases.assign(session_id=purchases.user_id)
    frame.to_csv("sessions.csv", index=False)
    refused = inside(
        "export-split", "dataset=files", "dataset.interactions=sessions.csv", "filter=none", "split=sessions", "s"
    )
    assert refused.returncode == 2 and "queries the same user several times" in refused.stderr
    assert not Path("s").exists()


@pytest.mark.parametrize(
    ("columns", "words", "name"),
    [
        (
            {"rating": 5.0},
            ("dataset.columns.rating=null", "dataset.columns.quantity=rating", "filter=none"),
            "quantity",
        ),
        ({"rating": 5.0}, ("filter=none",), "rating"),
        ({"event": "purchase"}, ("filter=event_values",), "weight"),
    ],
)
def test_values_are_called_what_they_are(
    purchases: pd.DataFrame, inside: Callable, columns: dict, words: tuple[str, ...], name: str
) -> None:
    purchases.assign(**columns).to_csv("valued.csv", index=False)
    done = inside("export-split", "dataset=files", "dataset.interactions=valued.csv", "split=random", *words, "files")
    assert done.returncode == 0, done.stderr
    train = pd.read_csv("files/train.csv")
    assert (train[name] == 5).all()
    assert {"rating", "quantity", "weight"} & {*train.columns} == {name}
