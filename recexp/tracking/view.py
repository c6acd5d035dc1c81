"""What a person sees first in the MLflow UI: the links, the sorted leaderboard, the server's command."""

import json
import os
import shlex
import sqlite3
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from recexp import system
from recexp.metric_names import headlines, is_final
from recexp.tracking import store_uri
from recexp.tracking.chart_view import chart_state

VIEW = "recexp"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
_METRICS = 4
"""As many as fit beside the names of runs."""
_NAME, _CREATED, _DURATION = "attributes.`Run Name`", "runDateAndNestInfo", "duration"
"""Columns that the UI has anyway."""
_WIDTHS = {_NAME: 270, _CREATED: 130}
"""Pixels, in which a run's name can be read to its end."""
_LETTER, _BESIDE, _CHOSEN = 7, 20, 120
"""Pixels of a letter in a metric's head, beside its name, and of a column with the name of what was chosen."""
_IMPORTING = "ignore::UserWarning:mlflow.server.fastapi_app"
"""What MLflow's server warns of as it is imported: that a part of Starlette will go."""


def base_link(uri: str, port: int = 5000) -> str:
    """Return the address of a store's UI: the server itself (without credentials), else where `recexp ui` listens."""
    if not uri.startswith("http"):
        return f"http://127.0.0.1:{port}"
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")).rstrip("/")


def leaderboard_link(uri: str, experiment_id: str, port: int = 5000) -> str:
    """Return the link to all runs, the best first, with the columns that matter."""
    query = f"viewStateShareKey={VIEW}&workflowType=machine_learning"
    return f"{base_link(uri, port)}/#/experiments/{experiment_id}/runs?{query}"


def ui_link(uri: str | None, experiment: str, port: int) -> str:
    """Return the link to an experiment's leaderboard in the UI that `ui_command` starts, or to all experiments."""
    uri = store_uri.resolve(uri)
    file = store_uri.sqlite_file(uri)
    if file is not None and file.is_file():
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as connection:
            query = "select experiment_id from experiments where name = ?"
            for (experiment_id,) in connection.execute(query, (experiment,)):
                return leaderboard_link(uri, str(experiment_id), port)
    return f"{base_link(uri, port)}/#/experiments?workflowType=machine_learning"


def run_link(uri: str, experiment_id: str, run_id: str) -> str:
    """Return the link to one run's page."""
    return f"{base_link(uri)}/#/experiments/{experiment_id}/runs/{run_id}?workflowType=machine_learning"


def view_state(metrics: Mapping[str, float], final: str, tags: Iterable[str], *, higher_is_better: bool) -> str | None:
    """Return the UI's state of a table sorted by the headline metric, with columns for what was run and how well, and
    of charts in the order of what matters.

    `tags` are those that say what was run. None where no metric is of the final part.
    """
    shown = headlines((name for name in metrics if is_final(name, final)), final)[:_METRICS]
    if not shown:
        return None
    results = {f"metrics.`{name}`": _LETTER * len(name) + _BESIDE for name in shown}
    chosen = {f"tags.`{tag}`": _CHOSEN for tag in tags}
    columns = [*results, *chosen, "params.`seed`"]
    table = {
        "selectedColumns": columns,
        "columnOrder": [_NAME, _CREATED, *columns, _DURATION],
        "columnWidths": {**_WIDTHS, **results, **chosen},
        "orderByKey": next(iter(results)),
        "orderByAsc": not higher_is_better,
    }
    return json.dumps({**table, **chart_state(metrics, final)})


def ui_command(uri: str | None, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command of the MLflow UI on a store, for this machine only, and its environment."""
    uri = store_uri.resolve(uri)
    command = [
        *system.PYTHON,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        store_uri.for_mlflow(uri),
        "--registry-store-uri",
        store_uri.for_mlflow(uri),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
        "--uvicorn-opts",
        f"--log-level warning --no-access-log --app-dir {shlex.quote(sysconfig.get_path('stdlib'))}",
    ]
    file = store_uri.sqlite_file(uri)
    if file is not None:
        command += ["--default-artifact-root", store_uri.artifacts_of(file).as_uri()]
    bin_folder = str(Path(sys.executable).parent)  # the server starts `uvicorn` from the path
    path = os.pathsep.join([bin_folder, os.environ.get("PATH", "")])
    safe = {"PYTHONSAFEPATH": "1"}  # neither the server nor uvicorn looks for modules in the working directory
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    warnings = ",".join(filter(None, [_IMPORTING, os.environ.get("PYTHONWARNINGS")]))
    return command, {**os.environ, **safe, **quiet, "PYTHONWARNINGS": warnings, "PATH": path}
