"""`recexp runs` and `recexp show`: what happened."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_store import SMALL

from recexp import config
from recexp.algorithms.baselines.popularity import Popularity
from recexp.history import run_list
from recexp.history.archive import Archive

POPULARITY = (*SMALL, "algorithm=popularity")
OWN = """
from recexp.algorithms.baselines.popularity import Popularity
from recexp.params import params

import rates


@params
class Mine(Popularity):
    '''Popularity, by another name.'''
"""


def sections(text: str) -> dict[str, list[list[str]]]:
    """Return the cells of each section of a report, by its title."""
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    return {head: [re.split(r"\s{2,}", row.strip()) for row in rows] for head, *rows in blocks}


def test_a_run_is_shown_with_intervals_changed_values_data_and_files(inside: Callable, runs: Callable) -> None:
    assert inside(*POPULARITY, "split.test_ratio=0.3", "seed=4").returncode == 0
    (run,) = runs()
    shown = inside("show", run.info.run_id[:8])
    assert shown.returncode == 0, shown.stderr
    found = sections(shown.stdout)
    about = dict(found[f"run {run.info.run_id}"])
    assert about["what"] == "popularity on electronics" and about["seed"] == "4" and about["state"] == "done"
    rows = {row[0]: row[1:] for row in found["results"]}
    value, interval = rows["test/ndcg_at_10"]
    low, high = map(float, interval.split(" to "))
    assert float(value) == pytest.approx(run.data.metrics["test/ndcg_at_10"], abs=5e-5) and low < float(value) < high
    names = [row[0] for row in found["results"][1:]]
    assert names[0] == "test/ndcg_at_10", "the headline is the first below the heads"
    bounded = [len(rows[name]) == 2 for name in names]
    assert bounded == sorted(bounded, reverse=True), "then those with intervals"
    changed = {key: (value, default) for key, value, default in found["values other than the defaults"][1:]}
    assert changed == {
        "dataset.n_users": ("300", "1000"),
        "dataset.n_products": ("120", "500"),
        "dataset.n_visits": ("4000", "20000"),
        "evaluation.resamples": ("100", "1000"),
        "split.test_ratio": ("0.3", "0.2"),
    }
    data = {row[0]: row[1:] for row in found["data"]}
    assert int(data["all"][0].replace(",", "")) == sum(int(data[p][0].replace(",", "")) for p in ("train", "test"))
    assert {"config.yaml", "metrics.csv", "recexp.log"} <= {row[0] for row in found["files"]}


def test_of_own_data_only_what_a_person_chose_is_listed(inside: Callable, workplace: Path, shop_folder: Path) -> None:
    """With a file named in the command, and with a config of one's own that is there, or is not."""
    shutil.copy(shop_folder / "ratings.csv", workplace)
    own = Path("own_conf/dataset/films.yaml")
    own.parent.mkdir(parents=True)
    own.write_text("defaults: [files]\ninteractions: ratings.csv\ncolumns:\n  event: null\n")
    files = ("dataset=files", "dataset.interactions=ratings.csv", "dataset.columns.session=null")
    own_data = ("--config-dir", "own_conf", "dataset=films", "dataset.duplicates=keep")
    quick = ("algorithm=popularity", "evaluation.resamples=20")
    listed = []
    for words, folder in ((files, ()), (own_data, own_data[:2]), (own_data, ())):
        done = inside(*words, *quick)
        assert done.returncode == 0, done.stderr
        run = inside("runs", "--last", "1").stdout.splitlines()[1].split()[0]
        if not folder:
            config.use_config_dirs([])
        found = sections(inside(*folder, "show", run).stdout)["values other than the defaults"]
        listed.append({tuple(row) for row in found[1:] if len(row) == 3} | {row[0] for row in found if len(row) == 1})
    resamples, interactions = ("evaluation.resamples", "20", "1000"), ("dataset.interactions", "ratings.csv", "none")
    assert listed == [
        {resamples, interactions, ("dataset.columns.session", "null", "session_id")},
        {resamples, ("dataset.duplicates", "keep", "refuse")},
        {
            *(resamples, interactions, ("dataset.duplicates", "keep", "refuse")),
            ("dataset.columns.event", "null", "event"),
            "dataset=films is not in the config folders here (--config-dir); "
            "the default values are those of dataset=files",
        },
    ]


