"""What becomes of a run that is not whole and cannot be made so: nothing of it stays."""

from typing import TYPE_CHECKING

from recexp.tracking import run_log

if TYPE_CHECKING:
    from mlflow import MlflowClient


def discard(client: "MlflowClient", run_id: str) -> None:
    """Remove a run: its files and models, which take space, before itself."""
    run = client.get_run(run_id)
    run_log.remove(run.info.artifact_uri)
    for logged in client.search_logged_models([run.info.experiment_id], filter_string=f"source_run_id='{run_id}'"):
        run_log.remove(logged.artifact_location)
        client.delete_logged_model(logged.model_id)
    client.set_terminated(run_id, "FAILED")
    client.delete_run(run_id)
