"""Sweeps that survive: jobs that are the death of their process, launchers, resuming, Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from recexp import config
from recexp.sweeps import jobs
from recexp.sweeps.jobs import DONE, FAILED, JobResult, SweepJob
from recexp.sweeps.progress_view import ProgressView

ODD = """
import os, signal, time
from pathlib import Path
import numpy as np
from recexp.algorithms import Capabilities, Recommender
from recexp.params import params

@params
class Odd(Recommender):
    how: str
    capabilities = Capabilities(needs_history=False)

    def fit(self, train, context=None):
        self.items_ = np.arange(train.n_items, dtype=np.float32)
        if Path("mended").exists():
            return self
        if self.how == "raise":
            raise RuntimeError("no luck")
        if self.how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "hog":
            hold = []
            while len(hold) < 60:
                hold.append(np.ones(8 * 2**20))
                time.sleep(0.1)
        if self.how == "sleep":
            Path("asleep").touch()
            time.sleep(120)
        return self

    def score(self, queries):
        return np.tile(self.items_, (len(queries), 1))
"""
SMALL = (
    "dataset=electronics",
    "dataset.n_users=120",
    "dataset.n_products=80",
    "dataset.n_visits=1500",
    "evaluation.resamples=50",
    "tracking.log_model=false",
)
POOL = ("hydra/launcher=processes", "hydra.launcher.workers=2")


@pytest.fixture
def odd(workplace: Path) -> list[str]:
    """Arguments that choose an algorithm which does what `algorithm.how` says, until there is a file `mended`."""
    (workplace / "strange.py").write_text(ODD)
    (workplace / "mine" / "algorithm").mkdir(parents=True)
    (workplace / "mine" / "algorithm" / "odd.yaml").write_text("# odd\n_target_: strange.Odd\nhow: nothing\n")
    return ["--config-dir", "mine", "-m", *SMALL, "algorithm=odd"]


def wait_for(done: Callable[[], Any], seconds: float = 200) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)


def statuses(runs: Sequence[Any]) -> list[str]:
    return sorted(run.info.status for run in runs)


def complete(runs: Sequence[Any]) -> list[Any]:
    return [run for run in runs if run.data.tags.get("recexp.complete") == "true"]


def test_what_a_job_does_costs_only_itself(inside: Callable, runs: Callable, odd: list[str], workplace: Path) -> None:
    sweep = [*odd, "algorithm.how=raise,nothing,die,hog"]
    done = inside(*sweep, *POOL, "hydra.launcher.workers=1", "hydra.launcher.memory_mib=600")
    assert done.returncode == 1, done.stderr
    assert "3 of 4 jobs failed; resume=true runs them again" in done.stderr
    counted = r"1 of 4 jobs done \(1 ran, 0 skipped, 3 failed\) in \d+ s; 1 worker died$"
    assert re.search(counted, done.stdout, re.MULTILINE)
    failed = [line for line in done.stdout.splitlines() if line.startswith("failed: ")]
    assert failed[0].startswith("failed: algorithm.how=raise (RuntimeError: no luck (strange.py, line 18)")
    assert failed[1].startswith("failed: algorithm.how=die (its process was killed (SIGKILL)")
    assert "out of memory: it used" in failed[2]
    assert "the limit per job is 600 (hydra.launcher.memory_mib)" in failed[2]
    assert "SIGKILL), manually or because memory ran out; the job is restarted" in done.stderr
    assert len(complete(runs())) == 1

    (workplace / "mended").touch()
    done = inside(*sweep, "resume=true")  # in this process: what is left may be done by any launcher
    assert done.returncode == 0, done.stderr
    assert re.search(r"4 of 4 jobs done \(3 ran, 1 skipped, 0 failed\) in \d+ s$", done.stdout, re.MULTILINE)
    states = [line.split("│")[2].strip() for line in done.stdout.splitlines() if "algorithm.how" in line]
    assert states == ["done", "skipped", "done", "done"]
    ended = runs()
    assert len({run.data.tags["recexp.config"] for run in complete(ended)}) == len(complete(ended)) == 4
    assert len({run.data.tags["sweep"] for run in complete(ended)}) == 1, "a resumed sweep keeps its name"
    assert set(statuses(ended)) == {"FINISHED", "FAILED", "KILLED"}, "nothing looks as if it were running"


def test_ctrl_c_ends_workers_and_says_how_to_go_on(runs: Callable, odd: list[str], workplace: Path) -> None:
    sweep = [*odd, "algorithm.how=sleep,nothing", *POOL, "hydra.launcher.workers=1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "recexp", *sweep],
        cwd=workplace,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for((workplace / "asleep").exists)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    expected = f"recexp --config-dir={workplace / 'mine'} {' '.join(sweep[2:])} resume=true"
    assert f"interrupted; to continue: {expected}" in said
    assert statuses(runs()) == ["KILLED"]


def test_two_processes_at_the_same_job_finish_it_once(workplace: Path, runs: Callable) -> None:
    command = [sys.executable, "-m", "recexp", *SMALL, "algorithm=popularity", "resume=true"]
    racing = [subprocess.Popen(command, cwd=workplace, stderr=subprocess.PIPE) for _ in range(2)]
    told = [process.communicate(timeout=200)[1] for process in racing]
    assert [process.returncode for process in racing] == [0, 0], told
    assert statuses(runs()) == ["FINISHED"]


def test_runs_left_behind_are_never_taken_for_results(workplace: Path, runs: Callable) -> None:
    """A process may die before the end of its run, or between the run's end and the mark that it is complete."""
    from mlflow.tracking import MlflowClient

    import recexp as library

    words = (*SMALL, "algorithm=popularity")
    first = library.run(*words)
    client = MlflowClient(f"sqlite:///{workplace / 'mlflow.db'}")
    client.delete_tag(first.run_id, "recexp.complete")
    tags = {key: client.get_run(first.run_id).data.tags[key] for key in ("recexp.config", "recexp.host")}
    running = client.create_run(client.get_run(first.run_id).info.experiment_id, tags=tags)
    again = library.run(*words, "resume=true")
    status = {run.info.run_id: run.info.status for run in runs()}
    assert status == {first.run_id: "KILLED", running.info.run_id: "KILLED", again.run_id: "FINISHED"}
    assert library.run(*words, "resume=true").run_id == again.run_id


