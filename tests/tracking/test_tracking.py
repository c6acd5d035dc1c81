"""What the store holds after runs that go well, fail, are killed, or find the disk full."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import recexp as library
from recexp import console, folders
from recexp.errors import DiskFullError, StoreError
from recexp.history.archive import Archive
from recexp.secrets import mask, mask_source
from recexp.tracking import (
    Input,
    Run,
    Store,
    Tracking,
    git,
    leaderboard_link,
    store_errors,
    store_uri,
    ui_command,
    ui_link,
    wheel,
)
from recexp.tracking.names import as_params, clean, flatten
from recexp.tracking.source import requirements
from recexp.tracking.store_uri import resolve
from recexp.tracking.view import run_link, view_state

if TYPE_CHECKING:
    from mlflow import MlflowClient

DIGEST = "0123456789abcdef" * 4
METRICS = {"test/ndcg_at_10": 0.25, "test/recall_at_10": 0.5, "cost/fit_seconds": 1.5, "test/rmse": float("nan")}
PARAMS = {"seed": 3, "algorithm": {"l2": 500.0, "parts": [{"k": 5}, {"k": None}]}, "evaluation": {"cutoffs": [5, 10]}}
PRELUDE = """
import sys, time
from pathlib import Path
from recexp.tracking import Input, Tracking
tracking = Tracking(uri=None, artifacts=None, experiment="recexp", log_model=True, git_diff=True)
def finish(run, model=None):
    run.finish(metrics={"test/ndcg_at_10": 0.5}, params={"a": 1}, description="d", inputs=[], model_folder=model)
"""


def tracking(uri: str | None = None, **changed: object) -> Tracking:
    return Tracking(
        **{"uri": uri, "artifacts": None, "experiment": "recexp", "log_model": True, "git_diff": True, **changed}
    )


def finish(run: Run, model_folder: Path | None = None, view: str | None = None) -> None:
    inputs = [
        Input("train", "toy", DIGEST, "/data/toy.csv"),
        Input("test", "toy", DIGEST[::-1], "https://example.org/toy"),
    ]
    run.finish(
        metrics=METRICS, params=PARAMS, description="**toy**", inputs=inputs, model_folder=model_folder, view=view
    )


def script(body: str, folder: Path, **options: bool) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + body],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def files(run_data: object) -> set[str]:
    folder = Path(run_data.info.artifact_uri.removeprefix("file://"))
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def client(store: Store) -> "MlflowClient":
    from mlflow import MlflowClient

    return MlflowClient(store.uri, store.uri)


def gone(pid: int) -> bool:
    """Whether a process ends within seconds (a zombie whose parent is gone has ended too)."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return True
        time.sleep(0.1)
    return False


def no_staging_left() -> bool:
    return not list(Path(tempfile.gettempdir()).glob("recexp-*"))


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path_factory.mktemp("tmp"))
    monkeypatch.setenv("TMPDIR", folder)
    monkeypatch.setattr("tempfile.tempdir", folder)


@pytest.fixture
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    (folder / "arrays.npz").write_bytes(bytes(3_000_000))
    return folder


def test_a_finished_run_holds_everything(workplace: Path, runs, model_folder: Path, monkeypatch) -> None:
    import logging

    monkeypatch.setenv("SOME_TOKEN", "s3cr3t-value")
    logger = logging.getLogger("recexp.something")
    logger.setLevel(logging.INFO)
    store = tracking().open()
    logger.info("before the run")
    with store, store.run(name="toy", tags={"dataset": "toy", "recexp.config": "c1"}) as run:
        logger.info("hello log")
        (run.directory / "plots").mkdir()
        (run.directory / "plots" / "a.png").write_bytes(b"png")
        (run.scratch / "aside").write_text("not kept")
        for step in range(3):
            run.log_step(step, {"loss": 1.0 / (step + 1)})
        assert run.curves() == {"loss": [(0, 1.0), (1, 0.5), (2, 1 / 3)]}
        finish(run, model_folder)
        assert run.link.endswith(f"/runs/{run.id}?workflowType=machine_learning")
    logger.info("after the run")
    (found,) = runs()
    assert found.info.run_id == run.id
    assert (found.info.status, found.info.run_name) == ("FINISHED", "toy")
    assert found.data.tags["recexp.complete"] == "true"
    assert found.data.tags["dataset"] == "toy"
    assert found.data.tags["mlflow.note.content"] == "**toy**"
    expected = {name: value for name, value in METRICS.items() if value == value}
    assert found.data.metrics == {**expected, "training/loss": pytest.approx(1 / 3)}
    assert found.data.params == {
        "seed": "3",
        "algorithm.l2": "500.0",
        "algorithm.parts.0.k": "5",
        "algorithm.parts.1.k": "null",
        "evaluation.cutoffs": "[5, 10]",
    }
    inputs = {item.tags[0].value: item.dataset for item in found.inputs.dataset_inputs}
    assert inputs["train"].digest == DIGEST[:32] and inputs["test"].digest == DIGEST[::-1][:32]
    assert json.loads(inputs["train"].source) == {"uri": "/data/toy.csv"}
    assert {"plots/a.png", "requirements.txt", "recexp.log"} <= files(found)
    assert "aside" not in str(files(found))
    folder = Path(found.info.artifact_uri.removeprefix("file://"))
    assert folder.is_relative_to(workplace / "mlflow-artifacts")
    log = (folder / "recexp.log").read_text()
    assert "before the run" in log and "hello log" in log and "after the run" not in log
    assert no_staging_left()
    everything = b"".join(path.read_bytes() for path in workplace.rglob("*") if path.is_file())
    assert b"hello log" in everything and b"s3cr3t-value" not in everything


