"""The data sets of a run, as MLflow notes them."""

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

COLLISIONS = 5
"""How often in a row two processes may collide over a data set: once a data set, if that."""


def log_inputs(mlflow: "MlflowClient", run_id: str, datasets: "list[DatasetInput]") -> None:
    """Log the data sets of a run, again where another process was the first to log one of them at the same moment.

    MLflow looks whether a data set is there and then inserts it: of two that do so at once, the later one fails.
    """
    from mlflow.exceptions import MlflowException

    for attempt in range(COLLISIONS + 1):
        try:
            return mlflow.log_inputs(run_id, datasets=datasets)
        except MlflowException as error:
            if attempt == COLLISIONS or not re.search("unique|duplicate", str(error), re.IGNORECASE):
                raise


def entity(item: dict[str, str]) -> "DatasetInput":
    """Return what MLflow notes of a data set: its name, digest, source and context."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    name, digest, where = item["name"][:500], item["digest"][:32], item["source"]
    web = where.startswith(("http://", "https://"))
    dataset = Dataset(name, digest, "http" if web else "local", json.dumps({"url" if web else "uri": where}))
    return DatasetInput(dataset, tags=[InputTag("mlflow.data.context", item["context"])])
