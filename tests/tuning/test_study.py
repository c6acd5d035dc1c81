"""Studies: what is asked, in which order, and what a stop, a kill or a failure costs."""

import csv
import math
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from recexp import make
from recexp.algorithms import FitContext
from recexp.data import Dataset
from recexp.errors import ConfigError, RecexpError, StoreError
from recexp.tuning import Choice, Integer, Real, Study, foreign_trials, samplers, storage
from recexp.tuning import study as module
from recexp.tuning.space import grid_size
from recexp.tuning.study import Pruned
from recexp.tuning.study_report import summary, table

SPACE = {
    "x": Real(low=0.01, high=100.0, log=True),
    "n": Integer(low=1, high=9, log=False),
    "kind": Choice(values=["a", "b", None]),
}
DEFAULTS = {"x": 1.0, "n": 3, "kind": "a"}


def study(folder: Path, *words: str, content: Mapping | None = None, space: Mapping = SPACE) -> Study:
    return Study(
        tuning(*words),
        folder / "studies.db",
        name="mine",
        space=space,
        defaults={name: DEFAULTS[name] for name in space},
        content=content or {"data": "d"},
        part="validation",
        metric="ndcg_at_10",
        higher_is_better=True,
        seed=3,
    )


def tuning(*words: str):
    from recexp.config import compose, plain
    from recexp.config.building import build
    from recexp.tuning import Tuning

    return build(plain(compose(["+tuning=optuna", *words]))["tuning"], Tuning, "tuning")


def worth(values: Mapping, report=None) -> float:
    return -abs(math.log(values["x"]) - 1) + values["n"] / 10 + (values["kind"] == "b")


def rows(found: Study) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(table(found).splitlines())]


def test_a_study_that_was_stopped_asks_what_it_would_have_asked(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = study(tmp_path / "whole", "tuning.trials=13")
    whole.run(dict, worth)
    for trials in (4, 4, 13):
        parts = study(tmp_path, f"tuning.trials={trials}")
        parts.run(dict, worth)
    assert rows(whole) == rows(parts)
    assert len(rows(whole)) == 13
    first = rows(whole)[0]
    assert (float(first["x"]), first["n"], first["kind"]) == (1.0, "3", "a"), "the yaml's values come first"
    assert whole.best.value == max(float(row["validation/ndcg_at_10"]) for row in rows(whole))
    assert float(rows(whole)[whole.best.number - 1]["validation/ndcg_at_10"]) == whole.best.value


def test_a_killed_trial_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "whole").mkdir()
    whole = study(tmp_path / "whole", "tuning.trials=4", "tuning.sampler=random")
    whole.run(dict, worth)
    for _ in range(2):  # the first trial is cut off, and then again
        monkeypatch.setattr(module, "this_process", lambda: f"{storage.socket.gethostname()}:{dead.pid}:1")
        cut = study(tmp_path, "tuning.trials=4", "tuning.sampler=random").ask()
        assert cut.params == DEFAULTS
    monkeypatch.undo()
    again = study(tmp_path, "tuning.trials=4", "tuning.sampler=random")
    again.run(dict, worth)
    assert rows(again) == rows(whole)


