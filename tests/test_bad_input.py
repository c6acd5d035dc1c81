"""Bad input through the command line: one clear line, exit code 2, no run, no half file."""

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

import recexp as library

HEADER = "user_id,item_id,rating,timestamp\n"
GOOD = HEADER + "".join(f"u{u},i{i},{1 + (u + i) % 5},{1000 + 10 * u + i}\n" for u in range(8) for i in range(6))
ONE_USER = HEADER + "".join(f"u1,i{i},5,{i}\n" for i in range(6))

CASES = {
    "missing file": (None, [], "ratings.csv: no such file"),
    "empty file": ("", [], "ratings.csv: "),
    "header only": (HEADER, [], "ratings.csv: "),
    "wrong column name": (GOOD, ["dataset.columns.user=customer"], "user_id, item_id, rating, timestamp"),
    "no item column": (GOOD.replace("item_id", "product"), [], "dataset.columns.item"),
    "nothing left after filtering": (
        GOOD,
        ["filter.steps=[{_target_: recexp.filters.values.MinimumRating, minimum: 9.0}]"],
        "nothing is left of",
    ),
    "empty ids": (GOOD + ",i1,5,3\n", [], "user_id"),
    "duplicate rows": (GOOD + "u1,i1,3,1011\n", [], "dataset.duplicates=keep"),
    "text in the rating column": (GOOD + "u1,i9,great,99\n", [], "great"),
    "no timestamps for a temporal split": (
        "\n".join(line.rpartition(",")[0] for line in GOOD.splitlines()),
        ["split=temporal", "filter=none"],
        "timestamp",
    ),
    "missing feature column": (GOOD, ["dataset.items=items.csv", "dataset.item_features={colour: category}"], "colour"),
    "test users unknown": (
        GOOD,
        ["filter=none", "split=predefined", "split.test=strangers.csv"],
        "none of the 2 test users",
    ),
    "test file missing": (GOOD, ["split=predefined", "split.test=nowhere.csv"], "nowhere.csv"),
    "users table missing": (GOOD, ["dataset.users=nowhere.csv"], "nowhere.csv"),
    "ratings metric without ratings": (GOOD, ["evaluation.metrics=[rmse]"], "metrics of ratings need predicted ones"),
    "features metric without features": (
        GOOD,
        ["evaluation.metrics=[intra_list_diversity]"],
        "intra_list_diversity needs",
    ),
    "no rows for test": (GOOD, ["filter=none", "split.test_ratio=0.01"], "test"),
}


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
    told = [line for line in done.stderr.splitlines() if line.startswith("recexp: ")]
    assert done.returncode == 2, done.stderr
    assert any(message in line for line in told), done.stderr
    assert "Traceback" not in done.stderr
    assert runs() == []
    with FileLock(workplace / "mlflow.db.lock"):  # what opens the store lives on: wait until it has
        assert {path.name for path in workplace.iterdir()} - before <= {"mlflow.db.lock"}


def test_one_user_is_enough_where_the_split_allows_it(inside: Callable, runs: Callable, workplace: Path) -> None:
    (workplace / "ratings.csv").write_text(ONE_USER)
    done = inside("dataset=files", "dataset.interactions=ratings.csv", "split.test_n=1", "algorithm=popularity")
    assert done.returncode == 0, done.stderr
    assert [run.data.tags["recexp.complete"] for run in runs()] == ["true"]


def test_one_user_cannot_be_held_out(inside: Callable, runs: Callable, workplace: Path) -> None:
    (workplace / "ratings.csv").write_text(ONE_USER)
    done = inside("dataset=files", "dataset.interactions=ratings.csv", "split=user_holdout")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert runs() == []


def test_nan_ratings_are_dropped_with_a_warning(inside: Callable, runs: Callable, workplace: Path) -> None:
    (workplace / "ratings.csv").write_text(GOOD + "u1,i9,,99\n")
    done = inside("dataset=files", "dataset.interactions=ratings.csv", "filter=ratings")
    assert done.returncode == 0, done.stderr
    assert " W " in done.stderr and "rating" in done.stderr
    assert len(runs()) == 1


def test_corrupt_model(inside: Callable, workplace: Path) -> None:
    library.run("dataset=electronics", "algorithm=item_knn").model.save("model")
    done = inside("recommend", "model", "1", "3")
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


def test_full_disk_while_logging(runs: Callable, workplace: Path) -> None:
    def limit() -> None:
        size = (workplace / "mlflow.db").stat().st_size + 4096
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    command = [sys.executable, "-m", "recexp", "dataset=electronics", "algorithm=ease", "dataset.n_products=600"]
    done = subprocess.run(command, cwd=workplace, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert runs() == []
    left = {path.name for path in workplace.rglob("*") if path.is_file()}
    assert left <= {"mlflow.db", "mlflow.db.lock", "mlflow.db.claims"}


def test_unwritable_store(inside: Callable, workplace: Path) -> None:
    (workplace / "mlflow.db").unlink()
    (workplace / "mlflow.db").mkdir()
    done = inside("dataset=electronics")
    assert done.returncode == 2
    assert "recexp: tracking.uri: " in done.stderr and "is not a file" in done.stderr


def test_locked_store(inside: Callable, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recexp.tracking.place.LOCK_SECONDS", 0.2)
    connection = sqlite3.connect(workplace / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    done = inside("dataset=electronics")
    connection.close()
    assert done.returncode == 2
    assert "is locked by another program" in done.stderr


def test_store_that_is_no_database(inside: Callable, workplace: Path) -> None:
    (workplace / "mlflow.db").write_text("these are notes, not a database" * 100)
    done = inside("dataset=electronics")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
