"""docs/mlflow_server.md: a server with artifacts, which commands find by MLFLOW_TRACKING_URI alone."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_store import SMALL

PAGE = Path(__file__).parents[2] / "docs" / "mlflow_server.md"


@pytest.fixture
def server(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server that the page starts, on a free port, in a folder of its own."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store, folder / "server.db")  # its tables take a while to make
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (line,) = re.findall(r"^mlflow (server .*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    words = shlex.split(line.replace("--port 5000", f"--port {port} --workers 1"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            cwd=folder,
            env={**os.environ, **quiet, "PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield _when_it_answers(f"http://127.0.0.1:{port}", process, folder / "log")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert any((folder / "server-files").rglob("model.json")), "files are where the server keeps them"


def _when_it_answers(address: str, process: subprocess.Popen, log: Path) -> str:
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return address
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"the server does not answer: {log.read_text()}")


def test_commands_use_the_server_and_leave_nothing_in_the_working_directory(
    server: str, page: Callable, inside: Callable, tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECEXP_CACHE", str(shared_cache))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    (tmp_path / "mlflow.db").unlink()
    said, run = [], ""
    for words in page("mlflow_server").commands:
        done = inside(*[word.replace("RUN_ID", run) for word in words], *(SMALL if words[0] == "-m" else ()))
        assert done.returncode == 0, f"{words}: {done.stderr}"
        said.append(done.stdout)
        assert (f"2 jobs; opening {server}, which takes longer the first time" in done.stderr) == (words[0] == "-m")
        run = run or inside("runs").stdout.splitlines()[1].split()[0]
    swept, compared, shown, listed = said
    assert f"leaderboard: {server}/#/experiments/" in swept
    assert "item_knn" in compared and "popularity" in compared
    assert f"run {run}" in shown and "item_knn on electronics" in shown and "lists.parquet" in shown
    assert len(listed.splitlines()) == 5
    assert inside("recommend", "--best", "recexp", "17", "-n", "5").returncode == 0
    assert [*tmp_path.iterdir()] == []