def test_the_learning_curve_keeps_every_step(workplace: Path) -> None:
    with tracking().open() as store, store.run(name="toy", tags={}) as run:
        for step in range(5):
            run.log_step(step, {"loss": 10.0 - step})
        finish(run)
        history = client(store).get_metric_history(run.id, "training/loss")
    assert sorted((point.step, point.value) for point in history) == [(step, 10.0 - step) for step in range(5)]


def test_a_training_that_is_killed_is_never_complete_and_has_its_curve_in_the_store(workplace: Path, runs) -> None:
    body = """
with tracking.open() as store, store.run(name="a", tags={"recexp.config": "c1"}) as run:
    assert run.id
    for step in range(1, 101):
        run.log_step(step, {"loss": 1 / step})
        if step == 50:
            print(store.process.process.pid, flush=True)
        time.sleep(0.03)
    finish(run)
"""
    with script(body, workplace) as process:
        worker = int(process.stdout.readline())
        process.kill()
    assert process.returncode == -9 and gone(worker)
    from mlflow.tracking import MlflowClient

    mlflow = MlflowClient(f"sqlite:///{workplace / 'mlflow.db'}")
    (found,) = runs()
    assert found.info.status == "RUNNING"
    assert "recexp.complete" not in found.data.tags
    with tracking().open() as store:
        assert store.find_complete({"recexp.config": "c1"}) is None
    curve = mlflow.get_metric_history(found.info.run_id, "training/loss")
    assert 30 <= len(curve) <= 50
    assert sorted((point.step, point.value) for point in curve) == [(n + 1, 1 / (n + 1)) for n in range(len(curve))]


