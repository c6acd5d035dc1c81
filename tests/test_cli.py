"""What the command line says: help, summaries, versions."""

import resource
from collections.abc import Callable
from pathlib import Path

import recexp as library
from recexp.console import in_short


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
    assert recexp("recommend", "--help").stdout.startswith("recexp recommend MODEL USER [N]: the N best items")


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
    assert "n_ratings: 10000" in recexp("+experiment=store_demo", "--help").stdout


def test_the_config_that_would_run_is_shown(recexp: Callable) -> None:
    assert "shrinkage: 2.0" in recexp("algorithm=item_knn", "algorithm.shrinkage=2.0", "--cfg", "job").stdout
    assert "seed: 3" in recexp("seed=3", "--help").stdout


def test_version(recexp: Callable) -> None:
    assert recexp("--version").stdout.strip() == f"recexp {library.__version__}"


def test_completion_knows_the_options(recexp: Callable) -> None:
    done = recexp("-sc", "query=bash", COMP_LINE="recexp algorithm=", COMP_POINT="17")
    assert {"algorithm=ease", "algorithm=user_knn"} <= set(done.stdout.split())


def test_a_sweep_ends_with_its_jobs_side_by_side(inside: Callable) -> None:
    done = inside("-m", "dataset=electronics", "algorithm=popularity,random", "seed=1,2")
    assert done.returncode == 0, done.stderr
    end = done.stdout.rpartition("leaderboard")[2]
    for words in ("algorithm=popularity", "algorithm=random", "seed=1", "seed=2"):
        assert words in end
    assert "dataset=electronics" not in end


def test_words_that_all_jobs_share_are_left_out() -> None:
    assert in_short(["recexp a=1 b=2", "recexp a=1 b=3"]) == ["b=2", "b=3"]


def test_ui_without_runs_or_with_a_bad_port(recexp: Callable, workplace: Path) -> None:
    assert "--port: must be a number" in recexp("ui", "--port", "x").stderr
    (workplace / "mlflow.db").unlink()
    done = recexp("ui")
    assert done.returncode == 2
    assert "there are no runs yet" in done.stderr
    assert not (workplace / "mlflow.db").exists()


def test_table_on_a_terminal_without_unicode(recexp: Callable) -> None:
    done = recexp("dataset=electronics", "algorithm=popularity", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "test/ndcg" in done.stdout
