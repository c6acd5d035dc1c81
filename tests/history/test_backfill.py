"""Back-fill: metrics that come later equal those that were there from the start."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml

import recexp as library
from recexp import cli
from recexp.datasets.files import Files
from recexp.evidence.run_files import read_metrics, read_slices, read_user_values
from recexp.history.archive import Archive, StoredRun

LISTS = "ndcg,recall,recall_capped,precision,f1,map,mrr,hit_rate,novelty,average_popularity,serendipity"
SETS = "intra_list_diversity,intra_list_diversity_cooccurrence,catalog_coverage,long_tail_coverage,entropy,gini"
ALL = f"{LISTS},{SETS},personalization"
SHOP = ("dataset=files", "dataset.interactions=ratings.csv", "dataset.items=films.csv")
PROTOCOLS = {
    "catalogue": ("algorithm=item_knn", "split.validation_ratio=0.2", "evaluation.catalogue=in_train", "seed=2"),
    "candidates": ("algorithm=popularity", "split=predefined", "split.test=test.csv"),
    "folds": ("algorithm=popularity", "split=kfold", "split.folds=2", "filter=none", "evaluation.relevant_from=4.0"),
}


def made(*overrides: str, experiment: str, metrics: str = "ndcg", cutoffs: str = "5,10") -> list[StoredRun]:
    """Run, and return what the store has of it."""
    outcomes = library.run(
        *SHOP,
        f"tracking.experiment={experiment}",
        "tracking.log_model=false",
        f"evaluation.metrics=[{metrics}]",
        f"evaluation.cutoffs=[{cutoffs}]",
        *overrides,
    )
    outcomes = outcomes if isinstance(outcomes, Sequence) else [outcomes]
    return [Archive(None).run(outcome.run_id) for outcome in outcomes]


def judged(run: StoredRun) -> dict[str, float]:
    """The metrics of the test."""
    return {name: value for name, value in run.metrics.items() if name.startswith("test") and "fallback" not in name}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_values_equal_those_of_a_run_that_had_the_metrics_from_the_start(shop: Path, protocol: str) -> None:
    late = made(*PROTOCOLS[protocol], experiment=protocol)
    full = made(*PROTOCOLS[protocol], experiment=f"{protocol}_full", metrics=ALL, cutoffs="3,5,10")
    assert cli.run(["evaluate", "--experiment", protocol, f"metric={ALL}", "cutoffs=[3,5,10]"]) == 0
    assert len({tuple(judged(run).values()) for run in full}) == (2 if protocol == "folds" else 1)
    archive = Archive(None)
    for run, expected in zip([archive.run(run.id) for run in late], full, strict=True):
        assert run.complete
        assert judged(run) == pytest.approx(judged(expected), abs=1e-12)
        (values, intervals), (_, wanted) = (read_metrics(archive.file(r, "metrics.csv")) for r in (run, expected))
        assert all(values[name] == value for name, value in judged(run).items())
        assert [name for name in wanted if name not in intervals and name.startswith("test")] == []
        assert all(bounds == pytest.approx(wanted[name], abs=1e-12) for name, bounds in intervals.items())
        users, expect = (read_user_values(archive.file(r, "per_user.parquet")) for r in (run, expected))
        assert users.keys() == expect.keys()
        for name in expect:
            np.testing.assert_array_equal(users[name], expect[name])
        slices = [
            {
                (s.slice, s.group, s.metric, s.size): (s.value, s.low, s.high)
                for s in read_slices(archive.file(r, "slices.csv"))
            }
            for r in (run, expected)
        ]
        assert slices[0].keys() == slices[1].keys()
        for name in slices[1]:
            np.testing.assert_allclose(slices[0][name], slices[1][name], atol=1e-12)


def test_metrics_of_ratings_come_from_the_predictions(shop: Path, capsys: pytest.CaptureFixture) -> None:
    words = ("algorithm=bias", "filter=ratings", "split=random_rows")
    (run,) = made(*words, experiment="rated", metrics="rmse", cutoffs="10")
    (full,) = made(*words, experiment="rated_full", metrics="rmse,mae,ndcg", cutoffs="10")
    assert cli.run(["evaluate", "--experiment", "rated", "metric=mae,ndcg"]) == 0
    assert judged(Archive(None).run(run.id)) == judged(full)
    Archive(None).file(run, "predictions.parquet").unlink()
    assert cli.run(["evaluate", "--experiment", "rated", "metric=mae", "--again"]) == 2
    assert "metrics of ratings need predicted ratings, and the run stored none" in capsys.readouterr().err


def test_changed_side_tables_are_other_data(shop: Path, capsys: pytest.CaptureFixture) -> None:
    """The split is the same still, and the lists are; but diversity is that of other genres."""
    text = Path("films.csv").read_text()
    Path("genres.csv").write_text(text)
    (run,) = made("algorithm=popularity", "dataset.items=genres.csv", experiment="genres")
    Path("genres.csv").write_text(text.replace("noir", "drama"))
    assert cli.run(["evaluate", "--runs", run.id, "metric=intra_list_diversity"]) == 2
    said = capsys.readouterr()
    assert "the data differ from those of the run (fingerprint " in said.err
    assert "for data in another location set dataset.interactions=FILE or dataset.root=DIR" in said.err
    assert Archive(None).run(run.id).metrics == run.metrics
    Path("genres.csv").write_text(text)
    assert cli.run(["evaluate", "--runs", run.id, "metric=intra_list_diversity"]) == 0


def test_a_split_that_is_made_otherwise_by_now_is_refused(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    (run,) = made("algorithm=popularity", "seed=17", experiment="otherwise")
    Archive(None).add(run, tags={"recexp.split": "0" * 64})
    assert cli.run(["evaluate", "--runs", run.id, "metric=mrr"]) == 2
    assert "the config now produces a different split than in the run" in capsys.readouterr().err


def test_fields_that_came_or_went_since_and_code_that_is_gone_do_not_matter(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (run,) = made("algorithm=popularity", experiment="versions")
    archive = Archive(None)
    config = archive.config(run)
    del config["evaluation"]["history"], config["split"]["seed"], config["audit"]["similarity"]
    config["dataset"]["compression"] = config["runner"]["pace"] = 3
    config["algorithm"]["_target_"] = "gone.Popularity"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    archive.add(run, files=[tmp_path / "config.yaml"])
    assert cli.run(["evaluate", "--runs", run.id, "metric=mrr"]) == 0
    assert (
        archive.run(run.id).metrics["test/mrr_at_10"]
        == made("algorithm=popularity", experiment="versions_full", metrics="mrr")[0].metrics["test/mrr_at_10"]
    )


def test_runs_without_lists_are_told_as_that(shop: Path, capsys: pytest.CaptureFixture) -> None:
    words = ("algorithm=popularity", "split.validation_ratio=0.2")
    (tested,) = made(*words, experiment="trials-trials")  # where trials go
    (trial,) = made(*words, "runner=validation", experiment="trials")
    assert cli.run(["evaluate", "--experiment", "trials-trials", "metric=mrr"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 runs without final metrics are skipped" in lines
    assert "test/mrr_at_10" in Archive(None).run(tested.id).metrics
    assert cli.run(["evaluate", "--runs", trial.id, "metric=mrr"]) == 2
    assert f"run {trial.id} stored no lists to compute new metrics from (its runner: Validation)" in (
        capsys.readouterr().err
    )


def test_data_are_read_once_for_all_runs_and_what_is_there_is_left(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    runs = [made("algorithm=popularity", f"seed={seed}", experiment="seeds")[0] for seed in (1, 2)]
    loads = []
    load = Files.load
    monkeypatch.setattr(Files, "load", lambda self: loads.append(self.name) or load(self))
    assert cli.run(["evaluate", "--runs", f"{runs[0].id},{runs[0].id}", "evaluation.metrics=[mrr]"]) == 0
    assert cli.run(["evaluate", "--experiment", "seeds", "evaluation.metrics=[mrr,ndcg]"]) == 0
    assert cli.run(["evaluate", "--experiment", "seeds", "evaluation.metrics=[recall]"]) == 0
    assert loads == []  # they are prepared since the runs
    made("algorithm=random", "seed=2", experiment="seeds")
    loads.clear()
    assert cli.run(["evaluate", "--experiment", "seeds", "evaluation.metrics=[precision]", "runner.cache=false"]) == 0
    assert len(loads) == 2  # seeds
    lines = capsys.readouterr().out.splitlines()
    given = [line for line in lines if "±" in line][:4]
    assert ["mrr_at_10" in line and "ndcg_at_10" not in line for line in given] == [True, True, False, False]
    assert sum("already computed (--again recomputes them)" in line for line in lines) == 1
    archive = Archive(None)
    added = archive.run(runs[0].id).tags["recexp.added_metrics"]
    names = [f"test/{name}_at_{k}" for name in ("mrr", "recall", "precision") for k in (5, 10)]
    assert added.split() == names
    archive.add(runs[0], metrics={"test/ndcg_at_10": 7.0})
    assert cli.run(["evaluate", "--runs", runs[0].id, "metric=ndcg", "--again"]) == 0
    again = archive.run(runs[0].id)
    assert again.metrics["test/ndcg_at_10"] == runs[0].metrics["test/ndcg_at_10"]
    assert again.tags["recexp.added_metrics"] == added


def test_what_cannot_be_evaluated_is_said_and_costs_only_itself(shop: Path, capsys: pytest.CaptureFixture) -> None:
    shutil.copy("ratings.csv", "other.csv")
    (good,) = made("algorithm=popularity", experiment="mixed")
    (changed,) = made("algorithm=popularity", "dataset.interactions=other.csv", experiment="mixed")
    (short,) = made("algorithm=popularity", experiment="mixed", cutoffs="5")
    Path("other.csv").write_text(Path("ratings.csv").read_text().replace("u1,", "u99,"))
    assert cli.run(["evaluate", "--experiment", "mixed", "metric=mrr", "cutoffs=[10]"]) == 1
    said = capsys.readouterr()
    lines = {line.split()[1]: line for line in said.out.splitlines()}
    assert "test/mrr_at_10" in lines[good.id]
    assert "the data differ from those of the run (fingerprint " in lines[changed.id]
    assert "evaluation.cutoffs: the stored lists have 5 items; 10 is too long" in lines[short.id]
    assert "2 of 3 runs could not be evaluated" in said.err
    archive = Archive(None)
    assert all(archive.run(run.id).metrics == run.metrics for run in (changed, short))
    archive.file(short, "lists.parquet").write_text("no parquet")
    assert cli.run(["evaluate", "--runs", short.id, "metric=mrr"]) == 2
    assert "lists.parquet is damaged" in capsys.readouterr().err
    Path("other.csv").unlink()
    assert cli.run(["evaluate", "--runs", changed.id, "metric=mrr"]) == 2
    assert "dataset.interactions: other.csv: no such file; for data in another location" in capsys.readouterr().err
    assert cli.run(["evaluate", "--runs", changed.id, "metric=mrr", "dataset.interactions=ratings.csv"]) == 0


def test_runs_whose_data_lack_what_a_metric_needs_are_passed_over(shop: Path, capsys: pytest.CaptureFixture) -> None:
    (good,) = made("algorithm=popularity", experiment="lacking")
    bare = [made("algorithm=popularity", "dataset.items=null", f"seed={seed}", experiment="lacking") for seed in (1, 2)]
    assert cli.run(["evaluate", "--experiment", "lacking", "metric=intra_list_diversity", "cutoffs=[5]"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].startswith(f"run {good.id} ")
    assert " and 1 more: evaluation.metrics: intra_list_diversity needs item_categories, and " in lines[1]
    assert last == "1 of 3 runs have the metrics, 2 are incompatible"
    assert cli.run(["evaluate", "--experiment", "lacking", "metric=mrr", "algorithm.k=3"]) == 2
    said = capsys.readouterr()
    assert "algorithm.k=3: a run keeps its own config" in said.err and len(said.err.splitlines()) == 1 and not said.out
    assert Archive(None).run(bare[0][0].id).metrics == bare[0][0].metrics


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "recexp evaluate takes metric=NAME"),
        (["metric=ndgc"], "evaluation.metrics: unknown option ndgc; did you mean ndcg?"),
        (["cutoffs=[0]"], "evaluation.cutoffs: must be numbers from 1"),
        (["metric=mrr", "--runs"], "recexp evaluate takes"),
        (["metric=mrr", "--runs", "0123"], "there is no run 0123"),
        (["metric=mrr", "--experiment", "nowhere"], "tracking.experiment: there is no nowhere"),
        (["metric=mrr", "--experiment=Default"], "has no complete runs with final metrics"),
        (["metric=mrr", "tracking.uri=none.db"], "none.db does not exist; run recexp first"),
        (["metric=mrr", "--fast"], "allowed: --config-dir, --trust, --experiment, --runs, --again"),
    ],
)
def test_wrong_words_are_told(shop: Path, capsys: pytest.CaptureFixture, words: list[str], message: str) -> None:
    assert cli.run(["evaluate", *words]) == 2
    assert message in capsys.readouterr().err


def test_catalogues_of_one_split_are_evaluated_each_by_its_own(shop: Path) -> None:
    Path("more.csv").write_text(Path("films.csv").read_text() + "f_new,noir\n")
    words = ("algorithm=popularity", "dataset.items=more.csv")
    runs = [
        run
        for catalogue in ("all", "listed")
        for run in made(*words, f"evaluation.catalogue={catalogue}", experiment="catalogues")
    ]
    assert len({run.tags["recexp.split"] for run in runs}) == 1
    assert cli.run(["evaluate", "--experiment", "catalogues", "metric=catalog_coverage", "cutoffs=[5]"]) == 0
    found = [Archive(None).run(run.id).metrics["test/catalog_coverage_at_5"] for run in runs]
    assert found[1] < found[0], "one item more that nobody gets"
