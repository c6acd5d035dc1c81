"""Runner: a kind of experiment; Experiment: the parts that one is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from recexp.algorithms.base import Recommender
from recexp.audit import Audit
from recexp.datasets.base import Source
from recexp.evaluation.evaluation import Evaluation
from recexp.filters.base import Filters
from recexp.models.fitted import FittedModel
from recexp.params import params
from recexp.splits.base import Splitter
from recexp.tracking import CompleteRun, Store, Tracking


@dataclass(frozen=True)
class Experiment:
    """All components, built and validated before any data is read.

    `show` is the user to whom models recommend something to look at, `config` the resolved config that all came from,
    `choices` the option chosen in each group, `command` the words that run it again, `tags` what else its runs are
    marked with (the sweep), `job` the key by which its runs are found when they are complete. Of a split with folds
    only `fold` is run, where one is named. `check` is shown the content of each run's identity before anything is
    fitted, and may refuse it by an exception.
    """

    seed: int
    resume: bool
    refit: bool
    show: int | str | None
    source: Source
    filters: Filters
    splitter: Splitter
    algorithm: Recommender
    fallback: Recommender
    evaluation: Evaluation
    audit: Audit
    tracking: Tracking
    config: dict[str, Any]
    choices: dict[str, str]
    command: str
    tags: dict[str, str]
    fold: int | None = None
    check: Callable[[dict[str, Any]], None] | None = None
    job: str | None = None

    @property
    def once(self) -> dict[str, str] | None:
        """The tags of the runs among which a complete one is enough: all on resume, a sweep's own; None: do it again.

        A sweep hands the job of a worker that died to another, and the first may yet turn out to have finished it.
        """
        sweep = {key: value for key, value in self.tags.items() if key == "sweep"}
        return {} if self.resume else sweep or None


@dataclass(frozen=True)
class Outcome:
    """One finished run: its id and links in the tracking store, metrics by name, their intervals, and the model.

    `shown` are (item id, name, score) of what it recommends to the user that the experiment shows; `earlier` says that
    the run was there already.
    """

    run_id: str
    link: str
    leaderboard: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    model: FittedModel | None
    shown: tuple[tuple[int | str, str, float], ...] = ()
    earlier: bool = False

    @classmethod
    def there(cls, run: CompleteRun, store: Store) -> "Outcome":
        """Return the outcome of a run that was in the store already."""
        return cls(run.id, store.link(run.id), store.leaderboard, run.metrics, {}, None, earlier=True)


@params
class Runner(ABC):
    """A kind of experiment; a subclass implements `run`.

    Class attributes
    ----------------
    lists : whether its runs keep the lists that were judged, as lists.parquet.
    """

    lists: ClassVar[bool] = False

    @abstractmethod
    def run(self, experiment: Experiment) -> list[Outcome]:
        """Run `experiment` and return the outcome of each fold (one where there are no folds).

        `runners.record` has what every runner does: `once` around each run, `record` at its end, `conclude` at the end
        of all; `runners.identity` says who a run is.
        """
