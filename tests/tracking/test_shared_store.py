"""Stores in folders of any name, for several people, held by other programs; what killed processes leave."""

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from recexp import scratch
from recexp.errors import StoreError
from recexp.history import importing, transfer
from recexp.history.archive import Archive
from recexp.tracking import client, process, store_uri
from recexp.tracking import empty_store as copies
from recexp.tracking.patience import PatientClient
from recexp.tracking.tags import IMPORTED, IMPORTING

PRELUDE = """
import logging, os, sys
from pathlib import Path
from recexp.tracking import Input, Tracking
logging.basicConfig(format="%(message)s")
tracking = Tracking(uri=None, artifacts=None, experiment="recexp", log_model=True, git_diff=True)
with tracking.open() as store, store.run(name="toy", tags={"seed": "3"}) as run:
    run.log_step(1, {"loss": 0.5})
    (run.directory / "a.txt").write_text("kept")
    (run.directory / "metrics.csv").write_text("metric,value,low,high\\ntest/ndcg_at_10,0.5,,\\n")
    store.ready(), run.id
    print("computed", flush=True)
    sys.stdin.readline()
    run.finish(metrics={"test/ndcg_at_10": 0.5}, params={"a": 1}, description=lambda n: f"looks: {n}", test="t",
               inputs=[Input("train", "toy", "f" * 64, "/toy.csv")], model_folder=None)
"""


