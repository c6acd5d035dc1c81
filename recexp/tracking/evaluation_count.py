"""How many runs have evaluated a test set: each makes the best of all less believable."""

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from recexp.tracking import store_uri
from recexp.tracking.client import search_runs
from recexp.tracking.tags import EVALUATIONS, TEST

if TYPE_CHECKING:
    from mlflow import MlflowClient

_COUNT = """
select count(*) from tags t join tags l on l.run_uuid = t.run_uuid
where t.key = ? and t.value = ? and l.key = ?
"""


def count_evaluations(client: "MlflowClient", uri: str, test: str) -> int:
    """Return how many runs of the store have evaluated a test set (a digest), also deleted ones until `mlflow gc`."""
    file = store_uri.sqlite_file(uri)
    if file is not None:  # to read 1,000 runs by MLflow takes seconds, to count them here a millisecond
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as connection:
            return int(connection.execute(_COUNT, (TEST, test, EVALUATIONS)).fetchone()[0])
    from mlflow.entities import ViewType

    experiments = [experiment.experiment_id for experiment in client.search_experiments(view_type=ViewType.ALL)]
    found = search_runs(client, experiments, {TEST: test}, deleted=True)
    return sum(EVALUATIONS in run.data.tags for run in found)
