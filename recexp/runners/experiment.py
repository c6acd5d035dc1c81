"""Experiment: built components by name, and what every run has; RunResult: what became of one run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from recexp.models.fitted import FittedModel
from recexp.runners.base import Runner
from recexp.tracking import CompleteRun, Store, Tracking


@dataclass(frozen=True)
class Experiment:
    """A runner and its components, built and validated before any data is read.

    Attributes
    ----------
    runner, tracking : what runs it, and where its runs go.
    components : those of the runner, by name; `experiment["algorithm"]` is one of them.
    seed : of all that is drawn at random.
    resume : whether a complete run of the same identity is enough.
    config, choices : the resolved config that all came from, and the option chosen for each component.
    command : the words that run it again.
    tags : what else its runs are marked with (the sweep).
    fold : the only one to run, where the runner makes several; None: all.
    check : is shown the content of each run's identity before anything is fitted, and may refuse it by an exception.
    job_key : by which its runs are found when they are complete.
    """

    runner: Runner
    components: Mapping[str, Any]
    tracking: Tracking
    seed: int
    resume: bool
    config: dict[str, Any]
    choices: dict[str, str]
    command: str
    tags: dict[str, str]
    fold: int | None = None
    check: Callable[[dict[str, Any]], None] | None = None
    job_key: str | None = None

    def __getitem__(self, name: str) -> Any:
        return self.components[name]

    def replaced(self, **components: Any) -> "Experiment":
        """Return the experiment with other components, by name."""
        return replace(self, components={**self.components, **components})

    @property
    def reuse_tags(self) -> dict[str, str] | None:
        """Tags identifying runs that may be reused instead of running again; None disables reuse.

        {}, on resume, is all complete runs of the identity. A sweep hands the job of a worker that died to another, and
        the first may yet turn out to have finished it, so that the runs of the same sweep are reused.
        """
        sweep = {key: value for key, value in self.tags.items() if key == "sweep"}
        return {} if self.resume else sweep or None

    @property
    def subject(self) -> str:
        """The name of what the runs are about: the option chosen for the runner's first subject."""
        return self.choices.get(self.runner.subject[0], "")

    @property
    def setting(self) -> str:
        """The name of what the subject works on: `movielens_100k`."""
        return self.choices.get(self.runner.setting, "")


@dataclass(frozen=True)
class RunResult:
    """One finished run.

    Attributes
    ----------
    run_id, link, leaderboard : its id and links in the tracking store.
    metrics, intervals : by full name.
    final : the part whose metrics count.
    model : what was fitted, or None.
    shown : (item id, name, score) of what it recommends to the user that the experiment shows.
    reused : whether the run was there already.
    """

    run_id: str
    link: str
    leaderboard: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    final: str
    model: FittedModel | None = None
    shown: tuple[tuple[int | str, str, float], ...] = ()
    reused: bool = False

    @classmethod
    def of_stored(cls, run: CompleteRun, store: Store, final: str) -> "RunResult":
        """Return the result of a run that was in the store already."""
        return cls(run.id, store.link(run.id), store.leaderboard, run.metrics, {}, final, reused=True)