def test_the_newest_runs_are_listed_failed_ones_among_them(
    inside: Callable, runs: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert inside("-m", *POPULARITY, "seed=1,2").returncode == 0
    with monkeypatch.context() as patch:
        patch.setattr(Popularity, "fit", lambda *arguments: 1 / 0)
        assert inside(*POPULARITY, "seed=3").returncode == 1
    listed = inside("runs")
    head, *rows = [re.split(r"\s{2,}", line) for line in listed.stdout.splitlines() if line][:4]
    assert head == [*run_list.HEAD]
    assert [(row[2], row[3], row[5]) for row in rows] == [
        ("failed", "popularity", "3"),
        ("done", "popularity", "2"),
        ("done", "popularity", "1"),
    ]
    assert len(inside("runs", "--last", "1").stdout.splitlines()) == 4, "head, run, an empty line, a hint"
    assert "--last: must be a number from 1 (got 0)" in inside("runs", "--last=0").stderr
    assert "has no runs since that day" in inside("runs", "--since", "2999-01-01").stdout
    assert len(inside("runs", "--since", "2020-01-01").stdout.splitlines()) == 6
    assert "--since: must be a day such as 2026-01-31 (got week)" in inside("runs", "--since", "week").stderr
    assert "there is no nothing in" in inside("runs", "--experiment", "nothing").stderr
    failed = next(run for run in runs() if run.info.status == "FAILED")
    assert f"failed: {failed.data.tags['recexp.error']}" in inside("show", failed.info.run_id).stdout


def test_a_long_name_does_not_break_the_list_of_runs(inside: Callable, workplace: Path) -> None:
    long = "our_production_model_with_recency_weights_version_12"
    (workplace / "conf" / "algorithm").mkdir(parents=True)
    target = "recexp.algorithms.baselines.popularity.Popularity"
    (workplace / "conf" / "algorithm" / f"{long}.yaml").write_text(f"_target_: {target}\nhalf_life_days: null\n")
    assert inside("--config-dir", "conf", *SMALL, f"algorithm={long}").returncode == 0
    _, row, *_ = inside("runs").stdout.splitlines()
    assert "  our_producti...s_version_12  electronics  " in row
    assert f"{long} on electronics" in inside("show", row[:8]).stdout


def test_a_bad_run_is_deleted_as_the_page_says(
    inside: Callable, runs: Callable, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.cli import cli  # slow to import

    assert inside(*POPULARITY).returncode == 0
    (bad,) = runs()
    files = workplace / "mlflow-artifacts" / bad.info.run_id
    assert any(path.is_file() for path in files.rglob("*"))
    page = (Path(__file__).parents[2] / "docs" / "runs.md").read_text("utf-8")
    lines = re.findall(r"^MLFLOW_TRACKING_URI=sqlite:///mlflow.db mlflow (.*)$", page, re.MULTILINE)
    assert len(lines) == 2
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workplace}/mlflow.db")  # MLflow keeps relative ones open
    for words in lines:
        done = CliRunner().invoke(cli, words.replace("RUN_ID", bad.info.run_id).split())
        assert done.exit_code == 0, done.output
        assert runs() == []
        assert "has no runs" in inside("runs").stdout
        assert "there is no run" in inside("show", bad.info.run_id[:8]).stderr
    assert not any(path.is_file() for path in files.rglob("*"))


def test_a_run_that_is_equal_to_an_earlier_one_says_so(inside: Callable, runs: Callable) -> None:
    first, second = (inside(*POPULARITY) for _ in range(2))
    inside(*POPULARITY, "seed=2")
    third = inside(*POPULARITY)
    *_, oldest = runs()
    assert "equal to run" not in first.stderr
    for again in (second, third):
        assert f"equal to run {oldest.info.run_id}" in again.stderr
    assert [run.data.tags.get("recexp.repeats") for run in runs()] == [
        oldest.info.run_id,
        None,
        oldest.info.run_id,
        None,
    ]
    assert f"repeats {oldest.info.run_id[:8]}" in inside("runs").stdout
    assert inside("reproduce", oldest.info.run_id).returncode == 0
    assert f"reproduces {oldest.info.run_id[:8]}" in inside("runs").stdout
    assert "recexp.repeats" not in runs()[0].data.tags, "a reproduction is made to be equal"


def test_what_changed_in_a_class_of_ones_own_is_kept(inside: Callable, runs: Callable, workplace: Path) -> None:
    (workplace / "conf" / "algorithm").mkdir(parents=True)
    (workplace / "conf" / "algorithm" / "mine.yaml").write_text("_target_: mine.Mine\nhalf_life_days: null\n")
    (workplace / "mine.py").write_text(OWN)
    (workplace / "rates.py").write_text("RATE = 5\n")
    words = ("--config-dir", "conf", *SMALL, "algorithm=mine")
    assert inside(*words).returncode == 0
    (workplace / "mine.py").write_text(OWN.replace("another name", "a third name"))
    (workplace / "rates.py").write_text("RATE = 50\n")
    del sys.modules["mine"], sys.modules["rates"]
    assert inside(*words).returncode == 0
    newest, *_, oldest = [run for run in runs() if run.info.status == "FINISHED"]
    with Archive(None) as archive:
        kept = archive.file(archive.run(oldest.info.run_id), "code")
        assert (kept / "mine.py").read_text() == OWN
        assert (kept / "conf" / "algorithm" / "mine.yaml").exists()
    text = inside("--trust", "mine", "show", newest.info.run_id).stdout
    found = text.partition(f"mine.Mine, changed since run {oldest.info.run_id[:8]}")[2].splitlines()
    assert "  -    '''Popularity, by another name.'''" in found and "  +    '''Popularity, by a third name.'''" in found
    assert "rates, changed since run" in text and "  +RATE = 50" in text
    assert "changed since" not in inside("--trust", "mine", "show", oldest.info.run_id).stdout
    again = inside("--trust", "mine", "reproduce", oldest.info.run_id).stdout
    (repeat,) = re.findall(r"run (\w+) reproduces", again)
    text = inside("--trust", "mine", "show", repeat).stdout
    assert f"mine.Mine, changed since run {oldest.info.run_id[:8]}" in text, "the run it repeats, not the one before"
    told = inside("--trust", "mine", "recommend", oldest.info.run_id, "1").stderr
    assert "the code of mine.Mine, rates has changed since the model was fitted" in told
