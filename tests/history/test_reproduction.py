"""Runs made again: bit-equal where nothing has changed, and told apart where something has."""

import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

import recexp as library
from recexp import cli, threads
from recexp.algorithms.base import Recommender
from recexp.config.building import build
from recexp.errors import ConfigError
from recexp.history.archive import Archive, StoredRun
from recexp.history.rebuild import rebuild
from recexp.tracking import Tracking

SHOP = ("dataset=files", "dataset.interactions=ratings.csv", "evaluation.cutoffs=[5,10]")
MINE = """
import numpy as np

from recexp.algorithms import Capabilities, Recommender
from recexp.metrics.base import ListMetric
from recexp.params import params

SHIFT = 0.0


@params
class Means(Recommender):
    capabilities = Capabilities(feedback="value", needs_history=False, predicts=True)

    def fit(self, train, context=None):
        self.mean_ = float(train.interactions.values.mean())
        return self

    def score(self, queries):
        return np.tile(np.arange(queries.n_items, dtype=np.float32), (len(queries), 1))

    def predict(self, rows, history):
        return np.full(len(rows), self.mean_ + SHIFT, np.float32)


@params
class First(ListMetric):
    bonus: float

    def values(self, judged, k):
        return judged.hits[:, 0] + self.bonus
"""


def made(*overrides: str) -> list[StoredRun]:
    """Run, and return what the store has of it."""
    outcomes = library.run(*SHOP, *overrides)
    outcomes = outcomes if isinstance(outcomes, Sequence) else [outcomes]
    return [Archive(None).run(outcome.run_id) for outcome in outcomes]


def repeats(run: StoredRun) -> list[StoredRun]:
    """The runs that reproduce one."""
    return Archive(None).runs(tags={"recexp.reproduces": run.id})


def test_a_tuned_hybrid_is_bit_equal(shop: Path, capsys: pytest.CaptureFixture) -> None:
    parts = ("algorithm@algorithm.parts.cf=item_knn", "algorithm@algorithm.parts.mf=popularity")
    (run,) = made("algorithm=hybrid_weighted", *parts, "algorithm.weights=tuned", "split.validation_ratio=0.3")
    assert cli.run(["evaluate", "--runs", run.id, "metric=mrr", "cutoffs=[5]"]) == 0
    assert cli.run(["reproduce", run.id]) == 0
    said = capsys.readouterr().out
    (new,) = repeats(run)
    judged = {name: value for name, value in run.metrics.items() if not name.startswith("cost/")}
    assert {name: new.metrics[name] for name in judged} == judged
    assert f"run {new.id} reproduces {run.id}: bit-equal: {len(judged)} of {len(judged)} metrics bit-equal" in said
    assert "added later" in said and "other differences  then  now\nnothing" in said
    assert new.experiment == run.experiment and new.complete and new.tags["recexp.config"] == run.tags["recexp.config"]
    assert new.tags["recexp.reproduced"] == "bit-equal" and new.tags["algorithm"] == "hybrid_weighted"
    archive = Archive(None)
    report = json.loads(archive.file(new, "reproduction.json").read_text())
    assert report["verdict"] == "bit-equal" and report["lists"][0] == report["lists"][1] > 0
    assert set(report["fingerprints"].values()) == {True}
    assert "| test/ndcg_at_10 |" in archive.file(new, "reproduction.md").read_text()


def test_one_fold_is_reproduced_alone(shop: Path) -> None:
    runs = made("algorithm=popularity", "split=kfold", "split.folds=3", "refit=false", "seed=8")
    assert cli.run(["reproduce", runs[1].id]) == 0
    (new,) = repeats(runs[1])
    assert new.tags["fold"] == "1" and new.tags["recexp.split"] == runs[1].tags["recexp.split"]


