"""Bad input through the command line: one clear line, exit code 2, no run, no half file."""

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

import recexp as library

HEADER = "user_id,item_id,rating,timestamp\n"
GOOD = HEADER + "".join(f"u{u},i{i},{1 + (u + i) % 5},{1000 + 10 * u + i}\n" for u in range(8) for i in range(6))
ONE_USER = HEADER + "".join(f"u1,i{i},5,{i}\n" for i in range(6))

COLUMNS = "user_id, item_id, rating, timestamp"
SIZE = "change the size of test (split.test_ratio or split.test_n)"
CASES = {
    "missing file": (None, [], "dataset.interactions: ratings.csv: no such file"),
    "empty file": ("", [], "ratings.csv: has no rows"),
    "header only": (HEADER, [], "ratings.csv: has no rows"),
    "wrong column name": (
        GOOD,
        ["dataset.columns.user=customer"],
        f"ratings.csv: no user column 'customer'; its columns are {COLUMNS} (set dataset.columns.user=...)",
    ),
    "no item column": (
        GOOD.replace("item_id", "product"),
        [],
        "ratings.csv: no item column 'item_id'; its columns are user_id, product, rating, timestamp "
        "(set dataset.columns.item=...)",
    ),
    "nothing left after filtering": (
        GOOD,
        ["filter.steps=[{_target_: recexp.filters.values.MinimumRating, minimum: 9.0}]"],
        "nothing is left of ratings after filter step 1 (MinimumRating(minimum=9.0)): it had 48 rows; "
        "loosen filter.steps or choose another filter=...",
    ),
    "empty ids": (
        GOOD + ",i1,5,3\n",
        [],
        "ratings.csv: column user_id: 1 rows are empty or NaN; the first is row 49; "
        "drop them, such as guests, with dataset.missing_user=drop",
    ),
    "duplicate rows": (
        GOOD + "u1,i1,3,1011\n",
        [],
        "ratings.csv: 1 rows repeat an earlier row (user, item, timestamp); the first is row 49 (user u1, item i1). "
        "dataset.duplicates=keep keeps them; add filter=deduplicate to merge them "
        "(it replaces the current filter)",
    ),
    "text in the rating column": (
        GOOD + "u1,i9,great,99\n",
        [],
        "ratings.csv: column rating: row 49: 'great' is not a number",
    ),
    "no timestamps for a temporal split": (
        "\n".join(line.rpartition(",")[0] for line in GOOD.splitlines()),
        ["split=temporal", "filter=none"],
        "split=temporal needs timestamps and the data has none; name their column with dataset.columns.timestamp or "
        "choose a split that needs no time, such as split=random",
    ),
    "sequences without times or an order": (
        "\n".join(line.rpartition(",")[0] for line in GOOD.splitlines()),
        ["algorithm=markov", "filter=none"],
        "algorithm: Markov needs order, but ratings has none after filtering; name the column of times with "
        "dataset.columns.timestamp, or set dataset.order=file if the rows of the file are in the order in which they "
        "happened",
    ),
    "sequences of data said to have no times": (
        "not even read",
        ["algorithm=vsknn", "dataset.columns.timestamp=null"],
        "algorithm: VSKNN needs order, but ratings has none; name the column of times with dataset.columns.timestamp, "
        "or set dataset.order=file if the rows of the file are in the order in which they happened",
    ),
    "missing feature column": (
        GOOD,
        ["dataset.items=items.csv", "dataset.item_features={colour: category}"],
        "items.csv: no column 'colour'; its columns are item_id, price",
    ),
    "test users unknown": (
        GOOD,
        ["filter=none", "split=predefined", "split.test=strangers.csv"],
        "none of the 2 test users in strangers.csv occurs in the training data; set split.shown to a file of their "
        "earlier rows",
    ),
    "test file missing": (
        GOOD,
        ["split=predefined", "split.test=nowhere.csv"],
        "split.test: no such file: nowhere.csv",
    ),
    "users table missing": (GOOD, ["dataset.users=nowhere.csv"], "dataset.users: nowhere.csv: no such file"),
    "ratings metric without ratings": (
        GOOD,
        ["evaluation.metrics=[rmse]"],
        "evaluation.metrics: metrics of ratings need predicted ratings; EASE predicts none, algorithm=mf does",
    ),
    "features metric without features": (
        GOOD,
        ["evaluation.metrics=[intra_list_diversity]"],
        "evaluation.metrics: intra_list_diversity needs item_categories, and ratings has none after filtering; "
        "leave intra_list_diversity out, or choose a dataset and filter that provide them",
    ),
    "a number shown where ids are text": (
        GOOD.replace("u1,", "007,"),
        ["show=7"],
        "show: there is no user 7 in ratings after filtering; did you mean show=\"'007'\"?",
    ),
    "a role of columns that there is not": (
        GOOD,
        ["dataset.columns={users:a}"],
        "dataset.columns.users: unknown; did you mean user? "
        "allowed: user, item, rating, quantity, timestamp, event, session, fold",
    ),
    "a text that Hydra reads as a fraction": (GOOD, ["show=1e1"], "runner.show: must be an integer or text (got 10.0)"),
    "a text that Hydra reads as a number": (
        GOOD,
        ["show=1_96"],
        "show=1_96: read as the number 196; ids that are text are quoted: show=\"'1_96'\"",
    ),
    "a number below zero that is text": (
        GOOD,
        ["show=-1_0"],
        "show=-1_0: read as the number -10; ids that are text are quoted: show=\"'-1_0'\"",
    ),
    "a zero that is text": (
        GOOD,
        ["show=-0"],
        "show=-0: read as the number 0; ids that are text are quoted: show=\"'-0'\"",
    ),
    "the same in the runner's own part": (
        GOOD,
        ["runner.show=+7"],
        "runner.show=+7: read as the number 7; ids that are text are quoted: runner.show=\"'+7'\"",
    ),
    "no rows for test": (
        GOOD,
        ["filter=none", "split.test_ratio=0.01"],
        f"no rows go to test: even the largest group has only 6 rows; {SIZE}",
    ),
    "one user of whom nobody is left": (
        ONE_USER,
        ["split=user_holdout"],
        f"no rows go to test: even the largest group has only 1 rows; {SIZE}",
    ),
}


def refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    """Check that one line was said, exactly this one, and nothing else of an error."""
    assert [line for line in done.stderr.splitlines() if line.startswith("recexp: ")] == [f"recexp: {message}"]
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("text", "overrides", "message"), CASES.values(), ids=CASES.keys())
def test_input_is_refused_clearly(
    inside: Callable, runs: Callable, workplace: Path, text: str | None, overrides: list[str], message: str
) -> None:
    if text is not None:
        (workplace / "ratings.csv").write_text(text)
    (workplace / "items.csv").write_text("item_id,price\ni1,3\n")
    (workplace / "strangers.csv").write_text("user_id,item_id\nx1,i1\nx2,i2\n")
    before = {path.name for path in workplace.iterdir()}
    done = inside("dataset=files", "dataset.interactions=ratings.csv", *overrides)
    refused(done, message)
    assert runs() == []
    with FileLock(workplace / "mlflow.db.lock"):  # what opens the store lives on: wait until it has
        assert {path.name for path in workplace.iterdir()} - before <= {"mlflow.db.lock"}


def test_sessions_of_one_row_are_refused_by_what_learns_from_them(inside: Callable, workplace: Path) -> None:
    header = HEADER.replace("rating", "session_id")
    rows = "".join(f"u{n % 5},i{n % 8},s{n},{n}\n" for n in range(40))
    (workplace / "ratings.csv").write_text(header + rows)
    done = inside("dataset=files", "dataset.interactions=ratings.csv", "algorithm=vsknn", "filter=none", "split=random")
    refused(
        done,
        "none of the 35 sessions of ratings has two rows; what follows what cannot be learned from them; "
        "dataset.columns.session=null takes all rows of a user as one session",
    )


def test_one_user_is_enough_where_the_split_allows_it(inside: Callable, runs: Callable, workplace: Path) -> None:
    (workplace / "ratings.csv").write_text(ONE_USER)
    done = inside("dataset=files", "dataset.interactions=ratings.csv", "split.test_n=1", "algorithm=popularity")
    assert done.returncode == 0, done.stderr
    assert [run.data.tags["recexp.complete"] for run in runs()] == ["true"]


def test_nan_ratings_are_dropped_with_a_warning(inside: Callable, runs: Callable, workplace: Path) -> None:
    (workplace / "ratings.csv").write_text(GOOD + "u1,i9,,99\n")
    done = inside("dataset=files", "dataset.interactions=ratings.csv", "filter=ratings")
    assert done.returncode == 0, done.stderr
    assert " W " in done.stderr and "rating" in done.stderr
    assert len(runs()) == 1


def test_corrupt_model(inside: Callable, workplace: Path) -> None:
    library.run("dataset=electronics", "algorithm=item_knn").model.save("model")
    done = inside("recommend", "model", "1", "-n", "3")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    arrays = bytearray((workplace / "model" / "arrays.npz").read_bytes())
    arrays[len(arrays) // 2] ^= 0xFF
    (workplace / "model" / "arrays.npz").write_bytes(arrays)
    for folder, message in (("model", "arrays.npz is corrupt"), ("nowhere", "nowhere is not a saved model")):
        done = inside("recommend", folder, "1")
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_full_disk_while_logging(inside: Callable, runs: Callable, workplace: Path, full_disk: Callable) -> None:
    with full_disk() as fill:
        fill((workplace / "mlflow.db").stat().st_size + 4096)
        done = inside("dataset=electronics", "algorithm=ease", "dataset.n_products=600")
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert runs() == []
    left = {path.name for path in workplace.rglob("*") if path.is_file()}
    assert left <= {"mlflow.db", "mlflow.db.lock", "gate.lock"}


def test_unwritable_store(inside: Callable, workplace: Path) -> None:
    (workplace / "mlflow.db").unlink()
    (workplace / "mlflow.db").mkdir()
    refused(inside("dataset=electronics"), f"tracking.uri: {workplace / 'mlflow.db'} is not a file")
    assert {path.name for path in workplace.iterdir()} <= {"mlflow.db", "mlflow.db.lock"}
    assert list((workplace / "mlflow.db").iterdir()) == []


def test_locked_store(inside: Callable, runs: Callable, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recexp.tracking.store_uri.LOCK_SECONDS", 0.2)
    connection = sqlite3.connect(workplace / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    done = inside("dataset=electronics")
    connection.close()
    refused(done, f"tracking.uri: {workplace / 'mlflow.db'} is locked by another program")
    assert runs() == []
    assert {path.name for path in workplace.iterdir()} <= {"mlflow.db", "mlflow.db.lock", "mlflow.db.locks"}


def test_store_that_is_no_database(inside: Callable, workplace: Path) -> None:
    notes = "these are notes, not a database" * 100
    (workplace / "mlflow.db").write_text(notes)
    said = f"tracking.uri: {workplace / 'mlflow.db'} cannot be used as an SQLite store: file is not a database"
    refused(inside("dataset=electronics"), said)
    assert (workplace / "mlflow.db").read_text() == notes
    assert {path.name for path in workplace.iterdir()} <= {"mlflow.db", "mlflow.db.lock", "mlflow.db.locks"}
