"""What is called from Python; imported when it is first used, for `import recexp` loads nothing else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from recexp import config
from recexp.config import experiments
from recexp.data import Dataset
from recexp.datasets.memory import Memory
from recexp.errors import ConfigError
from recexp.runners.driver import run_experiment
from recexp.runners.result import RunResult

if TYPE_CHECKING:
    import pandas as pd


def make(*overrides: str, config_dir: str | None = None) -> Any:
    """Build one component; see `recexp.make`."""
    return experiments.make(*overrides, config_dir=config_dir)


def run(
    *overrides: str, dataset: "pd.DataFrame | Dataset | None" = None, config_dir: str | None = None
) -> RunResult | list[RunResult]:
    """Run an experiment; see `recexp.run`."""
    source = None if dataset is None else _source(dataset, overrides)
    with config.within(config_dir):
        experiment = experiments.experiment(config.compose(overrides), tags={}, source=source)
    results = run_experiment(experiment)
    return results[0] if len(results) == 1 else results


def _source(dataset: "pd.DataFrame | Dataset", overrides: Sequence[str]) -> Memory:
    if strange := [word for word in overrides if word.lstrip("+~").startswith("dataset")]:
        raise ConfigError(
            f"{strange[0]}: the dataset is given in memory; leave the override or dataset=... out. "
            "A frame's columns are named by dataset=Dataset.from_frame(frame, columns={'user': ..., ...})"
        )
    return Memory.of(dataset if isinstance(dataset, Dataset) else Dataset.from_frame(dataset))
