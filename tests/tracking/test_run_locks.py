"""Who is at which run, told by locks in files."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_store import SMALL

import recexp as library
from recexp.errors import StoreError
from recexp.history.archive import Archive
from recexp.tracking.run_locks import RunLocks

SERVER = "http://127.0.0.1:5000"
IDENTITY = "ab" * 32
HOLD = """
import sys
from recexp.tracking.run_locks import RunLocks
locks = RunLocks(sys.argv[1])
print(locks.hold("ab" * 32, alone=sys.argv[2] == "alone", wait=False), flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(uri: str, how: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that tries to hold the identity, and what came of it; it stays until it is killed."""
    command = [sys.executable, "-c", HOLD, uri, how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("uri", [SERVER, f"{SERVER}/"])
def test_processes_of_a_machine_share_the_locks_of_a_server(own_cache: Path, uri: str) -> None:
    mine = RunLocks(SERVER)
    assert mine.hold(IDENTITY, alone=True, wait=False)
    assert list((own_cache / "locks").iterdir()) != []
    with another_process(uri, "alone") as (_, held):
        assert held == "False"
    mine.release()


@pytest.mark.parametrize(
    ("first", "then", "held"),
    [("shared", "shared", True), ("shared", "alone", False), ("alone", "shared", False), ("alone", "alone", False)],
)
def test_only_those_who_want_it_alone_exclude_others(tmp_path: Path, first: str, then: str, held: bool) -> None:
    mine, other = (RunLocks(f"sqlite:///{tmp_path / 'mlflow.db'}") for _ in range(2))
    assert mine.hold(IDENTITY, alone=first == "alone", wait=False)
    assert other.hold(IDENTITY, alone=then == "alone", wait=False) is held
    assert other.hold("cd" * 32, alone=True, wait=False), "another identity"
    mine.release()
    assert other.hold(IDENTITY, alone=True, wait=False)


def test_a_process_that_is_killed_frees_its_lock_and_no_file_stays(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mine = RunLocks(uri)
    with another_process(uri, "shared") as (process, held):
        assert held == "True" and not mine.hold(IDENTITY, alone=True, wait=False)
        process.kill()
        process.wait()
        assert mine.hold(IDENTITY, alone=True, wait=False)
    mine.release()
    assert [path.name for path in (tmp_path / "mlflow.db.locks").iterdir()] == ["gate.lock"]


def test_who_waits_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with another_process(uri, "alone") as (process, _):
        threading.Timer(0.3, process.kill).start()
        began = time.monotonic()
        assert RunLocks(uri).hold(IDENTITY, alone=False, wait=True)
        assert time.monotonic() - began >= 0.25


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECEXP_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match=r"file/locks/\w+ cannot be locked: .*; runs need this lock"):
        RunLocks(SERVER).hold(IDENTITY, alone=True, wait=False)


def test_what_runs_on_another_machine_is_not_taken_for_dead(workplace: Path) -> None:
    words = (*SMALL, "algorithm=popularity", "tracking.log_model=false")
    first = library.run(*words)
    archive = Archive(None)
    run = archive.run(first.run_id)
    archive.client.delete_tag(run.id, "recexp.complete")
    there = {"recexp.config": run.tags["recexp.config"], "recexp.host": "elsewhere"}
    running = archive.client.create_run(run.experiment, tags=there).info.run_id
    library.run(*words, "resume=true")
    assert (archive.run(run.id).status, archive.run(running).status) == ("KILLED", "RUNNING")
