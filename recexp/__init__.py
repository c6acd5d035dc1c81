"""recexp: experiments with recommender systems that can be trusted, repeated and compared."""

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and sys.orig_argv[-len(sys.argv)].removeprefix("-m") == "recexp":
    del sys.path[0]  # `python -m recexp`: the working directory, whose typing.py would take the place of the library's

from typing import Any

from recexp.garbage import uncollected
from recexp.version import __version__

__all__ = ["FittedModel", "__version__", "make", "run"]


def make(*overrides: str, config_dir: str | None = None) -> Any:
    """Build one component: `make("algorithm=ease", "algorithm.l2=100")`; the first override names it."""
    with uncollected():
        from recexp import api

        return api.make(*overrides, config_dir=config_dir)


def run(*overrides: str, dataset: Any = None, config_dir: str | None = None) -> Any:
    """Run an experiment: `run("dataset=movielens_1m", "algorithm=ease")`; returns a RunResult, or one a fold.

    `dataset` is a pandas DataFrame with the columns user_id and item_id, or a `Dataset`: data that is in memory. The
    run keeps its fingerprint and says where it was; it can be compared as any other, but not made again from itself.
    """
    from recexp.tracking import process

    process.start()  # it imports MLflow while this process imports and composes
    with uncollected():
        from recexp import api

    return api.run(*overrides, dataset=dataset, config_dir=config_dir)


def __getattr__(name: str) -> Any:
    if name == "FittedModel":
        from recexp.models.fitted import FittedModel

        return FittedModel
    raise AttributeError(f"module recexp has no attribute {name}")
