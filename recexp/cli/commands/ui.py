"""[--port N] [tracking.uri=...]: the MLflow UI on the results"""

import os
import socket
from collections.abc import Iterator
from contextlib import closing

from recexp import config, tracking
from recexp.config.building import build
from recexp.errors import ConfigError, StoreError
from recexp.tracking import place


def run(arguments: list[str]) -> Iterator[str]:
    """Become the MLflow server of the store, after giving the leaderboard's link."""
    port, rest = "5000", []
    given = iter(arguments)
    for argument in given:
        if argument == "--port":
            port = next(given, "")
        else:
            rest.append(argument)
    if not port.isdigit():
        raise ConfigError(f"--port: must be a number (got {port!r})")
    store = build(config.plain(config.compose(rest))["tracking"], tracking.Tracking, "tracking")
    place.check(place.resolve(store.uri), store.artifacts)
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except (OSError, OverflowError) as error:
            raise StoreError(f"port {port} cannot be used ({error}); choose another with recexp ui --port N") from error
    file = place.sqlite_file(place.resolve(store.uri))
    if file is not None and not file.exists():
        raise StoreError(f"there are no runs yet: {file} does not exist; run recexp first, or name tracking.uri=...")
    command, environment = tracking.ui_command(store.uri, int(port))
    link = tracking.ui_link(store.uri, store.experiment, int(port))
    yield f"the leaderboard will be at {link} (Ctrl-C ends)"
    os.execve(command[0], command, environment)
