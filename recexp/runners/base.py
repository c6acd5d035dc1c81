"""Runner: a kind of experiment; Experiment: a runner with its components; and what a runner says of its runs."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from recexp.algorithms.fit_context import LogStep, ignore_step
from recexp.cost import Costs
from recexp.errors import ConfigError
from recexp.evidence.evidence import Evidence
from recexp.identity import digest
from recexp.params import Threads, describe, params
from recexp.runners.context import RunContext
from recexp.tracking import Tracking

PARTS_OF_OURS = ("audit", "cost", "training")
"""Parts of metric names that recexp itself writes."""
RESERVED = frozenset({"seed", "resume", "debug", "logging", "runner", "tracking", "fold", "sweep", "tuning"})
"""What no component may be called: keys that every config has, and tags of runs."""


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
class Identity:
    """The tags by which a run is found and compared, the digests among them, and the plain content of these."""

    tags: dict[str, str]
    content: dict[str, Any]
    digests: dict[str, str]

    def config_digest(self, subject: Mapping[str, Any]) -> str:
        """Return the tag recexp.config of a run with other components of the subject, by name."""
        return digest({**self.content, **describe(dict(subject))})


@dataclass(frozen=True, kw_only=True)
class Objective(ABC):
    """What values of the subject are worth.

    Attributes
    ----------
    part, metric : where the value is from, and its name: `validation`, `ndcg_at_10`.
    higher_is_better : which way it improves.
    identity : who a run of the experiment would be, with the values that are not searched.
    content : what a trial's value depends on besides the subject, as plain data.
    definition : the metric's own, as plain data.
    """

    part: str
    metric: str
    higher_is_better: bool
    identity: Identity
    content: Mapping[str, Any]
    definition: Any

    @abstractmethod
    def __call__(self, subject: Mapping[str, Any], log_step: LogStep = ignore_step) -> float:
        """Return the metric of these components, by name; `log_step` gets steps with a `validation` value among them.

        Raises DataError when it is not a number.
        """


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
    own_yaml : the person's own yaml files that it was composed of.
    """

    runner: "Runner"
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
    own_yaml: tuple[str, ...] = ()

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

    @property
    def labels(self) -> dict[str, str]:
        """The options chosen for the runner's labels, by name, but for components that change nothing."""
        named = [name for name in self.runner.labels if not getattr(self[name], "neutral", False)]
        return {name: self.choices.get(name, "") for name in named}

    @property
    def title(self) -> str:
        """What its runs are called: `movielens_100k ease seed 1`, labels of the subject after its name."""
        labels = [option for name, option in self.labels.items() if name in self.runner.subject]
        return " ".join(filter(None, (self.setting, self.subject, *labels, f"seed {self.seed}")))


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
    beside : what the name of the MLflow experiment ends with where its runs are no results: "-trials".
    """

    components: ClassVar[Mapping[str, type]]
    subject: ClassVar[tuple[str, ...]]
    labels: ClassVar[tuple[str, ...]] = ()
    final: ClassVar[str]
    unit: ClassVar[str]
    trials: ClassVar[str | None] = None
    beside: ClassVar[str] = ""

    threads: Threads | None

    @abstractmethod
    def headline(self, experiment: Experiment) -> tuple[str, bool | None]:
        """Return the metric that is looked at first, without its part, and whether higher is better (None: neither)."""

    @abstractmethod
    def run(self, experiment: Experiment, plan: Plan, context: RunContext) -> Evidence:
        """Carry out one run and return what it found; what all runs share is done by `runners.driver`."""

    def plans(self, experiment: Experiment, costs: Costs) -> Iterator[Plan]:
        """Yield what each run will do: one run, unless the runner makes several (folds)."""
        yield Plan()

    def check_names(self) -> None:
        """Raise ConfigError where names that it gives are none: of components, the subject, the final part, units."""
        name = f"runner._target_: {type(self).__name__}"
        if taken := {*self.components} & RESERVED:
            raise ConfigError(f"{name}.components: {min(taken)} is a name used by recexp; choose another")
        for key, names in {"subject": self.subject, "labels": self.labels}.items():
            if not isinstance(names, tuple) or (key == "subject" and not names):
                example = (*self.components,)[-1:]
                raise ConfigError(
                    f"{name}.{key} must be a tuple of names of components, such as {example} (got {names!r})"
                )
            if unknown := [one for one in names if one not in self.components]:
                raise ConfigError(f"{name}.{key}: {unknown[0]} is not a component; it has {', '.join(self.components)}")
        for key, word in {"final": self.final, "unit": self.unit}.items():
            if not isinstance(word, str) or not re.fullmatch(r"[a-z]\w*", word) or word in PARTS_OF_OURS:
                raise ConfigError(f"{name}.{key} must be a single word, such as episodes or episode (got {word!r})")

    def check(self, experiment: Experiment) -> None:  # noqa: B027
        """Raise ConfigError or DataError for what is wrong together, or missing on disk; called before data is read."""

    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Return what two runs must share to be compared, as plain data: all components but the subject.

        One that has a `rule` (a split, an evaluation) says itself what of it that is.
        """
        others = {name: part for name, part in experiment.components.items() if name not in self.subject}
        rules = {name: part.rule() if hasattr(part, "rule") else describe(part) for name, part in others.items()}
        return {"runner": self.rules(), **rules}

    def content(self, experiment: Experiment) -> dict[str, Any]:
        """Return what decides a result besides protocol and seed, as plain data: the subject, and what has a rule."""
        whole = [name for name, part in experiment.components.items() if name in self.subject or hasattr(part, "rule")]
        described: dict[str, Any] = describe({name: experiment[name] for name in whole})
        return described

    def final_content(self, protocol: Mapping[str, Any]) -> dict[str, Any]:
        """Return that of the protocol, the plan's part included, which the final part is made by."""
        return dict(protocol)

    def job_content(self, experiment: Experiment) -> dict[str, Any] | None:
        """Return what decides a job's results besides, known before data is loaded; None: that is not known."""
        return {}

    def objective(self, experiment: Experiment) -> Objective:
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