def test_classes_of_ones_own_without_their_config_folder(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    own = {"algorithm": "_target_: own_models.Means\n", "metric": "_target_: own_models.First\nbonus: 2.5\n"}
    for group, text in own.items():
        (tmp_path / "conf" / group).mkdir(parents=True)
        (tmp_path / "conf" / group / "mine.yaml").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("RECEXP_TRUST", "own_models")

    def write(shift: str) -> None:
        (tmp_path / "own_models.py").write_text(MINE.replace("SHIFT = 0.0", f"SHIFT = {shift}"))
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        sys.modules.pop("own_models", None)

    write("0.0")
    outcome = library.run(
        *SHOP,
        "algorithm=mine",
        "filter=ratings",
        "split=random_rows",
        "evaluation.metrics=[rmse,mine]",
        config_dir=str(tmp_path / "conf"),
    )
    assert outcome.metrics["test/mine_at_5"] >= 2.5
    run = Archive(None).run(outcome.run_id)
    shutil.rmtree(tmp_path / "conf")
    assert cli.run(["reproduce", run.id]) == 0
    write("1e-6")
    assert cli.run(["reproduce", run.id, "--tolerance", "1e-4"]) == 0
    write("0.3")
    assert cli.run(["reproduce", run.id]) == 1
    out, said = capsys.readouterr()
    new = repeats(run)[-1]
    assert re.search(
        rf"recexp: run {new.id} does not reproduce {run.id}: off: .* metrics bit-equal, 1 off by more than 1e-06; ",
        said,
    )
    assert f"run {new.id} reproduces" not in out, "one statement, in one place"
    assert out.count("own_models.First, own_models.Means, changed since run") == 2, "not where nothing has changed"
    assert "\n  -SHIFT = 0.0\n  +SHIFT = 0.3\n" in out
    verdicts = [new.tags["recexp.reproduced"] for new in repeats(run)]
    assert verdicts == ["bit-equal", "within tolerance", "off"]
    (tmp_path / "own_models.py").unlink()
    sys.modules.pop("own_models")
    assert cli.run(["reproduce", run.id]) == 2
    said = capsys.readouterr().err
    assert "algorithm._target_: cannot import own_models.Means: No module named 'own_models'; its code must be" in said


def test_data_that_are_gone_moved_or_changed(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    shutil.copy("ratings.csv", "mine.csv")
    (run,) = made("algorithm=popularity", "dataset.interactions=mine.csv")
    Path("mine.csv").rename(tmp_path / "moved.csv")
    assert cli.run(["reproduce", run.id]) == 2
    said = capsys.readouterr().err
    assert "mine.csv: no such file; for data in another location set dataset.interactions=FILE" in said
    text = (tmp_path / "moved.csv").read_text()
    (tmp_path / "moved.csv").write_text(f"{text}u1,f99,5,1\n")
    assert cli.run(["reproduce", run.id, f"dataset.interactions={tmp_path / 'moved.csv'}"]) == 2
    assert "cannot be reproduced: the data differ from those of the run (fingerprint " in capsys.readouterr().err
    assert repeats(run) == []
    (tmp_path / "moved.csv").write_text(text)
    assert cli.run(["reproduce", run.id, f"dataset.interactions={tmp_path / 'moved.csv'}"]) == 0


def test_fields_that_came_or_went_since_are_named(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    archive, (run,) = Archive(None), made("algorithm=popularity", "seed=11")
    config, identity = archive.config(run), archive.yaml(run, "identity.yaml")
    for part, field in (("audit", "similarity"), ("split", "seed"), ("evaluation", "history"), ("fallback", None)):
        config[part].pop(field or "half_life_days")
    del config["show"], identity["evaluation"]["history"]
    config["algorithm"]["shrinkage"], config["filter"]["steps"][0]["strict"], config["pace"] = 7, True, 2
    for name, content in (("config.yaml", config), ("identity.yaml", identity)):
        (tmp_path / name).write_text(yaml.safe_dump(content, sort_keys=False))
    archive.add(run, files=[tmp_path / "config.yaml", tmp_path / "identity.yaml"])
    assert cli.run(["reproduce", run.id]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [
        line.split() for line in lines[[line.split()[:2] for line in lines].index(["other", "differences"]) :] if line
    ]
    assert rows[1:-1] == [
        ["evaluation.history", "unknown", "all"],
        ["algorithm.shrinkage", "7", "none"],
        ["audit.similarity", "unknown", "0.9"],
        ["fallback.half_life_days", "unknown", "null"],
        ["filter.steps.0.strict", "true", "none"],
        ["pace", "2", "none"],
        ["show", "unknown", "null"],
        ["split.seed", "unknown", "11"],
    ]
    (new,) = repeats(run)
    assert new.tags["recexp.reproduced"] == "bit-equal" and new.tags["recexp.config"] == run.tags["recexp.config"]


def test_a_run_that_stopped_before_the_test_has_no_lists_to_compare(shop: Path, capsys: pytest.CaptureFixture) -> None:
    (run,) = made("algorithm=popularity", "split.validation_ratio=0.2", "runner=validation")
    assert cli.run(["reproduce", run.id]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("metrics bit-equal")
    (new,) = repeats(run)
    assert json.loads(Archive(None).file(new, "reproduction.json").read_text())["lists"] is None
    shutil.copy("ratings.csv", "trial.csv")
    (run,) = made(
        "algorithm=popularity", "split.validation_ratio=0.2", "runner=validation", "dataset.interactions=trial.csv"
    )
    Path("trial.csv").write_text(Path("ratings.csv").read_text() + "u1,f99,5,1\n")
    assert cli.run(["reproduce", run.id]) == 2
    assert "cannot be reproduced: the data differ from those of the run" in capsys.readouterr().err


def test_a_store_named_by_an_option_of_ones_own(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "conf" / "tracking"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(
        f"_target_: recexp.tracking.Tracking\nuri: {shop / 'mlflow.db'}\nartifacts: null\n"
        "experiment: mine\nlog_model: false\ngit_diff: false\n"
    )
    (run,) = made("algorithm=popularity", "tracking.experiment=mine")
    mine = ["--config-dir", str(tmp_path / "conf"), "tracking=mine"]
    assert cli.run(["evaluate", *mine, "metric=mrr"]) == 0
    assert "test/mrr_at_10" in Archive(None).run(run.id).metrics
    assert cli.run(["reproduce", run.id, *mine]) == 0
    assert cli.run(["export", run.id, str(tmp_path / "run.zip"), *mine]) == 0
    capsys.readouterr()
    assert cli.run(["import", str(tmp_path / "run.zip"), *mine]) == 0
    assert "is already in the store" in capsys.readouterr().out


def test_what_differs_is_named(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    archive, (run,) = Archive(None), made("algorithm=popularity", "seed=6")
    changes = {
        "requirements.txt": ("\nnumpy==", "\nnumpy==1.0+"),
        "environment.yaml": ("threads: ", "threads: 9"),
        "identity.yaml": ("recexp: ", "recexp: 9."),
    }
    for name, (old, new) in changes.items():
        (tmp_path / name).write_text(archive.file(run, name).read_text().replace(old, new, 1))
    archive.add(run, files=[tmp_path / name for name in changes], tags={"mlflow.source.git.commit": "abc"})
    assert cli.run(["reproduce", run.id]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line}
    assert rows["numpy"][0].startswith("1.0+2") and rows["numpy"][1].startswith("2")
    assert rows["threads"][0] == f"9{rows['threads'][1]}"
    assert rows["recexp"] == [f"9.{library.__version__}", library.__version__]
    assert rows["mlflow.source.git.commit"][0] == "abc"
    (tmp_path / "environment.yaml").write_text("threads: 1\n")
    archive.add(run, files=[tmp_path / "environment.yaml"])
    with monkeypatch.context() as patch:
        patch.setattr(threads, "_count", 4)
        assert rebuild(archive, run, [])[0].runner.threads == 1  # as many as the run had
        assert rebuild(archive, run, ["runner.threads=3"])[0].runner.threads == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "recexp reproduce takes RUN [--tolerance X]"),
        (["a", "b"], "recexp reproduce takes RUN"),
        (["0123"], "there is no run 0123 in sqlite:///"),
        (["0123", "--tolerance", "much"], "--tolerance: must be a number from 0 (got much)"),
        (["0123", "--tolerance=-1"], "--tolerance: must be a number from 0 (got -1)"),
        (["0123", "tracking.uri=none.db"], "none.db does not exist; run recexp first"),
    ],
)
def test_wrong_words_are_told(shop: Path, capsys: pytest.CaptureFixture, words: list[str], message: str) -> None:
    assert cli.run(["reproduce", *words]) == 2
    assert message in capsys.readouterr().err


def test_runs_that_cannot_be_stood_on(shop: Path, capsys: pytest.CaptureFixture) -> None:
    tracking = Tracking(uri=None, artifacts=None, experiment="bad", log_model=False, git_diff=False)
    with tracking.open() as store:
        with pytest.raises(ValueError), store.run(name="broken", tags={}) as failed:
            broken = failed.id
            raise ValueError("broken")
        with store.run(name="bare", tags={}) as run:
            run.finish(metrics={"test/ndcg": 1.0}, params={}, description="", inputs=[], model_folder=None)
    for words in ("reproduce {}", "export {} x.zip", "evaluate metric=mrr --runs {}"):
        assert cli.run(words.format(broken).split()) == 2
        assert f"run {broken} is not complete (status FAILED)" in capsys.readouterr().err
    assert cli.run(["reproduce", run.id]) == 2
    assert f"run {run.id} has no file config.yaml" in capsys.readouterr().err
    assert cli.run(["evaluate", "--experiment", "bad", "metric=mrr"]) == 2
    assert f"run {run.id} has no file config.yaml" in capsys.readouterr().err
    (good,) = made("algorithm=popularity", "tracking.experiment=bad")
    for word in ("algorithm.half_life_days=3", "dataset=movielens_100k", "+dataset.x=1", "seed=3"):
        assert cli.run(["reproduce", good.id, word]) == 2
        assert f"{word}: a run keeps its own config; only these parts can be" in capsys.readouterr().err
    assert cli.run(["reproduce", good.id, "dataset.interaction=x.csv"]) == 2
    assert "dataset.interaction: unknown; did you mean interactions" in capsys.readouterr().err
    Archive(None).file(good, "lists.parquet").unlink()
    assert cli.run(["reproduce", good.id]) == 2
    assert f"run {good.id} has no file lists.parquet" in capsys.readouterr().err


def test_a_store_of_a_newer_mlflow(workplace: Path, capsys: pytest.CaptureFixture) -> None:
    with sqlite3.connect("mlflow.db") as connection:
        connection.execute("update alembic_version set version_num = 'f00000000000'")
    connection.close()
    for words in (["reproduce", "0123"], ["export", "0123", "x.zip"], ["evaluate", "metric=mrr"]):
        assert cli.run(words) == 2
        said = capsys.readouterr().err
        assert "mlflow.db was created by another version of MLflow; use that version, or another store" in said


def test_a_config_cannot_call_what_is_no_component(tmp_path: Path) -> None:
    command = {"_target_": "subprocess.Popen", "args": ["touch", str(tmp_path / "owned")]}
    node = {"_target_": "recexp.algorithms.baselines.popularity.Popularity", "half_life_days": command}
    with pytest.raises(ConfigError, match=r"subprocess\.Popen is not part of recexp and its code is not trusted"):
        build(node, Recommender, "algorithm")
    assert not (tmp_path / "owned").exists()