@pytest.mark.parametrize("fails", [False, True])
def test_points_sent_on_the_way_are_not_sent_again(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    expected = [(step, 10.0 - step) for step in range(5)]
    with suppress(ValueError), tracking().open() as store, store.run(name="toy", tags={}) as run:
        for step, value in expected:
            monkeypatch.setattr("recexp.tracking.run.SEND_SECONDS", 0.0 if step < 3 else 60.0)
            run.log_step(step, {"loss": value})
        assert run.curves() == {"loss": expected}
        asked, ask = [], store.process.ask
        monkeypatch.setattr(store.process, "ask", lambda do, **values: (asked.append(values), ask(do, **values))[1])
        if fails:
            raise ValueError
        finish(run)
    assert [step for _, _, _, step in asked[-1]["points"]] == [3, 4]
    history = client(store).get_metric_history(run.id, "training/loss")
    assert sorted((point.step, point.value) for point in history) == expected


def test_steps_cost_the_training_next_to_nothing(workplace: Path, in_sorts: Callable) -> None:
    with tracking().open() as store, store.run(name="toy", tags={}) as run:
        assert run.id
        values = {"loss": 0.5}
        assert in_sorts(lambda: [run.log_step(step, values) for step in range(2_000)]) < 0.4  # a sort takes .08 s


def test_the_model_is_logged_without_code_or_pickle(workplace: Path, model_folder: Path) -> None:
    import yaml

    with tracking().open() as store, store.run(name="toy", tags={}) as run:
        finish(run, model_folder)
        (output,) = client(store).get_run(run.id).outputs.model_outputs
        logged = client(store).get_logged_model(output.model_id)
    assert (logged.name, str(logged.status), logged.source_run_id) == ("model", "READY", run.id)
    folder = Path(logged.artifact_location.removeprefix("file://"))
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert kept == {
        "MLmodel",
        "conda.yaml",
        "python_env.yaml",
        "requirements.txt",
        wheel.NAME,
        "recexp/arrays.npz",
        "recexp/model.json",
    }
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert described["flavors"]["python_function"]["loader_module"] == "recexp.serving"
    assert "user_id" in described["signature"]["inputs"] and '"k"' in described["signature"]["params"]
    needed = (folder / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("numpy==") for line in needed)
    assert needed[0] == f"./{wheel.NAME}" and not any(line.startswith("recexp==") for line in needed)


def test_the_model_can_be_left_out(workplace: Path, model_folder: Path) -> None:
    with tracking(log_model=False).open() as store, store.run(name="toy", tags={}) as run:
        finish(run, model_folder)
        assert client(store).get_run(run.id).outputs.model_outputs == []


def test_only_complete_runs_with_the_same_tags_are_found(workplace: Path) -> None:
    with tracking().open() as store:
        with store.run(name="a", tags={"recexp.config": "c1", "note": "it's"}) as run:
            assert store.find_complete({"recexp.config": "c1"}) is None
            finish(run)
        assert store.find_complete({"recexp.config": "c1", "note": "it's"}).id == run.id
        assert store.find_complete({"recexp.config": "c2"}) is None
        with pytest.raises(ValueError, match="boom"), store.run(name="b", tags={"recexp.config": "c2"}):
            raise ValueError("boom")
        assert store.find_complete({"recexp.config": "c2"}) is None


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("boom\nmore"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (None, "FAILED")]
)
def test_a_run_that_does_not_finish_says_so(workplace: Path, runs, error: BaseException | None, status: str) -> None:
    with tracking().open() as store:
        if error is None:
            with store.run(name="a", tags={}):
                pass
        else:
            with pytest.raises(type(error)), store.run(name="a", tags={}):
                raise error
    (found,) = runs()
    assert found.info.status == status
    assert "recexp.complete" not in found.data.tags
    reason = {"ValueError": "ValueError: boom", "KeyboardInterrupt": "KeyboardInterrupt: "}
    assert found.data.tags["recexp.error"] == reason.get(type(error).__name__, "the run ended without results")
    if error is not None:
        folder = Path(found.info.artifact_uri.removeprefix("file://"))
        assert "Traceback" in (folder / "recexp.log").read_text()
    assert no_staging_left()


def test_a_run_that_is_terminated_is_never_complete(workplace: Path, runs) -> None:
    body = """
with tracking.open() as store, store.run(name="a", tags={"recexp.config": "c1"}) as run:
    print(run.id, store.process.process.pid, flush=True)
    time.sleep(60)
    finish(run)
"""
    with script(body, workplace) as process:
        _, worker = process.stdout.readline().split()
        process.terminate()
        process.wait(timeout=120)
    assert gone(int(worker))
    assert process.returncode == 143
    (found,) = runs()
    assert found.info.status == "KILLED"
    assert not {"recexp.complete", "mlflow.note.content"} & found.data.tags.keys()
    with tracking().open() as store:
        assert store.find_complete({"recexp.config": "c1"}) is None


def test_a_killed_worker_leaves_no_complete_run(workplace: Path, runs) -> None:
    message = r"the process that writes to the tracking store ended unexpectedly \(exit code -9\)"
    with pytest.raises(StoreError, match=message), tracking().open() as store, store.run(name="a", tags={}) as run:
        assert run.id
        os.kill(store.process.process.pid, signal.SIGKILL)
        finish(run)
    (found,) = runs()
    assert found.info.status == "RUNNING" and "recexp.complete" not in found.data.tags
    assert no_staging_left()
    with tracking().open() as store, store.run(name="b", tags={}) as run:
        finish(run)
    assert {found.info.run_name for found in runs() if "recexp.complete" in found.data.tags} == {"b"}


def test_signals_to_the_group_are_left_to_the_run_which_imports_neither_mlflow_nor_its_company(
    workplace: Path, runs
) -> None:
    body = """
with tracking.open() as store, store.run(name="whole", tags={}) as run:
    finish(run)
with tracking.open() as store, store.run(name="a", tags={}) as run:
    assert run.id
    loaded = [name for name in ("mlflow", "matplotlib", "sqlalchemy") if name in sys.modules]
    print(store.process.process.pid, loaded, flush=True)
    time.sleep(60)
"""
    process = script(body, workplace, start_new_session=True)
    worker, loaded = process.stdout.readline().split()
    os.kill(int(worker), signal.SIGTERM)  # as a batch system does, to all processes of a job
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    process.communicate(timeout=120)
    assert {found.info.run_name: found.info.status for found in runs()} == {"whole": "FINISHED", "a": "KILLED"}
    assert loaded == "[]"


