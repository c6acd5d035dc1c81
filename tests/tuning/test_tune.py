"""`recexp tune` and the sweeper: values chosen on validation, one test of the best, and what is refused."""

import csv
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import recexp as library
from recexp import cli
from recexp.config import options
from recexp.config.overrides import parse
from recexp.tuning import job as tuning_jobs
from recexp.tuning.overrides import overrides
from recexp.tuning.study_report import table

QUIET = ["tracking.log_model=false", "logging.level=warning"]


def files(workplace: Path, run_id: str) -> dict[str, Path]:
    (folder,) = workplace.glob(f"mlflow-artifacts/{run_id}/artifacts/tuning")
    return {path.name: path for path in folder.iterdir()}


def test_the_best_on_validation_becomes_one_ordinary_run(shop: Callable, runs: Callable, workplace: Path) -> None:
    words = shop("algorithm=steps", "tuning.trials=6", "seed=2", *QUIET)
    assert cli.run(["tune", *words]) == 0
    (run,) = runs()
    tags, metrics = run.data.tags, run.data.metrics
    found = files(workplace, run.info.run_id)
    assert set(found) == {"trials.csv", "history.svg", "importance.svg", "parallel_coordinates.svg"}
    trials = list(csv.DictReader(found["trials.csv"].read_text().splitlines()))
    values = [float(row["validation/ndcg_at_10"]) for row in trials if row["state"] == "complete"]
    assert len(trials) == 6 and float(trials[0]["quality"]) == 0.5
    assert metrics["validation/ndcg_at_10"] == max(values), "the run gives what the trial gave, bit by bit"
    assert 0 < metrics["test/ndcg_at_10"] <= 1
    assert tags["recexp.complete"] == "true" and tags["recexp.test_looks"] == "1"
    (job,), _ = tuning_jobs.jobs_of(words)
    assert tags["tuning"] == f"steps-{tags['recexp.study'][:10]}" == job.study(job.objective()).name
    assert tags["recexp.study_trials"] == "6" and tags["recexp.search"] == job.digest(job.objective())
    lists, tuned, head, *_ = tags["mlflow.note.content"].split("\n\n")
    assert lists.startswith("<table>") and head.startswith("**steps** on **ratings**")
    assert tuned.startswith("Tuned: the best of 6 trials") and tags["tuning"] in tuned
    assert (
        "Runs in this store on the same test part: 1 with this one; each seed and fold is a run."
        in tags["mlflow.note.content"]
    )
    command = tags["mlflow.note.content"].partition("**Repeat**\n\n```\n")[2].partition("\n")[0]
    again = library.run(
        *[word for word in shlex.split(command)[1:] if "=" in word and word[0] != "-"], config_dir="conf"
    )
    assert again.metrics["test/ndcg_at_10"] == metrics["test/ndcg_at_10"]


def test_a_way_of_tuning_is_the_same_for_all_seeds_and_trials(shop: Callable) -> None:
    changes = ["seed=1"], ["seed=2", "tuning.trials=9"], ["tuning.sampler=random"], ["algorithm.quality=0.5,0.6"]
    jobs = [tuning_jobs.jobs_of(shop("algorithm=steps", *words, *QUIET))[0][0] for words in changes]
    ways = [job.digest(job.objective()) for job in jobs]
    assert ways[0] == ways[1] and len(set(ways)) == 3


