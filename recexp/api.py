"""What is called from Python; imported when it is first used, for `import recexp` loads nothing else."""

from typing import Any

from recexp import config
from recexp.config import experiments, folders
from recexp.runners.driver import run_experiment
from recexp.runners.experiment import RunResult


def make(*overrides: str, config_dir: str | None = None) -> Any:
    """Build one component; see `recexp.make`."""
    return experiments.make(*overrides, config_dir=config_dir)


def run(*overrides: str, config_dir: str | None = None) -> RunResult | list[RunResult]:
    """Run an experiment; see `recexp.run`."""
    with folders.within(config_dir):
        experiment = experiments.experiment(config.compose(overrides), tags={})
    results = run_experiment(experiment)
    return results[0] if len(results) == 1 else results
