"""[--port N] [tracking.uri=...]: the MLflow UI on the results"""

import os
from collections.abc import Iterator

from recexp import config, tracking
from recexp.errors import ConfigError


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
    store = config.build(config.plain(config.compose(rest))["tracking"], tracking.Tracking, "tracking")
    command, environment = tracking.ui_command(store.uri, int(port))
    link = tracking.ui_link(store.uri, store.experiment, int(port))
    yield f"the leaderboard will be at {link} (Ctrl-C ends)"
    os.execve(command[0], command, environment)
