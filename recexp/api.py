"""The Python API behind `recexp.run` and the like; imported on first use, so that `import recexp` stays fast."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recexp import config, console, plugins, terminal
from recexp.config import experiments
from recexp.data import Dataset
from recexp.datasets.memory import Memory
from recexp.errors import ConfigError
from recexp.functions import compare as comparing
from recexp.functions import finished
from recexp.functions.compare import ComparedRuns
from recexp.functions.finished import FinishedRun, FinishedRuns
from recexp.functions.tune import TunedRun
from recexp.functions.tune import tune as tune_words
from recexp.history.archive import Archive
from recexp.runners.driver import run_experiment
from recexp.sweeps.command import run_command
from recexp.sweeps.sweep import Sweep
from recexp.tracking import Tracking

if TYPE_CHECKING:
    import pandas as pd


def make(*overrides: str, config_dir: str | None = None) -> Any:
    """Build one component; see `recexp.make`."""
    return experiments.make(*overrides, config_dir=config_dir)


def run(
    *overrides: str, dataset: "pd.DataFrame | Dataset | None" = None, config_dir: str | None = None
) -> FinishedRun | FinishedRuns:
    """Run an experiment; see `recexp.run`."""
    source = _source(dataset, overrides)
    with _prepared(overrides, config_dir):
        experiment = experiments.experiment(config.compose(overrides), tags={}, source=source)
    found = [FinishedRun.of(result, experiment) for result in run_experiment(experiment)]
    return found[0] if len(found) == 1 else FinishedRuns(found)


def tune(
    *overrides: str, dataset: "pd.DataFrame | Dataset | None" = None, config_dir: str | None = None
) -> TunedRun | list[TunedRun]:
    """Tune; see `recexp.tune`."""
    with _prepared(overrides, config_dir):
        found = tune_words(overrides, _source(dataset, overrides))
    return found[0] if len(found) == 1 else found


def sweep(*overrides: str, config_dir: str | None = None) -> FinishedRuns:
    """Run all combinations; see `recexp.sweep`."""
    with _prepared(overrides, config_dir):
        jobs = Sweep(silent=True)
        run_command(jobs, ["-m", *overrides])
        jobs.end()
        archive = Archive(_tracking(overrides).uri)
        ids = [run.run_id for result in jobs.results.values() for run in result.runs]
        return FinishedRuns([FinishedRun.of_stored(archive.run(run_id), archive) for run_id in ids])


def compare(
    *overrides: str,
    experiment: str | None = None,
    runs: Sequence[str | FinishedRun] = (),
    sweep: str | None = None,
    metric: str | None = None,
    columns: Sequence[str] = (),
    baseline: str | None = None,
    test: str = "permutation",
    correction: str = "holm",
    config_dir: str | None = None,
) -> ComparedRuns:
    """Compare finished runs; see `recexp.compare`."""
    with _prepared(overrides, config_dir):
        cfg = config.compose(overrides)
        tracking, evaluation = (experiments.component(cfg, group) for group in ("tracking", "evaluation"))
        archive = Archive(tracking.uri)
        ids = [run if isinstance(run, str) else run.run_id for run in runs]
        groups, notes = comparing.groups_of(archive, experiment or tracking.experiment, runs=ids, sweep=sweep)
        return comparing.compare_groups(
            archive,
            groups,
            notes,
            evaluation,
            metric=metric,
            columns=columns,
            baseline=baseline,
            test=test,
            correction=correction,
        )


def load(run: str, *overrides: str) -> FinishedRun:
    """Return a finished run; see `recexp.load`."""
    return finished.load(run, uri=_tracking(overrides).uri)


def runs(experiment: str | None = None, *overrides: str) -> FinishedRuns:
    """Return the finished runs of an experiment; see `recexp.runs`."""
    tracking = _tracking(overrides)
    return finished.runs(experiment or tracking.experiment, uri=tracking.uri)


@contextmanager
def _prepared(overrides: Sequence[str], config_dir: str | None) -> Iterator[None]:
    """A block with the person's config folder, in which Hydra finds our plugins; a notebook shows the log in it."""
    plugins.use()
    with config.within(config_dir):
        if terminal.in_notebook():
            words = [word for word in overrides if word.startswith("logging")]
            console.configure_logging(config.plain(config.compose(words))["logging"])
        yield


def _tracking(overrides: Sequence[str]) -> Tracking:
    """Return the store that the overrides name, whatever else they say."""
    cfg = config.compose([word for word in overrides if word.lstrip("+").startswith("tracking")])
    tracking: Tracking = experiments.component(cfg, "tracking")
    return tracking


def _source(dataset: "pd.DataFrame | Dataset | None", overrides: Sequence[str]) -> Memory | None:
    if dataset is None:
        return None
    if strange := [word for word in overrides if word.lstrip("+~").startswith("dataset")]:
        raise ConfigError(
            f"{strange[0]}: the dataset is given in memory; remove the override or dataset=.... "
            "Name a frame's columns with dataset=Dataset.from_frame(frame, columns={'user': ..., ...})"
        )
    return Memory.of(dataset if isinstance(dataset, Dataset) else Dataset.from_frame(dataset))
