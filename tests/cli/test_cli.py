"""What the command line says: help, summaries, versions."""

import re
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from small_store import SMALL

import recexp as library
from recexp import cli, console
from recexp.cli.help import commands
from recexp.console import distinct_words
from recexp.history.differences import TOLERANCE


def test_help_is_quick_and_lists_everything(recexp: Callable) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = recexp("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert took < 1.0, "seconds of one core, however busy the machine is"
    assert done.returncode == 0
    for words in (
        "recexp datasets",
        "recexp ui",
        "|ease|",
        "split=cold_items|",
        "+experiment=",
        "evaluation.metrics=[",
    ):
        assert words in done.stdout


def test_commands_say_what_they_take(recexp: Callable) -> None:
    assert recexp("run", "--help").stdout == recexp("--help").stdout
    takes = "recexp recommend MODEL USER|--users FILE|--all|--history ITEM,... [-n N] [...]: recommend items"
    assert recexp("recommend", "--help").stdout.startswith(takes)


OPTIONS = {
    "compare": [
        "--experiment NAME",
        "--runs ID",
        "--metric NAME",
        "--sweep",
        "--baseline",
        "--csv",
        "--latex",
        "--correction {holm",
        "--test {permutation",
        "--json",
        "--html",
        "--published",
        "default: holm",
    ],
    "completion": ["completion bash|zsh", "~/.bashrc"],
    "datasets": ["recexp datasets"],
    "evaluate": ["--experiment", "--runs", "--again", "metric=NAME", "cutoffs=["],
    "export": ["RUN FILE.zip|FOLDER", "tracking.uri="],
    "export-split": ["DIR", "KEY=VALUE", "algorithm=lists"],
    "import": ["FILE.zip", "tracking.experiment="],
    "profile": ["--items FILE", "--users FILE", "--out FILE"],
    "recommend": ["--best EXPERIMENT", "--only COLUMN=NAME", "--out FILE", "default: 10", "models:/NAME@ALIAS"],
    "reproduce": ["RUN [", "--tolerance X", f"default: {TOLERANCE:g}", "dataset.root="],
    "runs": ["--experiment NAME", "--last N", "default: 20"],
    "show": ["show RUN", "tracking.uri="],
    "similar": ["MODEL ITEM [-n N]", "--exclude FILE", "tracking.uri="],
    "tune": ["trials: 30", "sampler: tpe", "timeout: null", "range(5,50)", "search=NAME"],
    "ui": ["--port N", "default: 5000", "--open"],
}


def test_each_command_tells_every_option_at_once(recexp: Callable) -> None:
    assert set(OPTIONS) == set(commands())
    for name, words in OPTIONS.items():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = recexp(name, "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stderr
        for word in words:
            assert word in done.stdout, (name, word)
        assert f"recexp {name}" in done.stdout.partition("example:")[2]
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.9, name


def test_data_sets_say_where_they_are(inside: Callable) -> None:
    text = inside("datasets").stdout
    told = {block.splitlines()[0]: block.splitlines()[-1].split(None, 1)[1] for block in re.split(r"\n(?=\w)", text)}
    assert told["electronics"] == "none: generated from its parameters"
    assert told["files"] == "yours: recexp dataset=files dataset.interactions=..."
    location = library.make("dataset=movielens_100k").location()
    assert told["movielens_100k"] == str(location or "not on this machine; downloaded on first use")


def test_help_is_there_among_other_words(recexp: Callable) -> None:
    assert "tuning.KEY=VALUE" in recexp("tune", "algorithm=als", "--help").stdout
    assert "--published" in recexp("compare", "tracking.uri=x.db", "-h").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "--metrc", "ndcg"], "--metrc: unknown; did you mean --metric? allowed: --config-dir, "),
        (["compare", "--metric"], "argument --metric: expected one argument"),
        (["compare", "--runs="], "--runs needs a value"),
        (["ui", "--prot=5001"], "--prot: unknown; did you mean --port?"),
        (["ui", "--port=x"], "--port: must be a number (got 'x')"),
        (["evaluate", "metric=mrr", "--agian"], "--agian: unknown; did you mean --again?"),
        (["reproduce", "0123", "--tol=3"], "--tol: unknown; did you mean --tolerance?"),
        (["recommend", "model"], "recexp recommend takes MODEL USER|--users FILE|--all|--history ITEM,... [-n N] ["),
        (["recommend", "model", "1", "-n", "0"], "-n: must be a number from 1 (got 0)"),
        (["recommend", "model", "1", "--all"], "give one of USER, --users and --all; --history goes with USER, or"),
        (["recommend", "model", "--all", "--out", "a.xls"], "--out: a.xls must end in .csv, .parquet, .jsonl"),
        (["recommend", "model", "1", "--only", "x"], "--only: must be COLUMN=NAME, such as category=phones (got x)"),
        (["recommend", "nowhere", "1", "a=b"], "a=b: only tracking.uri=URI can be set here"),
        (["recommend", ".", "1", "a=b"], "a=b: only tracking.uri=URI can be set here"),
        (["recommend", "nowhere", "1"], "nowhere is not a saved model: there is no such folder, and there is no run"),
        (["similar", "model", "1", "--n", "5"], "--n: unknown; did you mean -n? allowed: --config-dir, --trust, -n, "),
        (["similar", "model"], "recexp similar takes MODEL ITEM [-n N] [...] (got model)"),
        (["datasets", "films"], "recexp datasets takes no words (got films)"),
        (["export", "0123", "run.tar"], "recexp export takes RUN FILE.zip|FOLDER [tracking.uri=...] (got run.tar)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_words_of_commands(
    workplace: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert cli.run(words) == 2
    told = capsys.readouterr().err
    assert f"{message}" in told and len(told.splitlines()) == 1


def test_a_groups_help_says_what_each_option_is(recexp: Callable) -> None:
    done = recexp("algorithm", "--help")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "EASE: item-item weights by ridge regression" in lines["algorithm=ease"]
    assert "four models" in recexp("+experiment", "--help").stdout
    assert "algorithms: unknown; did you mean algorithm?" in recexp("algorithms", "--help").stderr


def test_an_options_help_has_its_source_and_every_value_with_its_meaning(recexp: Callable) -> None:
    shown = recexp("algorithm=item_knn", "algorithm.k=3", "--help").stdout
    assert "Deshpande" in shown
    assert "neighbors_of: target   # target: k nearest of each recommended item" in shown
    assert "metrics: [precision, recall]" in recexp("+experiment=store_demo", "--help").stdout


def test_the_config_that_would_run_is_shown(inside: Callable) -> None:
    assert "shrinkage: 2.0" in inside("algorithm=item_knn", "algorithm.shrinkage=2.0", "--cfg", "job").stdout
    assert "seed: 3" in inside("seed=3", "--help").stdout


def test_version(recexp: Callable) -> None:
    assert recexp("--version").stdout.strip() == f"recexp {library.__version__}"


def test_completion_knows_the_options(recexp: Callable) -> None:
    done = recexp("-sc", "query=bash", COMP_LINE="recexp algorithm=", COMP_POINT="17")
    assert {"algorithm=ease", "algorithm=user_knn"} <= set(done.stdout.split())


def test_a_sweep_ends_with_its_jobs_side_by_side(inside: Callable) -> None:
    done = inside("-m", *SMALL, "algorithm=popularity,random", "seed=1,2")
    assert done.returncode == 0, done.stderr
    end = done.stdout
    for words in ("algorithm=popularity", "algorithm=random", "seed=1", "seed=2"):
        assert words in end
    assert "dataset=electronics" not in end
    assert "┃ job " in end and "┃  " not in end, "no column is without a name"
    assert re.search(r"^4 of 4 jobs done \(4 ran, 0 skipped, 0 failed\) in \d+ s$", end, re.MULTILINE)


def test_a_reason_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    console.reasons("incompatible", {**{f"bias seed={n}": "it needs ratings" for n in range(7)}, "mf": "no luck"})
    named = "; ".join(f"bias seed={n}" for n in range(5))
    assert capsys.readouterr().out.splitlines() == [
        f"incompatible: {named} and 2 more (it needs ratings)",
        "incompatible: mf (no luck)",
    ]


def test_words_that_all_jobs_share_are_left_out() -> None:
    assert distinct_words(["recexp a=1 b=2", "recexp a=1 b=3"]) == ["b=2", "b=3"]


def test_ui_without_runs_or_with_a_bad_port(inside: Callable, workplace: Path) -> None:
    assert "--port: must be a number" in inside("ui", "--port", "x").stderr
    (workplace / "mlflow.db").unlink()
    done = inside("ui")
    assert done.returncode == 2
    assert "there are no runs yet" in done.stderr
    assert not (workplace / "mlflow.db").exists()


def test_table_on_a_terminal_without_unicode(recexp: Callable) -> None:
    done = recexp(*SMALL, "algorithm=popularity", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "test/ndcg" in done.stdout


def test_a_file_that_may_not_be_read_is_wrong_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*folders: object) -> None:
        raise PermissionError(13, "Permission denied", "mine.csv")

    monkeypatch.setattr("recexp.config.use_config_dirs", refuse)
    assert cli.run(["--version"]) == 2
    assert capsys.readouterr().err == "recexp: mine.csv: Permission denied\n"


@pytest.mark.parametrize("option", ["algorithm=hybrid_switching", "algorithm=transfer", "environment=electronics"])
def test_help_has_what_it_refers_to(option: str, recexp: Callable) -> None:
    """A name of a class in help is explained in it, or is the command that explains it."""
    told = recexp(option, "--help").stdout
    for name in re.findall(r"see `([A-Z]\w+)`", told):
        assert f"\n{name}: " in told
    also = recexp("algorithm=feature_to_factors", "--help").stdout
    assert "see `recexp algorithm=content_based --help`" in also and "base : a model that has vectors" in also
