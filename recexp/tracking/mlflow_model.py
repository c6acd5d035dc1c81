"""A saved model's folder as an MLflow model: a pyfunc that `recexp.serving` loads. It carries no code and no pickle."""

import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from recexp import file_names
from recexp.tracking import source, wheel

if TYPE_CHECKING:
    from mlflow import MlflowClient

SAVED = "recexp"
"""The folder of the saved model in that which MLflow keeps."""


def load() -> None:
    """Import what wrapping needs, ahead of time."""
    import mlflow.pyfunc  # noqa: F401


def wrap(
    model_folder: Path, folder: Path, *, model_id: str, run_id: str, requirements: list[str] | None = None
) -> None:
    """Write `folder`: MLflow's description of the model (signature, requirements) beside a copy of `model_folder`.

    `requirements` None: what is installed here.
    """
    from mlflow import pyfunc
    from mlflow.models import Model

    folder.mkdir()
    shutil.copytree(model_folder, folder / SAVED)
    write_environment(folder, requirements)
    model = Model(run_id=run_id, model_id=model_id, model_uuid=model_id, signature=_signature())
    pyfunc.add_to_model(
        model, loader_module="recexp.serving", data=SAVED, conda_env="conda.yaml", python_env="python_env.yaml"
    )
    model.save(str(folder / "MLmodel"))


def log(
    client: "MlflowClient",
    experiment: str,
    run_id: str,
    saved: Path,
    wrapped: Path,
    *,
    params: dict[str, str],
    requirements: list[str] | None = None,
) -> str:
    """Wrap the saved model of a run, in a folder that is not there yet, log it, and return its id."""
    from mlflow.entities import LoggedModelOutput

    logged = client.create_logged_model(
        experiment, name="model", source_run_id=run_id, params=params, model_type="recommender"
    )
    wrap(saved, wrapped, model_id=logged.model_id, run_id=run_id, requirements=requirements)
    client.log_model_artifacts(logged.model_id, str(wrapped))
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, "READY")
    return logged.model_id


def write_environment(folder: Path, requirements: list[str] | None = None) -> None:
    """Write what a model needs to be installed, in three forms; None: what is installed here."""
    requirements = requirements or source.requirements(deep=False)
    if wheel.write(folder):
        requirements = [f"./{wheel.NAME}", *(line for line in requirements if not line.startswith("recexp=="))]
    (folder / file_names.REQUIREMENTS).write_text("\n".join(requirements) + "\n")
    python = platform.python_version()
    environment = {"python": python, "build_dependencies": [], "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(yaml.safe_dump(environment, sort_keys=False))
    needs = [f"python={python}", "pip", {"pip": requirements}]
    conda = {"name": "recexp", "channels": ["conda-forge"], "dependencies": needs}
    (folder / "conda.yaml").write_text(yaml.safe_dump(conda, sort_keys=False))


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import AnyType, Array

    # A column of text is what MLflow leaves as a request has it, lists in it too; of an array it would cut texts to the
    # shortest, and of others than text no csv could be read.
    inputs = Schema([ColSpec(DataType.string, name, required=False) for name in ("user_id", "history", "context")])
    outputs = Schema(
        [
            ColSpec(AnyType(), "user_id", required=False),
            ColSpec(Array(AnyType()), "items"),
            ColSpec(Array(DataType.double), "scores"),
            ColSpec(DataType.boolean, "fallback"),
            ColSpec(Array(DataType.string), "titles", required=False),
        ]
    )
    params = [
        ParamSpec("k", DataType.long, 10),
        *(ParamSpec(f"price_{end}", DataType.double, None) for end in ("from", "to")),
    ]
    return ModelSignature(inputs=inputs, outputs=outputs, params=ParamSchema(params))
