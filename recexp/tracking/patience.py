"""Waiting for a store that another program holds: what has been computed is not lost to it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from recexp.tracking.store_errors import is_locked

if TYPE_CHECKING:
    from mlflow import MlflowClient

PAUSE_SECONDS = 0.1
"""Between two tries: SQLite itself waits for some seconds in most of them."""


class PatientClient:
    """Does what an MLflow client does, again and again while another program holds the store; each is whole or not.

    `tell` hears after each try that it waits.
    """

    def __init__(self, client: "MlflowClient", tell: Callable[[], None]) -> None:
        self._client, self._tell = client, tell

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*arguments: Any, **options: Any) -> Any:
            while True:
                try:
                    return method(*arguments, **options)
                except Exception as error:
                    if not is_locked(error):
                        raise
                self._tell()
                time.sleep(PAUSE_SECONDS)

        return call
