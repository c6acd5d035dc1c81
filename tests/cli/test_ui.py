"""`recexp ui` serves the store of the working directory."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from small_store import SMALL

import recexp as library


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_ui_serves_the_runs_and_says_where(workplace: Path) -> None:
    outcome = library.run(*SMALL, "algorithm=popularity")
    port = free_port()
    with open("said.txt", "w") as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "recexp", "ui", f"--port={port}"],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    try:
        assert server.stdout.readline() == "starting the MLflow server, which takes a few seconds\n"
        first = server.stdout.readline()
        assert re.search(rf"http://127.0.0.1:{port}/#/experiments/\d+/runs\?viewStateShareKey=recexp", first), first
        address = f"http://127.0.0.1:{port}/api/2.0/mlflow/runs/get?run_id={outcome.run_id}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert "recexp.complete" in answer.read().decode(), "it answers by the time the link is given"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    with server.stdout:
        told = Path("said.txt").read_text() + server.stdout.read()
    for noise in ("Warning", "not provided", "GET /"):
        assert noise not in told