@pytest.mark.parametrize("name", ["a?b", "p%20q", "100%", "%3F", "ü#&+ b"])
def test_a_store_is_the_file_of_that_name(tmp_path: Path, empty_store: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    uri = store_uri.resolve(str(folder / "mlflow.db"))
    assert store_uri.resolve(uri) == uri
    assert store_uri.sqlite_file(uri) == folder / "mlflow.db"
    mlflow = client.connect(uri)
    mlflow.create_experiment("here")
    assert {found.name for found in Archive(uri).client.search_experiments()} >= {"here"}
    rows = sqlite3.connect(folder / "mlflow.db").execute("select name from experiments where name = 'here'")
    assert rows.fetchall() == [("here",)]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_address_with_options_is_refused() -> None:
    with pytest.raises(StoreError, match=r"tracking.uri: sqlite:///a\?b.db: .* write a \? in the path as %3F"):
        store_uri.resolve("sqlite:///a?b.db")
    assert store_uri.sqlite_file(store_uri.resolve("sqlite:////a%3Fb.db")) == Path("/a?b.db")


def test_a_new_store_is_a_copy_of_an_empty_one_and_a_damaged_one_costs_time_alone(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECEXP_CACHE", str(tmp_path / "cache"))
    made = []

    def make(file: Path) -> None:
        made.append(file)
        shutil.copy(empty_store, file)

    def new(name: str) -> sqlite3.Connection:
        (tmp_path / name).touch()
        copies.write(tmp_path / name, make)
        return sqlite3.connect(tmp_path / name)

    assert new("first.db").execute("select count(*) from experiments").fetchone() == (1,)
    assert new("second.db").execute("select count(*) from experiments").fetchone() == (0,), "it names another folder"
    assert len(made) == 1
    (kept,) = (tmp_path / "cache" / "stores").iterdir()
    kept.write_bytes(kept.read_bytes()[:5000])
    new("third.db").execute("select * from alembic_version").fetchone()
    assert len(made) == 2
    assert len([*(tmp_path / "cache" / "stores").iterdir()]) == 1


def test_a_store_and_its_folders_are_for_the_group_where_the_umask_says_so(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "write", lambda file, make: None)
    before = os.umask(0o002)
    try:
        client._create(tmp_path / "mlflow.db")
    finally:
        os.umask(before)
    assert (tmp_path / "mlflow.db").stat().st_mode & 0o777 == 0o664


def test_scratch_of_dead_processes_is_removed_once_it_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "import os; from recexp import scratch; (scratch.make() / 'list').touch(); os._exit(9)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)})
    held = scratch.make()
    (fresh,) = {*tmp_path.iterdir()} - {held.parent}
    scratch._remove_old.cache_clear()
    scratch.remove(scratch.make())
    assert {*tmp_path.iterdir()} == {held.parent, fresh}
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    scratch._remove_old.cache_clear()
    with scratch.folder() as folder:
        assert {*tmp_path.iterdir()} == {held.parent, folder.parent}
    scratch.remove(held)
    assert not [*tmp_path.iterdir()]


@pytest.fixture
def computed(workplace: Path) -> subprocess.Popen[str]:
    """A process whose run is computed and waits to be written, while another program holds the store."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE],
        cwd=workplace,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == "computed\n"
    return process


def test_what_is_written_waits_while_another_program_holds_the_store(caplog: pytest.LogCaptureFixture) -> None:
    class Held:
        tries = 0

        def set_tag(self, run: str, key: str) -> str:
            self.tries += 1
            if self.tries < 3:
                raise sqlite3.OperationalError("database is locked")
            if key == "wrong":
                raise ValueError(key)
            return f"{run} {key}"

    told: list[None] = []
    patient = PatientClient(Held(), lambda: told.append(None))
    assert patient.set_tag("1", key="a") == "1 a"
    assert len(told) == 2
    with pytest.raises(ValueError, match="wrong"):
        patient.set_tag("1", key="wrong")

    now = time.time()
    lines = [{"waiting": now - 60}, {"waiting": now}, {"waiting": now}, {"ok": 7}]
    one = process.TrackingProcess.__new__(process.TrackingProcess)
    one._answers = io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    answer: Future[int] = Future()
    one._pending = deque([answer])
    assert one.result(answer) == 7
    assert not one.waiting
    assert caplog.messages == ["another program has locked the store; waiting, 0 s so far"], "each minute"


def test_an_interrupt_meanwhile_leaves_a_file_that_is_imported(
    computed: subprocess.Popen[str], workplace: Path, runs: Callable, inside: Callable
) -> None:
    holder = sqlite3.connect(workplace / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    computed.stdin.write("\n")
    computed.stdin.flush()
    time.sleep(0.5)  # before it has said anything
    computed.send_signal(signal.SIGINT)
    _, said = computed.communicate(timeout=120)
    (file,) = workplace.glob("recexp-run-*.zip")
    command = f"recexp import {file} tracking.uri={store_uri.resolve(None)}"
    assert f"interrupted: run it again with resume=true; or import it from its file with: {command}" in said
    holder.execute("ROLLBACK")
    done = inside(*command.split()[1:])
    assert done.returncode == 0, done.stderr
    (imported,) = [run for run in runs() if run.info.status == "FINISHED"]
    assert {run.info.status for run in runs()} == {"FINISHED", "KILLED"}
    assert imported.data.metrics == {"test/ndcg_at_10": 0.5, "training/loss": 0.5}
    assert imported.data.params == {"a": "1"}
    assert imported.data.tags["seed"] == "3"
    assert (Path(imported.info.artifact_uri.removeprefix("file://")) / "a.txt").read_text() == "kept"
    assert inside(*command.split()[1:]).stdout.rstrip().endswith(f"{imported.data.tags[IMPORTED]}")


@pytest.fixture
def parcel(workplace: Path) -> transfer.Parcel:
    """A run as it comes from elsewhere."""
    (workplace / "came" / "files").mkdir(parents=True)
    (workplace / "came" / "files" / "a.txt").write_text("a")
    record = {"id": "0af1", "name": "n", "started": 1, "ended": 2, "tags": {}, "params": {}, "view": None}
    return transfer.Parcel(workplace / "came", {**record, "metrics": {}, "inputs": []})


def test_killed_imports_of_this_and_other_runs_are_removed_by_the_next(
    workplace: Path, runs: Callable, parcel: transfer.Parcel
) -> None:
    archive = Archive(None)
    experiment = archive.client.create_experiment("recexp", artifact_location=(workplace / "files").as_uri())
    for origin in ("0af1", "77ee"):
        with importing.claimed(archive, origin) as tags:
            left = archive.client.create_run(experiment, tags=tags)
            archive.client.log_text(left.info.run_id, "half", "half.txt")
    with importing.claimed(archive, "b0b0") as tags:  # one that is being imported
        living = archive.client.create_run(experiment, tags=tags)
        run_id, new = transfer.restore(archive, parcel, experiment)
        found = {run.info.run_id: run.info.status for run in runs()}
        assert new and found == {run_id: "FINISHED", living.info.run_id: "RUNNING"}
    assert IMPORTING not in archive.client.get_run(run_id).data.tags
    assert {path.name for path in (workplace / "files").rglob("*.txt")} == {"a.txt"}


def test_a_failed_import_leaves_nothing(workplace: Path, runs: Callable, parcel: transfer.Parcel) -> None:
    archive = Archive(None)
    experiment = archive.client.create_experiment("recexp", artifact_location=(workplace / "files").as_uri())
    parcel.record["metrics"] = {"m": [["no number", 1, 1]]}
    with pytest.raises(Exception, match="damaged"):
        transfer.restore(archive, parcel, experiment)
    assert runs() == []
    assert not [path for path in (workplace / "files").rglob("*") if path.is_file()]