def test_a_trial_that_was_killed_at_once_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is known before its first value is drawn, and not only some writes later."""
    from optuna.trial import Trial

    def killed(*given: object) -> None:
        raise KeyboardInterrupt

    for trials in (1, 2):  # the yaml's values, and values drawn
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(module, "this_process", lambda: f"{storage.socket.gethostname()}:0:1")
            patched.setattr(storage.os, "kill", killed)  # nobody asks whether it lives
            patched.setattr(Trial, "set_user_attr", killed)
            study(tmp_path, f"tuning.trials={trials}").ask()
        again = study(tmp_path, f"tuning.trials={trials}")
        again.run(dict, worth)
        assert len(rows(again)) == trials


def begin(folder: Path, monkeypatch: pytest.MonkeyPatch, process: str, *words: str) -> None:
    """Begin a trial in the name of another process, and never end it."""
    with monkeypatch.context() as patched:
        patched.setattr(module, "this_process", lambda: process)
        assert study(folder, *words).ask() is not None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not say when a process began")
def test_a_number_that_another_process_has_by_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host, number, began = storage.this_process().split(":")
    begin(tmp_path, monkeypatch, f"{host}:{number}:{int(began) - 1}", "tuning.trials=2")
    found = study(tmp_path, "tuning.trials=2")
    found.run(dict, worth)
    assert [row["state"] for row in rows(found)] == ["complete"] * 2
    assert rows(found)[0]["kind"] == "a", "the trial that was cut off is the first again"
    assert not storage.gone(storage.this_process())


def test_trials_of_another_machine_are_named_and_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["tuning.trials=2", "tuning.sampler=grid"]
    for _ in range(2):
        begin(tmp_path, monkeypatch, "elsewhere:5:77", *words)
    caplog.clear()
    waiting = study(tmp_path, *words)
    assert "trial 0 was started on elsewhere (process 5) at " in caplog.text
    assert "It counts as one of the 2 trials until " in caplog.text and "or now with tuning.trials=3" in caplog.text
    waiting.run(dict, worth)
    assert rows(waiting) == []
    with pytest.raises(RecexpError, match=r"no trial returned a value; the first: trial 0 was started on elsewhere"):
        waiting.best  # noqa: B018
    monkeypatch.setattr(foreign_trials, "PATIENCE", timedelta())
    found = study(tmp_path, *words)
    assert "has not finished, and is no longer counted" in caplog.text
    found.run(dict, worth)
    assert [row["state"] for row in rows(found)] == ["complete"] * 2


def test_every_sampler_is_the_one_that_was_named() -> None:
    """A new one is a maker in the dict, and what is allowed follows."""
    from optuna.samplers import RandomSampler, TPESampler

    assert {name: type(make(1)) for name, make in samplers.SAMPLERS.items()} == {
        "tpe": TPESampler,
        "random": RandomSampler,
        "grid": RandomSampler,
    }
    for name in samplers.SAMPLERS:
        assert tuning(f"tuning.sampler={name}").sampler == name
    with pytest.raises(ConfigError, match=r"tuning\.sampler: must be 'tpe', 'random' or 'grid'"):
        tuning("tuning.sampler=gp")


def test_a_hybrid_that_skips_parts_lets_a_pruned_trial_end(ml100k: Dataset) -> None:
    parts = ["algorithm@algorithm.parts.cf=bpr", "~algorithm@algorithm.parts.mf"]
    hybrid = make("algorithm=hybrid_weighted", *parts, "algorithm.on_failure=skip")

    def log_step(step: int, values: Mapping) -> None:
        raise Pruned

    with pytest.raises(Pruned):
        hybrid.fit(ml100k, FitContext(log_step=log_step, validate=lambda model: 0.5))


def test_a_grid_has_each_point_once(tmp_path: Path) -> None:
    space = {"n": Integer(low=1, high=9, log=False), "kind": Choice(values=["a", "b", None])}
    words = ["tuning.sampler=grid", "tuning.grid_points=3", "tuning.trials=50"]
    found = study(tmp_path, *words, space=space)
    assert grid_size(space, 3) == 9
    found.run(dict, lambda values, report: values["n"])
    points = [(row["n"], row["kind"]) for row in rows(found)]
    assert points[0] == ("3", "a"), "the yaml's values, which are no point of this grid, come first"
    assert set(points[1:]) == {(n, kind) for n in ("1", "5", "9") for kind in ("a", "b", "")}
    assert len(points) == 10
    assert found.best.params["n"] == 9
    on_grid = study(tmp_path, *words, "tuning.grid_points=5", space=space)  # 1, 3, 5, 7, 9: 3 is one of them
    on_grid.run(dict, lambda values, report: values["n"])
    points = [(row["n"], row["kind"]) for row in rows(on_grid)]
    assert len(points) == len(set(points)) == 15
    drawn = study(tmp_path, "tuning.sampler=random", "tuning.trials=3", space=space)
    drawn.run(dict, lambda values, report: values["n"])
    assert drawn.name != found.name, "what was drawn takes no point's place"
    with pytest.raises(ConfigError, match="the grid has 3,000,000 points"):
        wide = {**SPACE, "n": Integer(low=1, high=10_000, log=False)}
        study(tmp_path, "tuning.sampler=grid", "tuning.grid_points=1000", space={**wide, "x": SPACE["x"]})


def test_trials_worse_than_the_median_end_early(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    steps: list[int] = []

    def learn(values: Mapping, report) -> float:
        for step in range(5):
            report(step, {"loss": 0.5})
            report(step, {"validation": values["x"]})
            steps.append(step)
        return values["x"]

    space = {"x": Real(low=0.0, high=10.0, log=False)}
    words = ["tuning.trials=12", "tuning.sampler=random"]
    pruned = study(tmp_path, *words, space=space)
    pruned.run(dict, learn)
    states = [row["state"] for row in rows(pruned)]
    assert {"pruned", "complete"} == set(states)
    assert states[:5] == ["complete"] * 5
    cut = states.count("pruned")
    assert [row["validation/ndcg_at_10"] != "" for row in rows(pruned)] == [state == "complete" for state in states]
    told = [record.getMessage() for record in caplog.records if "with x=" in record.getMessage()]
    assert ["pruned at step 0 (ndcg_at_10 " in line for line in told] == [state == "pruned" for state in states]
    assert len(steps) == 5 * (12 - cut), "a pruned trial ends at its first step"
    assert f"{cut} pruned" in summary(pruned)
    never = study(tmp_path, *words, "tuning.pruning=false", "tuning.study=never", space=space)
    never.run(dict, learn)
    assert {row["state"] for row in rows(never)} == {"complete"}
    assert never.best == pruned.best


def test_what_fails_costs_its_own_trial(tmp_path: Path) -> None:
    def sometimes(values: Mapping, report) -> float:
        if values["n"] > 4:
            raise ValueError("too many")
        return values["n"]

    found = study(tmp_path, "tuning.trials=8", "tuning.sampler=random")
    found.run(dict, sometimes)
    failed = [row for row in rows(found) if row["state"] == "fail"]
    assert 0 < len(failed) < 8
    assert {row["error"] for row in failed} == {"ValueError: too many"}
    assert found.best.params["n"] <= 4
    none = study(tmp_path, "tuning.trials=2", "tuning.study=none")
    none.run(dict, lambda values, report: 1 / 0)
    with pytest.raises(RecexpError, match="no trial returned a value; the first: ZeroDivisionError"):
        none.best  # noqa: B018


def test_another_space_or_other_data_under_the_same_name(tmp_path: Path) -> None:
    study(tmp_path, "tuning.study=ours")
    narrow = {**SPACE, "n": Integer(low=1, high=8, log=False)}
    for changed in ({"space": narrow}, {"content": {"data": "e"}}):
        what = "space" if "space" in changed else "data"
        with pytest.raises(ConfigError, match=f"tuning.study: ours was started with a different {what}, so its trials"):
            study(tmp_path, "tuning.study=ours", **changed)
        assert study(tmp_path, **changed).name != study(tmp_path).name
    assert study(tmp_path).name == study(tmp_path, "tuning.trials=99").name


def test_time_is_up(tmp_path: Path) -> None:
    found = study(tmp_path, "tuning.timeout=0.000001")
    found.run(dict, worth)
    assert rows(found) == []


def test_where_studies_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECEXP_CACHE", str(tmp_path / "cache"))
    assert storage.studies_of(None) == tmp_path / "mlflow-tuning.db"
    assert storage.studies_of("sqlite:////data/all.db") == Path("/data/all-tuning.db")
    servers = ["http://server:5000", "http://other:5000", "postgresql://me:secret@host/db"]
    files = {storage.studies_of(uri) for uri in servers}
    assert len(files) == 3 and {file.parent for file in files} == {tmp_path / "cache" / "tuning"}
    assert storage.studies_of(servers[2]) == storage.studies_of("postgresql://me:changed@host/db")
    assert rows(study(tmp_path / "cache" / "tuning")) == [], "the folder is made"
    (tmp_path / "studies.db").write_text("these are notes, not a database" * 100)
    with pytest.raises(StoreError, match="where studies are kept, cannot be used"):
        study(tmp_path)


def test_importing_recexp_needs_no_optuna() -> None:
    code = "import sys, recexp.tuning, recexp.tuning.job; print('optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