def test_stores_opened_one_after_another_share_a_process(workplace: Path, empty_store: Path) -> None:
    shutil.copy(empty_store, "other.db")
    with tracking().open() as store:
        first = store.process.process.pid
    with tracking("other.db", experiment="other").open() as store, store.run(name="a", tags={}) as run:
        finish(run)
        assert store.process.process.pid == first
        with tracking().open() as another:
            assert another.process.process.pid != first and another.find_complete({}) is None
        assert store.find_complete({}).id == run.id


def test_two_processes_may_make_the_store_at_once(tmp_path: Path) -> None:
    body = """
with tracking.open() as store, store.run(name="a", tags={"recexp.config": sys.argv[0]}) as run:
    finish(run)
"""
    processes = [script(body, tmp_path) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 2, outputs
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        (complete,) = connection.execute("select count(*) from tags where key = 'recexp.complete'").fetchone()
        (experiments,) = connection.execute("select count(*) from experiments where name = 'recexp'").fetchone()
    assert (complete, experiments) == (2, 1)
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", "mlflow.db.lock", "mlflow-artifacts"}


def too_large(run: Run, model_folder: Path) -> None:
    """Parameters of 1.8 MB, which go into the database."""
    params = {str(number): "x" * 6000 for number in range(300)}
    run.finish(metrics={}, params=params, description="d", inputs=[], model_folder=None)


def large_file(run: Run, model_folder: Path) -> None:
    (run.directory / "lists.parquet").write_bytes(bytes(9_000_000))
    finish(run)


@pytest.mark.parametrize(
    "write",
    [large_file, finish, too_large],
    ids=["while writing a file", "while copying the model", "while writing the database"],
)
def test_a_full_disk_leaves_no_half_run(
    workplace: Path, runs, model_folder: Path, full_disk: Callable, write: Callable
) -> None:
    with (
        pytest.raises(DiskFullError, match="the disk is full") as caught,
        full_disk() as fill,
        tracking().open() as store,
        store.run(name="a", tags={}) as run,
    ):
        assert run.id
        fill(Path("mlflow.db").stat().st_size + 500_000, store.process)
        write(run, model_folder)
    assert caught.value.exit_code == 1
    assert runs() == []
    left = [path for path in (workplace / "mlflow-artifacts").rglob("*") if path.is_file()]
    assert left == []
    assert no_staging_left()


def test_a_disk_full_before_the_run_starts(workplace: Path, runs, full_disk: Callable) -> None:
    with pytest.raises(DiskFullError, match="the disk is full") as caught, full_disk() as fill:
        fill(4096)
        with tracking().open() as store, store.run(name="a", tags={}) as run:
            finish(run)
    assert caught.value.exit_code == 1
    assert runs() == []


def test_a_store_locked_by_another_program(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recexp.tracking.store_uri.LOCK_SECONDS", 0.2)
    connection = sqlite3.connect(workplace / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"tracking\.uri: .*mlflow\.db is locked by another program"):
        tracking().open()
    connection.close()


def test_stores_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("this is not a database, only text that is long enough" * 20)
    for uri, message in {
        f"{tmp_path}/absent/mlflow.db": r"absent is not a folder",
        f"sqlite:///{tmp_path}/file/mlflow.db": r"file is not a folder",
        f"{tmp_path}/folder.db": r"folder\.db is not a file",
        f"{tmp_path}/text.db": r"text\.db cannot be used as an SQLite store: file is not a database",
        f"{tmp_path}/runs": r"is not a store that can be used; give the path of a \.db file",
        "http://127.0.0.1:1": r"no server answers at http://127\.0\.0\.1:1",
    }.items():
        with pytest.raises(StoreError, match=message) as caught:
            tracking(uri).open()
        assert caught.value.exit_code == 2
    with pytest.raises(StoreError, match=r"tracking\.artifacts: .*file is not a folder"):
        tracking(f"{tmp_path}/new.db", artifacts=f"{tmp_path}/file").open()
    assert not (tmp_path / "new.db").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(StoreError, match=r"tracking: /proc/self/fd cannot be written"):
        tracking("/proc/self/fd/mlflow.db").open()


def test_a_store_of_another_mlflow(workplace: Path) -> None:
    with sqlite3.connect(workplace / "mlflow.db") as connection:
        connection.execute("update alembic_version set version_num = 'f4a9f4a9f4a9'")
    connection.close()
    with pytest.raises(StoreError, match=r"was created by another version of MLflow"), tracking().open() as store:
        assert store.experiment_id


def test_a_deleted_experiment_is_named(workplace: Path) -> None:
    with tracking().open() as store:
        client(store).delete_experiment(store.experiment_id)
    with pytest.raises(StoreError, match=r"tracking\.experiment: recexp was deleted"), tracking().open() as store:
        assert store.experiment_id


def test_artifacts_may_go_elsewhere(workplace: Path, tmp_path: Path, runs) -> None:
    folder = tmp_path / "big disk" / "files"
    with tracking(artifacts=str(folder), experiment="elsewhere").open() as store, store.run(name="a", tags={}) as run:
        finish(run)
    assert (folder / run.id / "artifacts" / "requirements.txt").is_file()
    assert not (workplace / "mlflow-artifacts").exists()


def test_a_store_that_is_not_used_leaves_no_run(workplace: Path, runs) -> None:
    with pytest.raises(KeyError), tracking().open():
        raise KeyError("bad data")
    assert runs() == []


def test_the_first_run_makes_the_leaderboard(workplace: Path) -> None:
    with tracking().open() as store:
        with store.run(name="a", tags={}) as run:
            finish(run, view=view_state(METRICS, "test", ["algorithm"], higher_is_better=True))
        experiment = client(store).get_experiment(store.experiment_id)
        assert store.leaderboard == leaderboard_link(store.uri, experiment.experiment_id)
    state = json.loads(experiment.tags["mlflow.sharedViewState.recexp"])
    assert state["orderByKey"] == "metrics.`test/ndcg_at_10`" and state["orderByAsc"] is False
    assert {"metrics.`test/recall_at_10`", "tags.`algorithm`", "params.`seed`"} <= set(state["selectedColumns"])


def test_columns_of_the_leaderboard_share_a_cutoff() -> None:
    names = [f"{part}/{m}_at_{k}" for part in ("test", "validation") for m in ("ndcg", "recall") for k in (5, 10, 20)]
    state = json.loads(
        view_state(
            dict.fromkeys([*names, "test/rmse", "cost/fit_seconds"], 0.5), "test", ["algorithm"], higher_is_better=True
        )
    )
    metrics = [column for column in state["selectedColumns"] if column.startswith("metrics.")]
    expected = ["test/ndcg_at_10", "test/recall_at_10", "test/rmse"]
    assert metrics == [f"metrics.`{name}`" for name in expected]
    assert state["columnOrder"][2:5] == metrics and state["columnOrder"][-1] == "duration"
    assert state["columnWidths"]["metrics.`test/recall_at_10`"] > state["columnWidths"]["metrics.`test/rmse`"]
    assert json.loads(view_state({"test/rmse": 1.0}, "test", [], higher_is_better=False))["orderByAsc"] is True


def test_links(capsys: pytest.CaptureFixture) -> None:
    assert run_link("sqlite:////a/b.db", "1", "abc") == (
        "http://127.0.0.1:5000/#/experiments/1/runs/abc?workflowType=machine_learning"
    )
    link = leaderboard_link("https://me:secret@example.org/mlflow/", "7")
    console.leaderboard(link)
    console.leaderboard(leaderboard_link("sqlite:////tmp/mlflow.db", "7"))
    server, own = capsys.readouterr().out.splitlines()
    assert server == f"leaderboard: {link}" and own.startswith("leaderboard, after `recexp ui`: http://127.0.0.1:5000/")
    assert link.startswith("https://example.org/mlflow/#/experiments/7/runs?viewStateShareKey=recexp")


def test_the_ui_runs_on_the_store_for_this_machine_only(workplace: Path) -> None:
    command, environment = ui_command(None, 5055)
    text = " ".join(command)
    assert f"--backend-store-uri sqlite:///{workplace}/mlflow.db" in text
    assert "--host 127.0.0.1 --port 5055" in text
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_the_ui_opens_at_the_leaderboard(workplace: Path) -> None:
    everything = "http://127.0.0.1:5055/#/experiments?workflowType=machine_learning"
    assert ui_link(None, "recexp", 5055) == everything
    assert ui_link("absent.db", "recexp", 5055) == everything
    with tracking().open() as store:
        experiment_id = store.experiment_id
    assert ui_link(None, "recexp", 5055) == leaderboard_link(store.uri, experiment_id, 5055)


def test_uris(workplace: Path) -> None:
    here = f"sqlite:///{workplace}/mlflow.db"
    assert [resolve(uri) for uri in (None, "mlflow.db", "sqlite:///mlflow.db", here)] == [here] * 4
    assert resolve("http://localhost:5000") == "http://localhost:5000"


def test_mlflows_own_variables_count_where_the_config_says_nothing(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = f"sqlite:///{workplace}/mlflow.db"
    assert (resolve(None), library.make("tracking=mlflow").experiment) == (here, "recexp")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "shop")
    assert resolve(None) == "http://127.0.0.1:5000" and resolve("mlflow.db") == here
    assert library.make("tracking=mlflow").experiment == "shop"
    assert library.make("tracking=mlflow", "tracking.experiment=mine").experiment == "mine"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///tmp/mlruns")
    with pytest.raises(StoreError, match=r"^MLFLOW_TRACKING_URI: file:///tmp/mlruns is not a store"):
        resolve(None)
    assert resolve("http://localhost:5000") == "http://localhost:5000"


def test_names_and_values_are_what_mlflow_takes() -> None:
    assert clean("ndcg@10/é") == "ndcg_10/_"
    flat = flatten({"a": {"b": True, "c": "text", "d": []}, "e": [1, {"f": 2}], "g": "x" * 7000})
    assert flat == {"a.b": "true", "a.c": "text", "a.d": "[]", "e": '[1, {"f": 2}]', "g": "x" * 6000}


def test_params_that_mlflow_compares_first_are_what_was_chosen() -> None:
    """MLflow's compare page takes the first three that differ, sorted by name, and shows ten letters of a value."""
    split = {"_target_": "shop.Third"}
    runs = [
        as_params({"algorithm": {"_target_": f"recexp.algorithms.{path}", **fields}, "split": split})
        for path, fields in (("linear.ease.EASE", {"l2": 500.0}), ("neighbors.item_knn.ItemKNN", {"k": 50}))
    ]
    assert [params["algorithm"] for params in runs] == ["EASE", "ItemKNN"]
    differing = [name for name in sorted({*runs[0], *runs[1]}) if runs[0].get(name) != runs[1].get(name)]
    assert differing == ["algorithm", "algorithm.k", "algorithm.l2"]
    assert runs[0]["split"] == "shop.Third", "classes of one name in two packages"


def test_credentials_are_never_logged(workplace: Path, runs) -> None:
    with tracking().open() as store, store.run(name="a", tags={}) as run:
        secret = "postgresql://me:s3cr3t@db.example.org/runs"
        run.finish(
            metrics={},
            params={"tracking": {"uri": secret}},
            description=f"`recexp tracking.uri={secret}`",
            inputs=[],
            model_folder=None,
        )
    (found,) = runs()
    assert found.data.params["tracking.uri"] == "postgresql://***@db.example.org/runs"
    assert b"s3cr3t" not in (workplace / "mlflow.db").read_bytes()
    with pytest.raises(StoreError, match=r"ftp://\*\*\*@host/x is not a store"):
        tracking("ftp://me:s3cr3t@host/x").open()


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., str]:
    """Ask git in a new repository, as somebody who has a name."""

    def ask(*arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout

    ask("init", "-q")
    (tmp_path / "code.py").write_text("x = 1\n")
    (tmp_path / ".env").write_text("A=1\n")
    ask("add", ".")
    ask("commit", "-qm", "first")
    return ask


def test_the_state_of_git_is_commit_and_changes(
    repository: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "PACKAGE", tmp_path / "recexp")
    tags, diff = git.state(tmp_path)
    assert tags["mlflow.source.git.commit"] == repository("rev-parse", "HEAD").strip()
    assert (tags["recexp.git_dirty"], diff) == ("false", "")
    outside = tmp_path / "outside"
    outside.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(git, "ask", lambda at, *words, real=git.ask: "" if at == outside else real(at, *words))
        assert git.state(outside) == (tags, ""), "the clone that recexp runs from"
    (tmp_path / "code.py").write_text("x = 2\n")
    tags, diff = git.state(tmp_path)
    assert tags["recexp.git_dirty"] == "true" and "+x = 2" in diff
    (tmp_path / "code.py").write_text("y = 1\n" * 300_000)
    diff = git.as_kept(git.state(tmp_path)[1])
    assert len(diff) < 1_000_200 and "cut: the whole diff" in diff


@pytest.mark.parametrize("name", [".env", "secrets.yaml", "conf/db_credentials.py", "deploy.key", "notes.txt"])
def test_files_that_may_hold_secrets_are_dirt_and_no_more(
    repository: Callable[..., str], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("A=1\n")
    repository("add", "-A")
    repository("commit", "-q", "--allow-empty", "-m", "x")
    (tmp_path / name).write_text("A=1\nB=S3CRET\n")
    assert git.state(tmp_path)[0]["recexp.git_dirty"] == "true"
    (tmp_path / "code.py").write_text("x = 2\n")
    diff = git.state(tmp_path)[1]
    assert "+x = 2" in diff and "S3CRET" not in diff


def test_own_files_that_git_does_not_track_are_kept(repository: Callable[..., str], tmp_path: Path) -> None:
    for name in ("mine.py", "mine.yaml", "secret.yaml", "other.py"):
        (tmp_path / name).write_text(f"# {name}\n")
    files = [str(tmp_path / name) for name in ("mine.py", "mine.yaml", "secret.yaml", "code.py", "gone.py")]
    diff = git.untracked(tmp_path, files)
    assert diff.count("--- /dev/null") == 2 and "+# mine.py\n" in diff and "+# mine.yaml\n" in diff
    assert git.untracked(tmp_path / "nowhere", files[:1]).endswith("+# mine.py\n"), "without git, too"


@pytest.mark.parametrize("what", ["fsmonitor", "clean", "process", "textconv", "external", "hook"])
def test_git_runs_nothing_that_a_folder_says(repository: Callable[..., str], tmp_path: Path, what: str) -> None:
    ran = tmp_path / "RAN"
    command = f"touch {ran}; false"
    key = {
        "fsmonitor": "core.fsmonitor",
        "clean": "filter.a=b.clean",
        "process": "filter.a=b.process",
        "textconv": "diff.ab.textconv",
        "external": "diff.external",
        "hook": "core.hooksPath",
    }[what]
    (tmp_path / ".git" / "info").mkdir(exist_ok=True)
    (tmp_path / ".git" / "info" / "attributes").write_text("*.py filter=a=b diff=ab\n")
    hook = tmp_path / "hooks" / "post-index-change"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\n{command}\n")
    hook.chmod(0o755)
    repository("config", key, str(hook.parent) if what == "hook" else command)
    (tmp_path / "code.py").write_text("x = 2\n")
    tags, diff = git.state(tmp_path)
    assert tags["recexp.git_dirty"] == "true" and "+x = 2" in diff
    assert not ran.exists()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("postgresql+nodriver://me:S3@h/runs", "postgresql+nodriver://***@h/runs cannot be used"),
        ("mysql:h", "mysql:h is not a store that can be used"),
        ("https://[::1", "is not a valid address"),
        ("http://127.0.0.1:9", "no server answers at http://127.0.0.1:9"),
    ],
)
def test_a_store_that_cannot_be_read_is_told_in_a_line(uri: str, message: str) -> None:
    with pytest.raises(StoreError, match=r"^tracking\.uri: ") as told:
        Archive(uri)
    assert message in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("driver", ["psycopg2", "nodriver"])
def test_a_database_without_its_driver_is_refused_before_mlflow_starts(driver: str, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(StoreError, match=r"^tracking\.uri: postgresql\+\w+://\*\*\*@h/d .*" + driver) as told:
        store_uri.check(f"postgresql+{driver}://me:S3@h/d", None)
    assert "\n" not in str(told.value)


def test_a_driver_that_is_not_installed_is_named() -> None:
    error = store_errors.explain(
        ModuleNotFoundError("No module named 'psycopg'", name="psycopg"), "postgresql://me:S3@h/d"
    )
    assert str(error).startswith(
        "tracking.uri: postgresql://***@h/d needs the Python module psycopg, which is not inst"
    )
    assert error.exit_code == 2


def test_long_words_are_masked_in_time_that_grows_with_their_length() -> None:
    began = time.process_time()
    mask_source("a" * 30_000 + "\n" + "password='" * 3_000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("address", "shown"),
    {
        "http://me:S3CRET/x@127.0.0.1:1": "http://***@127.0.0.1:1",
        "postgresql://me:S3@CRET@db/runs": "postgresql://***@db/runs",
        "mysql://me:S3 CRET@db/runs": "mysql://***@db/runs",
        "http://S3CRET@db": "http://***@db",
        "http://db/runs?user=a&password=S3CRET": "http://db/runs?user=a&password=***",
        "https://x.example.org/c?sig=S3CRET&se=1": "https://x.example.org/c?sig=***&se=1",
        "no server at http://h:5000/a, ask me@b.org": "no server at http://h:5000/a, ask me@b.org",
        "postgresql:me:S3CRET@db/runs": "postgresql:***@db/runs",
        "mssql:///?odbc_connect=UID%3Dme%3BPWD%3DS3CRET": "mssql:///?odbc_connect=UID%3Dme%3BPWD%3D***",
        "https://example.org/@somebody": "https://example.org/@somebody",
        "sqlite:////tmp/a@b.db": "sqlite:////tmp/a@b.db",
    }.items(),
)
def test_credentials_of_addresses_are_masked(address: str, shown: str) -> None:
    assert mask(address) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    {
        '+db_password = "S3CRET"': '+db_password = "***"',
        "+config['api_key'] = 'S3CRET'": "+config['api_key'] = '***'",
        "+  token: S3CRET": "+  token: ***",
        "+db_pass = 'S3CRET'": "+db_pass = '***'",
        '+password = """S3CRET"""': '+password = """***"""',
        "+PASSWORD = (\n+    'S3CRET'\n+)": "+PASSWORD = (\n+    '***'\n+)",
        "+password: |\n+  S3CRET\n+x: 1": "+password: ***\n+x: 1",
        "+tokens:\n+  - S3CRET\n+x: 1": "+tokens: ***\n+x: 1",
        "+os.getenv('DB_PASSWORD', 'S3CRET')": "+os.getenv('DB_PASSWORD', '***')",
        "+dsn = 'host=x password=S3CRET dbname=y'": "+dsn = 'host=x password=*** dbname=y'",
        "+dsn = 'Server=x;Pwd=S3CRET;Uid=y'": "+dsn = 'Server=x;Pwd=***;Uid=y'",
        "+run: load --token S3CRET -x": "+run: load --token *** -x",
        "+h = {'Authorization': 'Bearer S3CRET'}": "+h = {'Authorization': 'Bearer ***'}",
        "+k = 'sk_live_S3CRETS3CRETS3CRET'": "+k = '***'",
        "+u = 'https://hooks.slack.com/services/S3CRET'": "+u = 'https://hooks.slack.com/services/***'",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nS3\n-----END": "-----BEGIN PGP PRIVATE KEY BLOCK----- *** -----END",
        "+(1)\n S3CRET\n+S3C=\n -----END RSA PRIVATE KEY-----": "+(1)\n***\n -----END RSA PRIVATE KEY-----",
        "+password = 'S3' 'CRET'\n+x = 'y'": "+password = '***'\n+x = 'y'",
        "+password = (\n+    'S3'\n+    f'CRET'\n+)": "+password = (\n+    '***'\n+)",
        "+password = 'S3' + \"CRET\"": "+password = '***'",
        "+os.getenv('DB_PASSWORD', 'S3' 'CRET')": "+os.getenv('DB_PASSWORD', '***')",
        "+{'password': 'S3CRET',\n+'user': 'x'}": "+{'password': '***',\n+'user': 'x'}",
        "+f(token=token, n=1)": "+f(token=token, n=1)",
        '+columns = ["token", "item"]': '+columns = ["token", "item"]',
        "+aws = AKIAABCDEFGHIJKLMNOP": "+aws = ***",
        "+x = 'ghp_0123456789abcdefghij'": "+x = '***'",
        "+uri: postgresql://me:S3CRET@db/runs": "+uri: postgresql://***@db/runs",
        "+token = tokenizer.next()": "+token = tokenizer.next()",
        "+    tokens: ${oc.env:TOKENS}": "+    tokens: ${oc.env:TOKENS}",
    }.items(),
)
def test_keys_in_code_and_yaml_are_masked(line: str, shown: str) -> None:
    assert git.as_kept(f" a = 1\n{line}\n") == f" a = 1\n{shown}\n"


def test_requirements_are_what_is_installed() -> None:
    from importlib.metadata import version

    shallow, deep = requirements(deep=False), requirements(deep=True)
    assert {f"recexp=={version('recexp')}", f"numpy=={version('numpy')}", f"mlflow=={version('mlflow')}"} <= set(
        shallow
    )
    assert set(shallow) < set(deep) and f"sqlalchemy=={version('sqlalchemy')}" in deep


def test_data_sets_that_two_processes_log_at_once_are_no_failure() -> None:
    from mlflow.exceptions import MlflowException

    from recexp.tracking.inputs import log_inputs

    class Colliding:
        def __init__(self, *problems: str) -> None:
            self.problems, self.calls = [*problems], 0

        def log_inputs(self, run_id: str, datasets: list) -> None:
            self.calls += 1
            if self.problems:
                raise MlflowException(self.problems.pop(0))

    late = Colliding("(sqlite3.IntegrityError) UNIQUE constraint failed: datasets.name")
    log_inputs(late, "id", [])
    assert late.calls == 2
    gone = Colliding("the run is gone")
    with pytest.raises(MlflowException, match="gone"):
        log_inputs(gone, "id", [])
    assert gone.calls == 1
