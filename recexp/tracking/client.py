"""MLflow, imported without its telemetry and its chatter."""

import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


def load() -> None:
    """Import MLflow, which takes two seconds, ahead of its first use."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one a file, where most take no time
    from mlflow import MlflowClient  # noqa: F401

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is raised, and told once


def connect(uri: str) -> "MlflowClient":
    """Return a client of the store at `uri`."""
    load()
    from mlflow import MlflowClient

    return MlflowClient(uri, uri)
