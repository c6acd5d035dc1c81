"""Who is at which run, told by locks in files."""

import subprocess
import sys
from pathlib import Path

import pytest

import recexp as library
from recexp.errors import StoreError
from recexp.history.archive import Archive
from recexp.tracking.run_locks import Claims

SERVER = "http://127.0.0.1:5000"
HOLD = """
import sys
from recexp.tracking.run_locks import Claims
claims = Claims(sys.argv[1])
print(claims.hold("ab" * 32, alone=True, wait=False), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("uri", [SERVER, f"{SERVER}/"])
def test_processes_of_a_machine_share_the_claims_on_a_server(own_cache: Path, uri: str) -> None:
    mine = Claims(SERVER)
    assert mine.hold("ab" * 32, alone=True, wait=False)
    assert list((own_cache / "claims").iterdir()) != []
    done = subprocess.run(
        [sys.executable, "-c", HOLD, uri], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True
    )
    assert done.stdout == "False\n"
    mine.close()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECEXP_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match=r"file/claims/\w+\.claims cannot be locked: .*; runs are claimed by it"):
        Claims(SERVER).hold("ab" * 32, alone=True, wait=False)


def test_what_runs_on_another_machine_is_not_taken_for_dead(workplace: Path) -> None:
    words = ("dataset=electronics", "algorithm=popularity", "tracking.log_model=false")
    first = library.run(*words)
    archive = Archive(None)
    run = archive.run(first.run_id)
    archive.client.delete_tag(run.id, "recexp.complete")
    there = {"recexp.config": run.tags["recexp.config"], "recexp.host": "elsewhere"}
    running = archive.client.create_run(run.experiment, tags=there).info.run_id
    library.run(*words, "resume=true")
    assert (archive.run(run.id).status, archive.run(running).status) == ("KILLED", "RUNNING")
