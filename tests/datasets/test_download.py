"""Downloads arrive whole and verified, or leave nothing; a local server plays the site."""

import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import recexp
from recexp.datasets.download import exclusive, fetch
from recexp.errors import DataError

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Site(http.server.BaseHTTPRequestHandler):
    """/whole sends all, /short half of what it promised, /slow never the end, all else is missing."""

    requests: list[str]

    def do_GET(self) -> None:
        type(self).requests.append(self.path)
        if self.path not in ("/whole", "/short", "/slow"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[: len(CONTENT) // 2])
        self.wfile.flush()
        if self.path == "/slow":
            time.sleep(4)

    def log_message(self, format: str, *args: object) -> None:
        """Be silent."""


@pytest.fixture
def site() -> Iterator[str]:
    Site.requests = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")]


def get(url: str, target: Path, sha256: str = SHA256) -> None:
    with exclusive(target):
        fetch(url, target, sha256=sha256)


def test_what_arrives_whole_is_kept(site: str, tmp_path: Path) -> None:
    get(f"{site}/whole", tmp_path / "new" / "a.zip")
    assert (tmp_path / "new" / "a.zip").read_bytes() == CONTENT and left(tmp_path) == ["a.zip"]


@pytest.mark.parametrize(
    ("path", "sha256", "message"),
    [
        ("whole", "0" * 64, f"the file has sha256 {SHA256}, expected 0000"),
        ("short", SHA256, f"the connection closed after {len(CONTENT) // 2} of {len(CONTENT)} bytes"),
        ("gone", SHA256, "404"),
    ],
)
def test_what_does_not_leaves_nothing(site: str, tmp_path: Path, path: str, sha256: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        get(f"{site}/{path}", tmp_path / "a.zip", sha256)
    assert left(tmp_path) == []


def test_a_site_that_nobody_answers_for_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be downloaded"):
        get("http://127.0.0.1:9/a.zip", tmp_path / "a.zip")


CODE = """
import sys
from pathlib import Path
from recexp.datasets.download import exclusive, fetch
target = Path(sys.argv[2])
with exclusive(target):
    if not target.exists():
        fetch(sys.argv[1], target, sha256=sys.argv[3])
"""


def start(url: str, target: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", CODE, url, str(target), SHA256])


def test_a_kill_leaves_nothing_and_does_not_block_the_next(site: str, tmp_path: Path) -> None:
    process = start(f"{site}/slow", tmp_path / "a.zip")
    deadline = time.monotonic() + 20
    while not Site.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # within the transfer
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and left(tmp_path) == []
    (tmp_path / ".a.zip.x.part").write_bytes(b"of a process killed while it moved the file")
    get(f"{site}/whole", tmp_path / "a.zip")
    assert left(tmp_path) == ["a.zip"]


def test_of_two_processes_one_downloads(site: str, tmp_path: Path) -> None:
    processes = [start(f"{site}/whole", tmp_path / "a.zip") for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert Site.requests == ["/whole"] and (tmp_path / "a.zip").read_bytes() == CONTENT


def test_no_data_set_without_its_download(site: str, cache: Path) -> None:
    source = recexp.make("dataset=movielens_1m", f"dataset.url={site}/whole")
    source.check()
    assert Site.requests == [] and source.location() is None
    with pytest.raises(DataError, match="expected a6898adb"):
        source.load()
    assert left(cache) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot write .*RECEXP_CACHE"):
        get("http://127.0.0.1:9/a.zip", tmp_path / "file" / "a.zip")
