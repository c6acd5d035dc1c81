"""Every preset, split and filter that needs no file of the user's runs to a complete MLflow run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_store import SMALL

import recexp as library
from recexp.config import options
from recexp.errors import DataError

WORDS = (*SMALL, "tracking.log_model=false")
EVENTS = ("none", "implicit", "counts", "deduplicate", "event_values")
"""Filters for which a small store has rows enough; few of its purchases are rated."""


def runnable(group: str) -> list[str]:
    """Return the options of a group that leave no value to be given."""
    return [name for name, path in options(group).items() if ": ???" not in path.read_text()]


def check(runs: Callable, *overrides: str) -> None:
    data = WORDS[-2:] if "dataset=movielens_100k" in overrides else WORDS
    outcome = library.run("algorithm=popularity", *data, *overrides)
    (run,) = runs()
    assert run.info.run_id == outcome.run_id
    assert run.info.status == "FINISHED"
    assert run.data.tags["recexp.complete"] == "true"
    assert 0 <= run.data.metrics["test/ndcg_at_10"] == outcome.metrics["test/ndcg_at_10"] <= 1
    costs = {
        f"cost/{name}" for name in ("fit_seconds", "recommend_seconds", "evaluate_seconds", "total_seconds", "peak_mib")
    }
    assert costs <= set(run.data.metrics)


@pytest.mark.parametrize("name", options("experiment"))
def test_preset_runs(runs: Callable, name: str) -> None:
    library.run(f"+experiment={name}")
    assert [run.data.tags["recexp.complete"] for run in runs()] == ["true"]


@pytest.mark.parametrize("name", [name for name in runnable("split") if name not in ("kfold", "parts")])
def test_split_runs(runs: Callable, name: str) -> None:
    check(runs, f"split={name}")


@pytest.mark.parametrize("name", [name for name in runnable("filter") if name != "shop"])  # it needs quantities
def test_filter_runs(runs: Callable, name: str) -> None:
    data = () if name in EVENTS else ("dataset.n_users=40",) if name == "purchases" else ("dataset=movielens_100k",)
    check(runs, f"filter={name}", *data)


def test_no_fold_is_run_where_one_cannot_be_asked(runs: Callable, workplace: Path) -> None:
    rows = [f"u{u},i{i},{i % 2}" for u in range(4) for i in range(6)] + [f"new{u},i1,2" for u in range(3)]
    (workplace / "rows.csv").write_text("\n".join(["user_id,item_id,fold", *rows]) + "\n")
    data = ("dataset=files", "dataset.interactions=rows.csv", "filter=none", "algorithm=popularity")
    with pytest.raises(DataError, match="none of the 3 test users can be evaluated"):
        library.run(*data, "split=kfold", "split.by=column", "split.folds=3", "dataset.columns.fold=fold")
    assert runs() == []


def test_folds_are_runs(runs: Callable) -> None:
    outcomes = library.run(*WORDS, "algorithm=popularity", "split=kfold", "split.folds=3")
    assert len(outcomes) == 3
    assert sorted(run.data.tags["fold"] for run in runs()) == ["0", "1", "2"]
    assert len({run.data.tags["recexp.protocol"] for run in runs()}) == 1
    assert len({run.data.tags["recexp.split"] for run in runs()}) == 3


def test_validation_is_measured_too(runs: Callable) -> None:
    library.run(*WORDS, "algorithm=item_knn", "split.validation_ratio=0.1")
    (run,) = runs()
    assert {"test/ndcg_at_10", "validation/ndcg_at_10"} <= set(run.data.metrics)
    assert run.data.metrics["test/ndcg_at_10"] != run.data.metrics["validation/ndcg_at_10"]


def test_sweep_goes_on_after_a_failure(inside: Callable, runs: Callable) -> None:
    done = inside("-m", *WORDS, "algorithm=popularity", "split.test_ratio=0.2,0.00001,0.3")
    assert done.returncode == 1, done.stderr
    assert "1 of 3 jobs failed" in done.stderr
    assert "no rows go to test" in done.stderr
    assert len(runs()) == 2
    assert len({run.data.tags["sweep"] for run in runs()}) == 1


def test_finished_runs_are_skipped_on_resume(inside: Callable, runs: Callable) -> None:
    for seed in ("1", "1,2"):
        done = inside("-m", *WORDS, "algorithm=popularity", f"seed={seed}", "resume=true")
        assert done.returncode == 0, done.stderr
    assert sorted(run.data.tags["seed"] for run in runs()) == ["1", "2"]


def test_same_command_gives_bit_equal_results(
    recexp: Callable, inside: Callable, runs: Callable, workplace: Path
) -> None:
    """In a process of its own, and here with as many threads and with fewer."""
    import pyarrow.parquet as pq

    for command, threads in ((recexp, "2"), (inside, "2"), (inside, "1")):
        done = command(*WORDS, "algorithm=ease", f"runner.threads={threads}")
        assert done.returncode == 0, done.stderr
    one, again, first = runs()  # the latest first
    measured = {name for name in first.data.metrics if not name.startswith("cost/")}
    tables = [
        pq.read_table(next(workplace.glob(f"*/{run.info.run_id}/artifacts/lists.parquet"))) for run in (first, again)
    ]
    assert tables[0].equals(tables[1])
    assert all(first.data.metrics[name] == again.data.metrics[name] for name in measured)
    assert all(abs(first.data.metrics[name] - one.data.metrics[name]) < 1e-6 for name in measured)
    assert len({run.data.tags["recexp.config"] for run in runs()}) == 1


def test_python_and_command_line_agree(inside: Callable, runs: Callable, workplace: Path) -> None:
    outcome = library.run(*WORDS, "algorithm=item_knn", "seed=5")
    done = inside(*WORDS, "algorithm=item_knn", "seed=5")
    assert done.returncode == 0, done.stderr
    command, python = runs()
    assert python.info.run_id == outcome.run_id
    assert command.data.tags["recexp.config"] == python.data.tags["recexp.config"]
    assert command.data.metrics["test/ndcg_at_10"] == outcome.metrics["test/ndcg_at_10"]


def test_listed_candidates_have_names_of_their_own(runs: Callable, workplace: Path) -> None:
    train = [f"u{u},i{i}" for u in range(6) for i in range(8) if (u + i) % 2]
    (workplace / "train.csv").write_text("\n".join(["user_id,item_id", *train]) + "\n")
    asked = [f"u{u},i{u % 2},i{2 + u % 2}|i{4 + u % 2}" for u in range(6)]
    (workplace / "test.csv").write_text("\n".join(["user_id,item_id,candidates", *asked]) + "\n")
    outcome = library.run(
        "dataset=files",
        "dataset.interactions=train.csv",
        "split=predefined",
        "split.test=test.csv",
        "algorithm=popularity",
        "evaluation.cutoffs=[3]",
    )
    assert outcome.metrics["test_candidates/hit_rate_at_3"] == 1.0, "three candidates fill a list of three"
    assert not any(name.startswith("test/") for name in outcome.metrics)
    (run,) = runs()
    assert "test_candidates/ndcg_at_3" in run.data.metrics
