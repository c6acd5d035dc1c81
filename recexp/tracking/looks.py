"""How often the test set of a protocol has been looked at: each look makes the best of all looks less believable."""

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from recexp.tracking import place
from recexp.tracking.names import COMPLETE, search_terms

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOOKS = "recexp.test_looks"
"""The tag of a run: how many looks there had been, its own included."""
PAGE = 1000
_COUNT = """
select count(*) from runs
join tags p on p.run_uuid = runs.run_uuid and p.key = 'recexp.protocol' and p.value = ?
join tags c on c.run_uuid = runs.run_uuid and c.key = ? and c.value = 'true'
where runs.lifecycle_stage = 'active'
and exists (select 1 from latest_metrics m where m.run_uuid = runs.run_uuid and m.key like 'test%')
"""


def looks(client: "MlflowClient", uri: str, protocol: str) -> int:
    """Return how many complete runs of a protocol, in all experiments of the store, have metrics of the test."""
    file = place.sqlite_file(uri)
    if file is not None:  # to read 1,000 runs by MLflow takes seconds, to count them here a millisecond
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as connection:
            return connection.execute(_COUNT, (protocol, COMPLETE)).fetchone()[0]
    experiments = [found.experiment_id for found in client.search_experiments()]
    terms = search_terms({"recexp.protocol": protocol, COMPLETE: "true"})
    found, token = 0, None
    while True:
        page = client.search_runs(experiments, terms, max_results=PAGE, page_token=token)
        found += sum(any(name.startswith("test") for name in run.data.metrics) for run in page)
        if not (token := page.token):
            return found
