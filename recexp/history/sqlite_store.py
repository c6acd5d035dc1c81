"""Reading many runs from an SQLite store at once: MLflow's import and its objects take seconds, the tables do not."""

import math
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from recexp.history.stored_run import StoredRun

_RUNS = """
select run_uuid, coalesce(name, ''), experiment_id, start_time, status, coalesce(artifact_uri, '') from runs
where lifecycle_stage = 'active' and experiment_id in ({experiments}) and run_uuid in ({tagged})
order by start_time, run_uuid
"""
_COLUMNS = ("value from tags", "value from params", "case when is_nan then null else value end from latest_metrics")
_TAGGED = "select run_uuid from tags where key = ? and value = ?"


def readable(file: Path) -> bool:
    """Whether a store's tables are those of the installed MLflow; if not, MLflow says what is the matter."""
    try:
        with closing(sqlite3.connect(file)) as database:
            return database.execute("select version_num from alembic_version").fetchall() == [(_revision(),)]
    except sqlite3.Error:
        return False


def experiments(file: Path) -> dict[str, str]:
    """Return the names of the experiments by id. Raises sqlite3.Error."""
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("select experiment_id, name from experiments where lifecycle_stage = 'active'")
        return {str(experiment): name for experiment, name in rows}


def runs(file: Path, experiment_ids: Sequence[str], tags: Mapping[str, str]) -> list[StoredRun]:
    """Return the runs of experiments that carry all of `tags`, the oldest first. Raises sqlite3.Error."""
    tagged = " intersect ".join([_TAGGED] * len(tags)) or "select run_uuid from runs"
    query = _RUNS.format(experiments=", ".join("?" * len(experiment_ids)), tagged=tagged)
    words = [*map(int, experiment_ids), *(word for pair in tags.items() for word in pair)]
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute(query, words).fetchall()
        wanted = {row[0] for row in rows}
        tags_of, params_of, metrics_of = (_by_run(database, columns, wanted) for columns in _COLUMNS)
    return [
        StoredRun(
            id=run_id,
            name=name,
            experiment=str(experiment),
            started=started,
            status=status,
            tags=tags_of[run_id],
            params=params_of[run_id],
            metrics={key: math.nan if value is None else value for key, value in metrics_of[run_id].items()},
            files=files,
        )
        for run_id, name, experiment, started, status, files in rows
    ]


def _by_run(database: sqlite3.Connection, columns: str, wanted: set[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {run_id: {} for run_id in wanted}
    for run_id, key, value in database.execute(f"select run_uuid, key, {columns}"):
        if run_id in wanted:
            found[run_id][key] = value
    return found


@cache
def _revision() -> str | None:
    """Return the version of the tables that the installed MLflow makes: that of its migrations which none follows."""
    spec = find_spec("mlflow")
    folder = Path(str(spec and spec.origin)).parent / "store" / "db_migrations" / "versions"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    made, followed = (
        {found[1] for text in texts if (found := re.search(rf"^{name} = [\"'](\w+)[\"']", text, re.MULTILINE))}
        for name in ("revision", "down_revision")
    )
    last = made - followed
    return last.pop() if len(last) == 1 else None
