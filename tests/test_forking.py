"""Copies of a process: what they keep of it, how they end, and the tracking process that one gets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recexp import forking
from recexp.tracking import Tracking, process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="this system copies no processes")


@pytest.fixture(autouse=True)
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process in which no network has been trained: tests beside these may have imported PyTorch."""
    process.end()  # what they left for the next store may be one that cannot be copied
    monkeypatch.delitem(sys.modules, "torch", raising=False)


def test_a_copy_has_its_own_input_and_output_and_no_other_file(tmp_path: Path) -> None:
    here = os.getpgrp()
    secret = (tmp_path / "open").open("w")

    def main() -> None:
        closed = 0
        try:
            os.fstat(secret.fileno())
        except OSError:
            closed = 1
        word = sys.stdin.readline().strip()
        print(word, closed, os.getpgrp() != here, flush=True)
        print("said", file=sys.stderr, flush=True)
        sys.exit(0) if word == "well" else os._exit(7)

    for word, code in (("well", 1), ("badly", 7)):  # to leave by an exception is no good end
        with (tmp_path / "errors").open("wb") as errors:
            one = forking.copy(main, errors=errors.fileno())
        one.stdin.write(f"{word}\n".encode())
        one.stdin.flush()
        assert one.stdout.read().decode() == f"{word} 1 True\n"
        assert one.wait(10) == code
        assert "said" in (tmp_path / "errors").read_text()
        one.let_go()
    secret.close()


def test_a_copy_that_is_killed_says_so() -> None:
    one = forking.copy(lambda: sys.stdin.readline(), errors=2)
    assert one.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        one.wait(0.01)
    one.kill()
    assert one.wait(10) == -9
    one.kill()  # which has ended already
    one.let_go()


def test_a_copy_of_the_tracking_process_begins_anew_and_ends_with_its_input(workplace: Path) -> None:
    tracking = Tracking(uri=None, artifacts=None, experiment="recexp", log_model=True, git_diff=False)
    with tracking.open() as store:
        store.ready()
    copied = process.copied()
    assert copied is not None
    one = process.TrackingProcess(copied)
    opened = {"artifacts": None, "experiment": "recexp", "folder": str(workplace)}
    assert one.ask("open", uri=f"sqlite:///{workplace / 'mlflow.db'}", **opened) == store.experiment_id
    with tracking.open() as again:
        assert again.experiment_id == store.experiment_id, "the first one goes on"
    one.close()
    assert copied.poll() == -1
