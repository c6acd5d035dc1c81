"""Reads many runs directly from the tables of an SQLite store, which is seconds faster than through MLflow."""

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

_NAMED = """
select run_uuid, coalesce(name, ''), experiment_id, start_time, status, coalesce(artifact_uri, '') from runs
where lifecycle_stage = 'active' and """
_RUNS = f"""{_NAMED}experiment_id in ({{experiments}}) and run_uuid in ({{tagged}})
order by start_time, run_uuid
"""
_BEGIN = "substr(run_uuid, 1, length(?)) = ?"
_BEGIN_TAGGED = "run_uuid in (select run_uuid from tags where key = '{tag}' and substr(value, 1, length(?)) = ?)"
_MODEL = """
select artifact_location from logged_models where source_run_id = ? and lifecycle_stage = 'active'
order by creation_timestamp_ms limit 1
"""
_COLUMNS = ("value from tags", "value from params", "case when is_nan then null else value end from latest_metrics")
_FEW = 100
"""Runs that are asked for by their ids; of more all rows are read."""
_TAGGED = "select run_uuid from tags where key = ? and value = ?"


def readable(file: Path) -> bool:
    """Whether a store's tables are those of the installed MLflow; if not, MLflow raises the error."""
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
        return _stored(database, database.execute(query, words).fetchall())


def named(file: Path, run_id: str, tag: str) -> list[StoredRun]:
    """Return two runs at most whose id, or else the value of whose tag, begins with `run_id`. Raises sqlite3.Error."""
    with closing(sqlite3.connect(file)) as database:
        for begin in (_BEGIN, _BEGIN_TAGGED.format(tag=tag)):
            if rows := database.execute(f"{_NAMED}{begin} limit 2", (run_id, run_id)).fetchall():
                return _stored(database, rows)
    return []


def model_folder(file: Path, run_id: str) -> str | None:
    """Return the address of the model that a run has logged. Raises sqlite3.Error."""
    with closing(sqlite3.connect(file)) as database:
        found = database.execute(_MODEL, (run_id,)).fetchone()
    return None if found is None else str(found[0])


def _stored(database: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> list[StoredRun]:
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
    few = sorted(wanted) if len(wanted) < _FEW else []
    where = f" where run_uuid in ({', '.join('?' * len(few))})" if few else ""
    for run_id, key, value in database.execute(f"select run_uuid, key, {columns}{where}", few):
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