def test_the_same_command_goes_on_and_never_tests_twice(
    shop: Callable, runs: Callable, workplace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = shop("algorithm=guess", *QUIET)
    for trials, ended in ((2, 2), (4, 4), (4, 4), (3, 4)):
        assert cli.run(["tune", *words, f"tuning.trials={trials}"]) == 0
        (job,), _ = tuning_jobs.jobs_of(words)
        study = job.study(job.objective())
        assert len(table(study).splitlines()) == 1 + ended
    best = [run for run in runs() if run.data.params["algorithm.salt"] == str(study.best.params["salt"])]
    assert len(best) == 1
    assert len(runs()) <= 2, "one run for each best of a command"


def test_what_the_command_says_is_not_searched(shop: Callable) -> None:
    (job,), left_out = tuning_jobs.jobs_of(["dataset=electronics", "algorithm=als", "algorithm.factors=8"])
    assert set(job.space) == {"iterations", "regularization", "alpha", "frequency_scaling"}
    assert job.make({})["algorithm"].factors == 8 and left_out == {}
    assert job.added == ["split.validation_ratio=0.1"]
    (job,), _ = tuning_jobs.jobs_of(
        [
            "algorithm=als",
            "algorithm.factors=range(8,65)",
            "algorithm.alpha=tag(log,interval(1,40))",
            "split=leave_last",
        ]
    )
    assert {name: str(dimension) for name, dimension in job.space.items()} == {
        "factors": "from 8 to 64",
        "alpha": "from 1.0 to 40.0",
    }
    assert job.space["alpha"].log and not job.space["factors"].log
    assert job.added == ["split.validation_n=1"]
    found, left_out = tuning_jobs.jobs_of(["algorithm=ease,random", "seed=1,2"])
    assert [(one.name, one.experiment.seed) for one in found] == [("ease", 1), ("ease", 2)]
    assert [words.split()[0] for words in left_out] == ["algorithm=random"] * 2


def test_every_space_holds_its_algorithms_defaults() -> None:
    for name in options("search"):
        group = "algorithm" if name in options("algorithm") else "policy"
        more = "split.validation_ratio=0.1" if group == "algorithm" else "runner=simulation"
        (job,), _ = tuning_jobs.jobs_of([f"{group}={name}", more])  # checks fields and ends
        assert job.space, name
        for key, dimension in job.space.items():
            value = job.experiment.config[group]
            for part in key.split("."):
                value = value[part]
            assert dimension.holds(value), (name, key)


def test_a_range_without_the_yamls_value_is_searched(
    shop: Callable, workplace: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shop("algorithm=ease", "tracking.log_model=false", "tuning.trials=3", "algorithm.l2=interval(1,100)")
    assert cli.run(["tune", *words]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "and is skipped" in line]
    assert len(told) == 1
    assert "algorithm.l2: its value in the yaml, 250.0, is not from 1.0 to 100.0 and is skipped" in told[0]
    (job,), _ = tuning_jobs.jobs_of(words)
    trials = list(csv.DictReader(table(job.study(job.objective())).splitlines()))
    assert len(trials) == 3 and all(1 <= float(row["l2"]) <= 100 for row in trials)


def test_of_several_values_those_within_are_still_tried_first(shop: Callable, workplace: Path) -> None:
    words = shop("algorithm=item_knn", "algorithm.k=range(1,3)", "algorithm.shrinkage=interval(0,50)", *QUIET)
    (job,), _ = tuning_jobs.jobs_of(words)
    trial = job.study(job.objective()).ask()
    assert trial.params["shrinkage"] == job.experiment.config["algorithm"]["shrinkage"] and trial.params["k"] in (1, 2)


def test_a_tuning_ends_with_what_it_found(
    shop: Callable, runs: Callable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = shop("algorithm=guess,popularity", "split.validation_ratio=0.2", "tuning.trials=2", *QUIET)
    assert cli.run(["tune", *words]) == 0
    end = capsys.readouterr().out.rpartition("┏")[2]
    head, *rows = [
        [cell.strip() for cell in line.replace("┃", "│").split("│")[1:-1]]
        for line in end.splitlines()
        if line[0] in "┃│"
    ]
    assert head == ["algorithm", "trials", "best values", "validation ndcg@10", "test ndcg@10"]
    found = {run.data.tags["algorithm"]: run.data for run in runs()}
    assert [row[0] for row in rows] == ["guess", "popularity"] and [row[1] for row in rows] == ["2", "2"]
    for name, _, values, validation, test in rows:
        field = {"guess": "salt", "popularity": "half_life_days"}[name]
        assert values == f"{field}={found[name].params[f'algorithm.{field}']}"
        assert validation == f"{found[name].metrics['validation/ndcg_at_10']:.4f}"
        assert test == f"{found[name].metrics['test/ndcg_at_10']:.4f}"
    assert "runs in this store on the same test part: 2; each seed and fold is a run" in end


def test_ctrl_c_says_how_far_it_is_and_what_goes_on(shop: Callable, workplace: Path) -> None:
    words = shop("algorithm=guess", "split.validation_ratio=0.2", "tuning.trials=5000")
    process = subprocess.Popen(
        [sys.executable, "-m", "recexp", "tune", *words], cwd=workplace, stderr=subprocess.PIPE, text=True
    )
    while "trial 3 of 5000" not in (line := process.stderr.readline()):
        assert line, "it has ended"
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[1].splitlines()[-1]
    assert process.returncode == 130
    assert re.match(r"recexp: interrupted after \d+ of 5000 trials of guess; ", said), said
    assert f"trials are stored in {workplace / 'mlflow-tuning.db'}; to continue: recexp " in said
    assert said.endswith(f"tune {shlex.join(words)}")


def test_values_survive_the_command_line() -> None:
    values = {"a": 0.1 + 0.2, "b": 1e-7, "c": None, "d": True, "e": "kullback_leibler", "f": 12, "g": "two words"}
    read = {word.key.removeprefix("algorithm."): word.value for word in parse(overrides(values, ["algorithm"]))}
    assert read == values


WRONG = {
    "unknown key": (
        ["algorithm=ease", "+search.l22={_target_: recexp.tuning.Real, low: 1.0, high: 2.0, log: false}"],
        "search.l22: unknown; did you mean l2? allowed: l2",
    ),
    "value that is refused": (
        ["algorithm=ease", "search.l2.low=-1.0", "search.l2.log=false"],
        "search.l2: algorithm.l2: must be greater than 0 (got -1.0)",
    ),
    "sampler": (["tuning.sampler=best"], "tuning.sampler: must be 'tpe', 'random' or 'grid' (got 'best')"),
    "trials": (["tuning.trials=0"], "tuning.trials: must be greater than or equal to 1 (got 0)"),
    "no space": (["algorithm=random"], "algorithm: random has no search space: there is no conf/search/random.yaml"),
    "nothing left": (["algorithm=ease", "algorithm.l2=3.0"], "algorithm: ease has nothing left to tune"),
    "no validation": (["split.validation_ratio=0.0"], "split: random has no validation part to tune on"),
    "folds": (["split=kfold"], "split: tuning needs one split, but kfold makes folds"),
    "flag": (["-m"], "-m: unknown; allowed: --config-dir"),
    "empty range": (["algorithm=item_knn", "algorithm.k=range(500,10)"], "algorithm.k: range(500,10) has fewer"),
    "range of one": (["algorithm=item_knn", "algorithm.k=range(10,11)"], "algorithm.k: range(10,11) has fewer"),
    "runner": (["runner=validation"], "runner: Validation cannot be tuned: it has no objective"),
    "interval of something else": (
        ["seed=interval(1,5)"],
        "seed: only values of algorithm, fallback, reranker can be",
    ),
    "no better": (
        ["evaluation.metrics=[average_popularity]"],
        "evaluation.metrics: average_popularity_at_10 comes first but has no direction",
    ),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_words_are_refused_clearly(
    shop: Callable, workplace: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    data = shop("tuning.trials=1", *QUIET)
    assert cli.run(["tune", *data, *words]) == 2
    told = capsys.readouterr().err
    assert f"recexp: {message}" in told
    assert "Traceback" not in told


def test_a_study_of_another_space_under_the_same_name(shop: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    words = shop("algorithm=guess", "tuning.trials=1", "tuning.study=mine", *QUIET)
    assert cli.run(["tune", *words]) == 0
    assert cli.run(["tune", *words, "search.salt.high=7"]) == 2
    assert "recexp: tuning.study: mine was started with a different space" in capsys.readouterr().err


def test_another_definition_of_the_metric_is_another_study(shop: Callable, workplace: Path) -> None:
    words = shop("algorithm=guess", "tuning.trials=1", "evaluation.metrics=[long_tail_coverage]", *QUIET)

    def found() -> tuple[str, str]:
        (job,), _ = tuning_jobs.jobs_of(words)
        return job.study(job.objective()).name, job.digest(job.objective())

    before = found()
    assert found() == before
    (workplace / "conf" / "metric").mkdir(exist_ok=True)
    (workplace / "conf" / "metric" / "long_tail_coverage.yaml").write_text(
        "# items that are not among the most popular\n_target_: recexp.metrics.coverage.LongTailCoverage\nhead: 0.3\n"
    )
    name, digest = found()
    assert name != before[0] and digest != before[1]


def test_a_run_that_is_the_best_of_two_studies_keeps_the_tags_of_the_first(
    shop: Callable, runs: Callable, workplace: Path
) -> None:
    """The yaml's values are the best of both, and their run is there before either."""
    words = shop("algorithm=guess", "tuning.trials=1", *QUIET)
    own = ["algorithm=guess", "split.validation_ratio=0.1"]
    first = library.run(*words[:3], *own, *QUIET, config_dir="conf")
    assert cli.run(["tune", *words]) == 0
    (run,) = runs()
    before = run.data.tags
    assert run.info.run_id == first.run_id and before["recexp.study_trials"] == "1"
    assert cli.run(["tune", *words, "search.salt.high=7"]) == 0
    (run,) = runs()
    after, note = run.data.tags, "mlflow.note.content"
    assert {key: value for key, value in after.items() if key != note} == {
        key: value for key, value in before.items() if key != note
    }
    assert after[note].count("Tuned: the best of 1 trials") == 2
    (job,), _ = tuning_jobs.jobs_of([*words, "search.salt.high=7"])
    other = job.study(job.objective()).digest
    assert other != after["recexp.study"]
    found = files(workplace, run.info.run_id)
    assert "trials.csv" in found and (found[other[:10]] / "trials.csv").is_file()


def test_looks_at_the_same_test_rows_are_counted(shop: Callable, runs: Callable, workplace: Path) -> None:
    """Whatever is done with the rest of the data; deleted runs have looked as well, reproductions see nothing new."""
    from mlflow import MlflowClient

    words = shop("algorithm=popularity", *QUIET)
    client, ids = MlflowClient(f"sqlite:///{workplace / 'mlflow.db'}"), []
    for more in (
        ["split.validation_ratio=0.2"],
        ["seed=2", "tracking.experiment=other"],
        ["evaluation.catalogue=in_train"],
        ["runner=validation", "split.validation_ratio=0.2"],
        ["split.test_ratio=0.3"],
        ["refit=false"],
    ):
        ids.append(library.run(*words, *more).run_id)
        if len(ids) == 2:
            client.delete_run(ids[0])
    looks = [client.get_run(one).data.tags.get("recexp.test_looks") for one in ids]
    assert looks == ["1", "2", "3", None, "1", "4"]
    assert cli.run(["reproduce", ids[1]]) == 0
    (again,) = [run for run in runs() if "recexp.reproduces" in run.data.tags]
    assert "recexp.test_looks" not in again.data.tags
    assert "Evaluations of" not in again.data.tags["mlflow.note.content"]
    last = library.run(*words).run_id
    assert client.get_run(last).data.tags["recexp.test_looks"] == "5"


def test_looks_at_the_same_time_have_different_numbers(tmp_path: Path, empty_store: Path) -> None:
    """Two processes, as those of a sweep, each with a tracker and ten runs of its own."""
    from recexp.tracking.tracker import Tracker

    shutil.copy(empty_store, tmp_path / "mlflow.db")
    code = """
import sys
from recexp.tracking.tracker import Tracker

tracker = Tracker()
tracker.open(sys.argv[1], None, "e", ".")
ids = [tracker.create("r", {"recexp.test": "ab" * 32}, 0) for _ in range(10)]
print("ready", flush=True)
input()
print(*(tracker.count_evaluation(run, "ab" * 32) for run in ids))
"""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with subprocess.Popen(
        [sys.executable, "-c", code, uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        tracker = Tracker()
        tracker.open(uri, None, "e", ".")
        ids = [tracker.create("r", {"recexp.test": "ab" * 32}, 0) for _ in range(10)]
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("\n")
        other.stdin.flush()
        numbers = [tracker.count_evaluation(run, "ab" * 32) for run in ids]
        numbers += map(int, other.communicate(timeout=300)[0].split())
    assert sorted(numbers) == list(range(1, 21))


def test_looks_by_mlflow_are_those_by_sql(shop: Callable, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    from recexp.tracking import evaluation_count

    outcome = library.run(*shop("algorithm=popularity", *QUIET))
    uri = f"sqlite:///{workplace / 'mlflow.db'}"
    client = MlflowClient(uri)
    test = client.get_run(outcome.run_id).data.tags["recexp.test"]
    client.delete_run(outcome.run_id)
    assert evaluation_count.count_evaluations(client, uri, test) == 1
    monkeypatch.setattr(evaluation_count.store_uri, "sqlite_file", lambda uri: None)
    assert evaluation_count.count_evaluations(client, uri, test) == 1
    assert evaluation_count.count_evaluations(client, uri, "0" * 64) == 0


def test_as_a_sweeper_trials_see_validation_alone(
    inside: Callable, shop: Callable, runs: Callable, workplace: Path
) -> None:
    words = shop("algorithm=guess", "algorithm.salt=range(0,50)", "tracking.log_model=false")
    command = ["-m", "hydra/sweeper=optuna", *words, "hydra.sweeper.tuning.trials=3", "hydra.sweeper.jobs=2"]
    done = inside(*command)
    assert done.returncode == 0, done.stderr
    found = runs()
    (best,) = [run for run in found if any(name.startswith("test") for name in run.data.metrics)]
    trials = [run for run in found if run is not best]
    assert len(trials) == 3
    validated = [run.data.metrics["validation/ndcg_at_10"] for run in trials]
    assert best.data.metrics["validation/ndcg_at_10"] == max(validated)
    assert best.data.tags["recexp.test_looks"] == "1"
    assert {"trials.csv", "history.svg"} <= set(files(workplace, best.info.run_id))
    assert best.data.tags["recexp.protocol"] != trials[0].data.tags["recexp.protocol"]
    (job,), _ = tuning_jobs.jobs_of(words)
    assert job.study(job.objective()).name == best.data.tags["tuning"], "tune goes on with the sweeper's study"
    wrong = inside("-m", "hydra/sweeper=optuna", *words, "hydra.sweeper.tuning.trials=0")
    assert wrong.returncode == 2
    assert "tuning.trials: must be greater than or equal to 1 (got 0)" in wrong.stderr
    assert "Traceback" not in wrong.stderr
