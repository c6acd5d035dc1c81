"""recexp: experiments with recommender systems that can be trusted, repeated and compared."""

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and sys.orig_argv[-len(sys.argv)].removeprefix("-m") == "recexp":
    del sys.path[0]  # `python -m recexp`: the working directory, whose typing.py would take the place of the library's

from typing import TYPE_CHECKING, Any

from recexp.garbage import uncollected
from recexp.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from recexp.data import Dataset
    from recexp.functions.compare import ComparedRuns
    from recexp.functions.finished import FinishedRun, FinishedRuns
    from recexp.functions.tune import TunedRun

__all__ = ["Dataset", "FittedModel", "__version__", "compare", "load", "make", "run", "runs", "sweep", "tune"]


def make(*overrides: str, config_dir: str | None = None) -> Any:
    """Build one component: `make("algorithm=ease", "algorithm.l2=100")`; the first override names it."""
    with uncollected():
        from recexp import api

        return api.make(*overrides, config_dir=config_dir)


def run(
    *overrides: str, dataset: "pd.DataFrame | Dataset | None" = None, config_dir: str | None = None
) -> "FinishedRun | FinishedRuns":
    """Run an experiment: `run("dataset=movielens_1m", "algorithm=ease")`; returns a FinishedRun, or one a fold.

    `dataset` is data in memory: a pandas DataFrame with the columns user_id and item_id, or a `Dataset`. Such a run
    stores the data's fingerprint, not the data: it can be compared like any other run, but not reproduced from itself.
    """
    return _api(tracks=True).run(*overrides, dataset=dataset, config_dir=config_dir)


def tune(
    *overrides: str, dataset: "pd.DataFrame | Dataset | None" = None, config_dir: str | None = None
) -> "TunedRun | list[TunedRun]":
    """Choose values on validation data, then test the best once, as `recexp tune` does.

    `tune("algorithm=als", "tuning.trials=20")`; of several algorithms, `algorithm=als,ease`, a list. `dataset` as in
    `run`.
    """
    return _api(tracks=True).tune(*overrides, dataset=dataset, config_dir=config_dir)


def sweep(*overrides: str, config_dir: str | None = None) -> "FinishedRuns":
    """Run all combinations, as `recexp -m` does: `sweep("algorithm=ease,item_knn", "seed=1,2")`.

    Raises RecexpError when a job fails; the runs of the others are in the store.
    """
    return _api(tracks=True).sweep(*overrides, config_dir=config_dir)


def compare(
    *overrides: str,
    experiment: str | None = None,
    runs: "Sequence[str | FinishedRun]" = (),
    sweep: str | None = None,
    metric: str | None = None,
    columns: "Sequence[str]" = (),
    baseline: str | None = None,
    test: str = "permutation",
    correction: str = "holm",
    config_dir: str | None = None,
) -> "ComparedRuns":
    """Compare finished runs, as `recexp compare` does with options of the same names.

    `runs` are ids or results; default: all of the experiment. `compare(metric="recall_at_10", baseline="popularity")`.
    """
    return _api().compare(
        *overrides,
        experiment=experiment,
        runs=runs,
        sweep=sweep,
        metric=metric,
        columns=columns,
        baseline=baseline,
        test=test,
        correction=correction,
        config_dir=config_dir,
    )


def load(run: str, *overrides: str) -> "FinishedRun":
    """Return a finished run by its id or the beginning of it: `load("287f36a5", "tracking.uri=runs.db")`.

    Raises StoreError when there is none.
    """
    return _api().load(run, *overrides)


def runs(experiment: str | None = None, *overrides: str) -> "FinishedRuns":
    """Return the finished runs of an experiment, the newest first. Raises StoreError when there is none."""
    return _api().runs(experiment, *overrides)


def _api(*, tracks: bool = False) -> Any:
    """Return what does the work; where it `tracks`, MLflow is imported by another process meanwhile."""
    if tracks:
        from recexp.tracking import process

        process.start()
    with uncollected():
        from recexp import api

    return api


def __getattr__(name: str) -> Any:
    if name == "FittedModel":
        from recexp.models.fitted import FittedModel

        return FittedModel
    if name == "Dataset":
        from recexp.data import Dataset

        return Dataset
    raise AttributeError(f"module recexp has no attribute {name}")
