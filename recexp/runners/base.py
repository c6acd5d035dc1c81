"""Runner: a kind of experiment. It says what it is made of, what its runs are about, and how one is carried out."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from recexp.algorithms.fit_context import LogStep, ignore_step
from recexp.cost import Costs
from recexp.errors import ConfigError
from recexp.evidence.evidence import Evidence
from recexp.params import Resource, describe, params

if TYPE_CHECKING:
    from recexp.runners.experiment import Experiment
    from recexp.runners.objective import Objective


@dataclass(frozen=True)
class Plan:
    """What one run will do, known before anything is fitted.

    Attributes
    ----------
    work : what the runner's `run` works on: the data of a fold. None where its components are all it needs.
    protocol : what of it two runs must share to be compared, as plain data: the fingerprint of the data.
    content : what of it decides the result besides, as plain data: the fingerprint of the split.
    tags : what the run is marked with: recexp.data, recexp.split, the fold.
    """

    work: Any = None
    protocol: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunContext:
    """What a run in progress is given: where its costs and learning curves go, and a folder for checkpoints.

    The folder is not there yet; it is kept by the run's identity until the run is complete.
    """

    costs: Costs
    log_step: LogStep = ignore_step
    checkpoint: Path | None = None

    def staged(self, stage: str) -> "RunContext":
        """Return the context of one of several fits of a run: its curves and checkpoints are its own."""
        folder = None if self.checkpoint is None else self.checkpoint / stage
        return replace(self, log_step=PrefixedStep(self.log_step, f"{stage}_"), checkpoint=folder)


@dataclass(frozen=True)
class PrefixedStep:
    """Logs steps with a prefix before their names."""

    log_step: LogStep
    prefix: str

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        """Log one point."""
        self.log_step(step, {f"{self.prefix}{name}": value for name, value in values.items()})


@params
class Runner(ABC):
    """A kind of experiment. A subclass is decorated with `@params` and implements `headline` and `run`.

    Its yaml, conf/runner/NAME.yaml, begins with `# @package _global_`, brings the components by its defaults list, and
    has the runner's own fields under `runner:`.

    Parameters
    ----------
    threads : how many threads work; None is all cores.

    Class attributes
    ----------------
    components : the base class of each component, by its name in the config.
    subject : the names of those that a comparison is about; runs are called after the first.
    labels : the names of further ones that tell runs apart at a glance, beside the subject and what it works on.
    final : the part whose metrics count: `test` of `test/ndcg_at_10`.
    unit : what the values behind the final metrics are of: a user, an episode.
    trials : the option of conf/runner that carries out one trial of a tuning as a run of its own, or None.
    """

    components: ClassVar[Mapping[str, type]]
    subject: ClassVar[tuple[str, ...]]
    labels: ClassVar[tuple[str, ...]] = ()
    final: ClassVar[str]
    unit: ClassVar[str]
    trials: ClassVar[str | None] = None

    threads: Resource | None

    @abstractmethod
    def headline(self, experiment: "Experiment") -> tuple[str, bool | None]:
        """Return the metric that is looked at first, without its part, and whether higher is better (None: neither)."""

    @abstractmethod
    def run(self, experiment: "Experiment", plan: Plan, context: RunContext) -> Evidence:
        """Carry out one run and return what it found; what all runs share is done by `runners.driver`."""

    def plans(self, experiment: "Experiment", costs: Costs) -> Iterator[Plan]:
        """Yield what each run will do: one run, unless the runner makes several (folds)."""
        yield Plan()

    def check(self, experiment: "Experiment") -> None:  # noqa: B027
        """Raise ConfigError or DataError for what is wrong together, or missing on disk; called before data is read."""

    def protocol(self, experiment: "Experiment") -> dict[str, Any]:
        """Return what two runs must share to be compared, as plain data: all components but the subject."""
        others = {name: part for name, part in experiment.components.items() if name not in self.subject}
        return {"runner": self.rules(), **describe(others)}

    def content(self, experiment: "Experiment") -> dict[str, Any]:
        """Return what decides a result besides the protocol and the seed, as plain data: the subject."""
        return {name: describe(experiment[name]) for name in self.subject}

    def final_content(self, protocol: Mapping[str, Any]) -> dict[str, Any]:
        """Return that of the protocol, the plan's part included, which the final part is made by."""
        return dict(protocol)

    def job_content(self, experiment: "Experiment") -> dict[str, Any] | None:
        """Return what decides a job's results besides, known before data is loaded; None: that is not known."""
        return {}

    def objective(self, experiment: "Experiment") -> "Objective":
        """Return what a tuning improves: it sees nothing of the final part. Raises ConfigError where there is none."""
        raise ConfigError(f"runner: {type(self).__name__} cannot be tuned: it has no objective")

    @property
    def setting(self) -> str:
        """The name of the component that the subject works on: the first that is not of the subject."""
        return next((name for name in self.components if name not in self.subject), "")

    @property
    def tunable(self) -> bool:
        """Whether it has an objective."""
        return type(self).objective is not Runner.objective

    def rules(self) -> Any:
        """Return the runner's name, with its fields where it has any that decide results."""
        fields = {key: value for key, value in describe(self).items() if key != "class"}
        return {type(self).__name__: fields} if fields else type(self).__name__
