"""[--port N] [--open] [tracking.uri=...]: open the results in the MLflow UI"""

import socket
import subprocess
import time
import webbrowser
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing

from recexp import config, system
from recexp.cli.parsing import STORE, Parser
from recexp.config.building import build
from recexp.errors import ConfigError, StoreError

POLL_SECONDS = 0.1


def parser() -> Parser:
    """Return what reads the command's words."""
    parser = Parser(
        "ui",
        __doc__,
        example="recexp ui --port 5001",
        overrides={
            **STORE,
            "tracking.experiment=NAME": "experiment that the link opens; default: recexp",
        },
    )
    parser.add_argument(
        "--port", type=_port, default=5000, metavar="N", help="port of the server; default: %(default)s"
    )
    parser.add_argument("--open", action="store_true", help="open the leaderboard in the browser")
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Serve the store, and give the leaderboard's link as soon as the server answers."""
    from recexp import tracking
    from recexp.tracking import store_uri

    port = given.port
    store = build(config.plain(config.compose(given.overrides))["tracking"], tracking.Tracking, "tracking")
    store_uri.check(store_uri.resolve(store.uri), store.artifacts)
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise StoreError(f"port {port} cannot be used ({error}); choose another with recexp ui --port N") from error
    file = store_uri.sqlite_file(store_uri.resolve(store.uri))
    if file is not None and not file.exists():
        raise StoreError(f"there are no runs yet: {file} does not exist; run recexp first, or set tracking.uri=...")
    command, environment = tracking.ui_command(store.uri, port)
    link = tracking.ui_link(store.uri, store.experiment, port)
    yield "starting the MLflow server, which takes a few seconds"
    restore = system.exit_on_sigterm()
    server = subprocess.Popen(command, env=environment)
    try:
        _wait(server, port)
        yield f"the leaderboard is at {link} (Ctrl-C ends)"
        if given.open:
            webbrowser.open(link)
        server.wait()
    finally:
        server.terminate()
        server.wait()
        restore()


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the server answers; raises StoreError when it has ended instead."""
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(POLL_SECONDS)
    raise StoreError(f"the MLflow server ended with exit code {server.returncode}; see its output above")


def _port(given: str) -> int:
    if not given.isdigit():
        raise ConfigError(f"--port: must be a number (got {given!r})")
    return int(given)
