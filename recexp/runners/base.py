"""Runner: a kind of experiment; Experiment: a runner with its components; Plan, Identity: descriptions of its runs."""

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
    """A run as planned, before anything is fitted.

    Attributes
    ----------
    work : input of the runner's `run`: the data of a fold. None if the components are sufficient.
    protocol : what two runs must share to be comparable, as plain data: the fingerprint of the data.
    content : everything else that determines the result, as plain data: the fingerprint of the split.
    tags : tags of the run: recexp.data, recexp.split, the fold.
    """

    work: Any = None
    protocol: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """The tags by which a run is found and compared, including its digests, and the plain content they digest."""

    tags: dict[str, str]
    content: dict[str, Any]
    digests: dict[str, str]

    def config_digest(self, subject: Mapping[str, Any]) -> str:
        """Return the tag recexp.config of a run with different components of the subject, by name."""
        return digest({**self.content, **describe(dict(subject))})


@dataclass(frozen=True, kw_only=True)
class Objective(ABC):
    """The objective function of a tuning: evaluates a configuration of the subject.

    Attributes
    ----------
    part, metric : part and name of the metric: `validation`, `ndcg_at_10`.
    higher_is_better : direction of the metric.
    identity : the identity of a run of the experiment with the values that are not searched.
    content : everything except the subject that a trial's value depends on, as plain data.
    definition : the definition of the metric, as plain data.
    """

    part: str
    metric: str
    higher_is_better: bool
    identity: Identity
    content: Mapping[str, Any]
    definition: Any

    @abstractmethod
    def __call__(self, subject: Mapping[str, Any], log_step: LogStep = ignore_step) -> float:
        """Return the metric for these components, by name; `log_step` receives steps that include a `validation` value.

        Raises DataError if it is not a number.
        """


@dataclass(frozen=True)
class Experiment:
    """A runner and its components, built and validated before any data is read.

    Attributes
    ----------
    runner, tracking : the runner, and the tracking store of its runs.
    components : the runner's components by name; `experiment["algorithm"]` is one of them.
    seed : seed of all random draws.
    resume : whether to reuse a complete run of the same identity.
    config, choices : the resolved config, and the option chosen for each component.
    command : the overrides that rerun it.
    tags : additional tags of its runs (the sweep).
    fold : the single fold to run, if the runner has several; None: all.
    check : called with the content of each run's identity before anything is fitted; may raise to refuse the run.
    job_key : key by which its complete runs are found.
    own_yaml : the user's own yaml files that are part of the config.
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
        """Return the experiment with some components replaced, by name."""
        return replace(self, components={**self.components, **components})

    @property
    def reuse_tags(self) -> dict[str, str] | None:
        """Tags identifying runs that may be reused instead of running again; None disables reuse.

        {}, on resume, allows all complete runs of the identity. A sweep passes the job of a dead worker to another one,
        although the first may have finished it; therefore runs of the same sweep are reused.
        """
        sweep = {key: value for key, value in self.tags.items() if key == "sweep"}
        return {} if self.resume else sweep or None

    @property
    def subject(self) -> str:
        """The name of the subject: the option chosen for the runner's first subject."""
        return self.choices.get(self.runner.subject[0], "")

    @property
    def setting(self) -> str:
        """The name of the setting the subject works in: `movielens_100k`."""
        return self.choices.get(self.runner.setting, "")

    @property
    def labels(self) -> dict[str, str]:
        """The options chosen for the runner's labels, by name, except components that have no effect."""
        named = [name for name in self.runner.labels if not getattr(self[name], "neutral", False)]
        return {name: self.choices.get(name, "") for name in named}

    @property
    def title(self) -> str:
        """The name of its runs: `movielens_100k ease seed 1`, with labels of the subject after its name."""
        labels = [option for name, option in self.labels.items() if name in self.runner.subject]
        return " ".join(filter(None, (self.setting, self.subject, *labels, f"seed {self.seed}")))


@params
class Runner(ABC):
    """A kind of experiment. Subclasses are decorated with `@params` and implement `headline` and `run`.

    Its yaml, conf/runner/NAME.yaml, begins with `# @package _global_`, selects the components in its defaults list, and
    holds the runner's own fields under `runner:`.

    Parameters
    ----------
    threads : number of threads; None: all cores.

    Class attributes
    ----------------
    components : the base class of each component, by its name in the config.
    subject : the names of the components under comparison; runs are named after the first.
    labels : the names of further components shown in run names, in addition to the subject and its setting.
    final : the part whose metrics are the result: `test` in `test/ndcg_at_10`.
    unit : the unit of the values behind the final metrics: a user, an episode.
    trials : the option of conf/runner that executes one trial of a tuning as a separate run, or None.
    beside : suffix of the MLflow experiment name for runs that are not results: "-trials".
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
        """Return the name of the headline metric, without its part, and whether higher is better (None: neither)."""

    @abstractmethod
    def run(self, experiment: Experiment, plan: Plan, context: RunContext) -> Evidence:
        """Execute one run and return its evidence; `runners.driver` does what all runs share."""

    def plans(self, experiment: Experiment, costs: Costs) -> Iterator[Plan]:
        """Yield the plan of each run: one, unless the runner makes several (folds)."""
        yield Plan()

    def check_names(self) -> None:
        """Raise ConfigError for an invalid name of a component, the subject, the final part or the unit."""
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
        """Raise ConfigError or DataError for invalid combinations or missing files; called before data is read."""

    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Return what two runs must share to be comparable, as plain data: all components except the subject.

        A component with a `rule` (a split, an evaluation) contributes that rule.
        """
        others = {name: part for name, part in experiment.components.items() if name not in self.subject}
        rules = {name: part.rule() if hasattr(part, "rule") else describe(part) for name, part in others.items()}
        return {"runner": self.rules(), **rules}

    def content(self, experiment: Experiment) -> dict[str, Any]:
        """Return what else determines a result, besides protocol and seed: the subject, and components with a rule."""
        whole = [name for name, part in experiment.components.items() if name in self.subject or hasattr(part, "rule")]
        described: dict[str, Any] = describe({name: experiment[name] for name in whole})
        return described

    def final_content(self, protocol: Mapping[str, Any]) -> dict[str, Any]:
        """Return the items of the protocol, including the plan's, that determine the final part."""
        return dict(protocol)

    def job_content(self, experiment: Experiment) -> dict[str, Any] | None:
        """Return what else determines a job's results and is known before data is loaded; None: not known."""
        return {}

    def objective(self, experiment: Experiment) -> Objective:
        """Return the objective of a tuning, which never sees the final part. Raises ConfigError if there is none."""
        raise ConfigError(f"runner: {type(self).__name__} cannot be tuned: it has no objective")

    @property
    def setting(self) -> str:
        """The name of the component the subject works on: the first one outside the subject."""
        return next((name for name in self.components if name not in self.subject), "")

    @property
    def tunable(self) -> bool:
        """Whether the runner has an objective."""
        return type(self).objective is not Runner.objective

    def rules(self) -> Any:
        """Return the runner's name, and those of its fields that affect results, if any."""
        fields = {key: value for key, value in describe(self).items() if key != "class"}
        return {type(self).__name__: fields} if fields else type(self).__name__
