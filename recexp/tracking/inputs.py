"""The datasets of a run, as MLflow notes them."""

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

COLLISIONS = 5
"""How often in a row two processes may collide over a dataset: once a dataset, if that."""


def log_inputs(mlflow: "MlflowClient", run_id: str, datasets: "list[DatasetInput]") -> None:
    """Log the datasets of a run, again where another process was the first to log one of them at the same moment.

    MLflow looks whether a dataset is there and then inserts it: of two that do so at once, the later one fails.
    """
    from mlflow.exceptions import MlflowException

    for attempt in range(COLLISIONS + 1):
        try:
            return mlflow.log_inputs(run_id, datasets=datasets)
        except MlflowException as error:
            if attempt == COLLISIONS or not re.search("unique|duplicate", str(error), re.IGNORECASE):
                raise


def as_plain(item: dict[str, str]) -> dict[str, Any]:
    """Return what MLflow notes of a dataset, as plain data: its name, digest, source and, as a tag, its context."""
    where = item["source"]
    web = where.startswith(("http://", "https://"))
    return {
        "name": item["name"][:500],
        "digest": item["digest"][:32],
        "source_type": "http" if web else "local",
        "source": json.dumps({"url" if web else "uri": where}),
        "tags": {"mlflow.data.context": item["context"]},
    }


def entity(plain: dict[str, Any]) -> "DatasetInput":
    """Return the entity of what MLflow notes of a dataset."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(plain["name"], plain["digest"], plain["source_type"], plain["source"])
    return DatasetInput(dataset, tags=[InputTag(key, value) for key, value in plain["tags"].items()])