def test_a_judged_validation_part_is_not_loaded_again(inside: Callable, runs: Callable) -> None:
    words = (*SMALL, "algorithm=popularity", "runner=validation", "split.validation_ratio=0.2", "resume=true")
    first, again = inside(*words), inside(*words, "logging.level=info")
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert len(runs()) == 1
    assert "recexp.filters" not in again.stderr


def test_folds_are_one_job(inside: Callable, runs: Callable) -> None:
    words = (*SMALL, "algorithm=popularity", "split=kfold", "split.folds=2", "resume=true")
    assert inside(*words).returncode == 0
    assert len(runs()) == 2
    one, _ = runs()
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    client.delete_run(one.info.run_id)
    done = inside(*words)
    assert done.returncode == 0, done.stderr
    assert "mean of folds" in done.stdout
    assert len(complete(runs())) == 2


def prepared(*words: str) -> str | None:
    return jobs.prepare(config.compose(words), tags={}).job_key


def test_a_job_is_known_by_content_before_its_data_are_loaded(workplace: Path) -> None:
    file = workplace / "log.csv"
    file.write_text("user_id,item_id\n" + "".join(f"{u},{i}\n" for u in range(4) for i in range(4)))
    words = ("dataset=files", f"dataset.interactions={file}", "filter=all_positive")
    key = prepared(*words)
    assert key is not None
    os.utime(file, (1, 1))
    assert prepared(*words) == key
    assert prepared(*words, "runner.threads=1", "tracking.experiment=other") == key
    assert prepared(*words, "seed=2") != key
    assert prepared(*words, "algorithm.l2=3") != key
    other = file.rename(workplace / "renamed.csv")
    assert prepared("dataset=files", f"dataset.interactions={other}", "filter=all_positive") == key
    other.write_text(other.read_text().replace("3,3", "3,9"))
    assert prepared("dataset=files", f"dataset.interactions={other}", "filter=all_positive") != key


def test_submitit_runs_a_job(inside: Callable, runs: Callable) -> None:
    launcher = ("hydra/launcher=submitit", "hydra.launcher.cluster=local", "hydra.launcher.at_a_time=1")
    done = inside("-m", *SMALL, "algorithm=popularity", "seed=2", *launcher)
    assert done.returncode == 0, done.stderr + done.stdout
    assert [run.data.tags["seed"] for run in complete(runs())] == ["2"]


class Cluster:
    """Stands for Ray: two jobs at a time; a job's process dies as often as `deaths` says."""

    def __init__(self, deaths: dict[int, int]) -> None:
        from recexp import plugins

        plugins.use()
        from hydra_plugins.recexp_clusters import Death, Remote

        cluster, self.most, self.ended = self, 0, []

        class Fake(Remote):
            package = "json"

            def connect(self) -> None: ...
            def room(self) -> int:
                return 2

            def submit(self, told: list[str]) -> list[str]:
                return [text + " " * deaths.get(jobs.json.loads(text)["number"], 0) for text in told]

            def wait(self, handles: list[str]) -> list[str]:
                cluster.most = max(cluster.most, len(handles))
                return handles[:1]

            def take(self, handle: str) -> str:
                number = jobs.json.loads(handle)["number"]
                if deaths.get(number, 0):
                    deaths[number] -= 1
                    raise Death("its node died")
                return JobResult(DONE).to_json()

            def end(self, handles: list[str]) -> None:
                cluster.ended = handles

        self.launcher = Fake()

    def work(self, n: int) -> Iterator[tuple[SweepJob, JobResult]]:
        todo = [SweepJob(number, [], [], "s", ".", [], {}, {}, None, f"recexp seed={number}") for number in range(n)]
        with ProgressView([job.command for job in todo], None) as view:
            yield from self.launcher.work(todo, view)


def test_jobs_of_a_dead_node_are_begun_once_more() -> None:
    cluster = Cluster({1: 1, 3: 2})
    results = {job.number: result for job, result in cluster.work(5)}
    states = {number: result.state for number, result in results.items()}
    assert states == {0: DONE, 1: DONE, 2: DONE, 3: FAILED, 4: DONE}
    assert str(results[3].error) == "its node died"
    assert cluster.most == 2
    assert cluster.ended == []


BAD = [
    (("hydra/launcher=process",), "hydra/launcher: unknown option process; did you mean processes? allowed: in"),
    ((*POOL, "hydra.launcher.wrkers=1"), "hydra.launcher.wrkers: unknown; did you mean workers? allowed: workers"),
    ((*POOL, "hydra.launcher.workers=0"), "hydra.launcher.workers: must be greater than or equal to 1 (got 0)"),
    (("hydra/launcher=submitit", "hydra.launcher.cluster=slurm"), "hydra.launcher.cluster: slurm cannot be used here"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=["option", "key", "value", "no slurm"])
def test_wrong_launchers_are_refused(inside: Callable, runs: Callable, words: tuple[str, ...], message: str) -> None:
    done = inside("-m", *SMALL, "algorithm=popularity", "seed=1,2", *words)
    assert done.returncode == 2, done.stderr
    assert f"recexp: {message}" in done.stderr
    assert "Traceback" not in done.stderr
    assert runs() == []


@pytest.mark.parametrize("launcher", [(), POOL], ids=["in process", "processes"])
def test_what_is_wrong_with_all_jobs_is_told_once_and_nothing_runs(
    inside: Callable, runs: Callable, launcher: tuple[str, ...]
) -> None:
    for word, message in (
        ("resume=ture", "resume: must be true or false (got 'ture')"),
        ("+sed=1", "sed: unknown; did you mean seed? allowed: seed"),
        ("evaluation.confidence=2", "evaluation.confidence: must be less than 1 (got 2)"),
    ):
        done = inside("-m", *SMALL, "algorithm=popularity,random", word, *launcher)
        assert done.returncode == 2
        assert (done.stdout + done.stderr).count(message) == 1
        assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
    assert runs() == []


def test_a_package_that_is_absent_is_named(inside: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = inside("-m", *SMALL, "algorithm=popularity", "hydra/launcher=ray")
    assert done.returncode == 2, done.stderr
    assert "recexp: hydra/launcher=ray: needs the package ray: pip install 'recexp[ray]'" in done.stderr


@pytest.mark.parametrize("words", [("-m", *POOL), ("-m",), ()], ids=["processes", "in process", "single"])
def test_resume_with_an_unreadable_store(inside: Callable, workplace: Path, words: tuple[str, ...]) -> None:
    (workplace / "mlflow.db").write_text("this is no database, however long it may be" * 100)
    done = inside(*words, *SMALL, "algorithm=popularity", "resume=true")
    assert done.returncode == 2, done.stderr
    assert f"recexp: tracking.uri: {workplace / 'mlflow.db'} cannot be used as an SQLite store" in done.stderr


@pytest.mark.parametrize("words", [POOL, ()], ids=["processes", "in process"])
def test_a_store_that_is_dead_is_told_once_before_the_jobs(
    inside: Callable, workplace: Path, words: tuple[str, ...]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{probe.getsockname()[1]}"  # where nobody listens
        done = inside("-m", *words, *SMALL, "algorithm=popularity,random", f"tracking.uri={uri}")
    assert done.returncode == 2
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "no server answers" in line]
    assert len(lines) == 1 and lines[0].startswith(f"recexp: tracking.uri: no server answers at {uri}")


def test_a_sweep_leaves_a_folder_only_when_something_failed(inside: Callable, odd: list[str], workplace: Path) -> None:
    temporary = workplace / "temporary"
    temporary.mkdir()
    one = (*POOL, "hydra.launcher.workers=1")
    for how, words, left in (("nothing", (), 0), ("raise", (), 1), ("nothing", one, 1)):
        inside(*odd, *words, f"algorithm.how={how}", "seed=1,2", TMPDIR=str(temporary))
        assert len([path for path in temporary.iterdir() if path.name.startswith("recexp-2")]) == left
    inside(*odd, "seed=1,2", "hydra.sweep.dir=asked", TMPDIR=str(temporary))
    assert (workplace / "asked").is_dir()


def test_the_view_counts_and_knows_the_best() -> None:
    from recexp.runners.result import RunResult

    commands = [f"recexp seed={seed}" for seed in range(4)]
    view = ProgressView(commands, ("rmse", False))
    todo = [SweepJob(n, [], [], "s", ".", [], {}, {}, None, command) for n, command in enumerate(commands)]
    for job in todo:
        view.began(job)
    for job, rmse in zip(todo, (0.95, 0.91, 0.97)):
        outcome = RunResult("id", "", "", {"test/rmse": rmse}, {}, "test")
        view.ended(job, JobResult(DONE, [outcome]))
    assert view.render().splitlines() == [
        "3 of 4 jobs (3 done)",
        "best so far: rmse 0.9100, seed=1",
        "running: seed=3",
    ]
