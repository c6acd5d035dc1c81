"""Tuning jobs: built from the overrides of a command; each says which hyperparameters are tuned, and how."""

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recexp import config, file_names, scratch, threads
from recexp.config.building import build
from recexp.config.experiments import chosen, experiment
from recexp.config.overrides import Override
from recexp.datasets.base import Source
from recexp.errors import ConfigError, StoreError, unknown
from recexp.identity import digest
from recexp.params import describe
from recexp.runners.base import Experiment, Identity, Objective
from recexp.tracking.tags import CONFIG, SEARCH, STUDY, STUDY_TRIALS, TUNING
from recexp.tuning.base import Tuning
from recexp.tuning.overrides import component_and_field, dimension_of, ranges_and_jobs, subject_of
from recexp.tuning.space import Dimension
from recexp.tuning.storage import studies_of
from recexp.tuning.study import Best, Study
from recexp.tuning.study_plots import write_study_plots
from recexp.tuning.study_report import plot_data, summary, table

log = logging.getLogger(__name__)


class NothingToTuneError(ConfigError):
    """A subject has no search space, or the command fixes all of it; with several subjects it is skipped."""


@dataclass(frozen=True)
class TuningJob:
    """The hyperparameter search for the subject of one experiment.

    Attributes
    ----------
    words : the experiment's overrides except the tuned values; adding the values found reruns it.
    added : overrides that were not in the command: a validation part.
    space : dimensions by dotted field name: `k` of the first subject, `fallback.k` of another.
    source : in-memory data; None if the overrides select the data.
    """

    words: list[str]
    added: list[str]
    tuning: Tuning
    space: dict[str, Dimension]
    experiment: Experiment
    source: Source | None = None

    @property
    def name(self) -> str:
        """The name of the subject."""
        return self.experiment.subject

    def make(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the subject's components by name, built with some values replaced, by dotted name."""
        nodes = {name: copy.deepcopy(self.experiment.config[name]) for name in self.experiment.runner.subject}
        for name, value in values.items():
            component, field = self._component_and_field(name)
            _parent(nodes[component], field)[field.rpartition(".")[2]] = value
        bases = self.experiment.runner.components
        return {name: build(node, bases[name], name) for name, node in nodes.items()}

    def objective(self) -> Objective:
        """Read the data and return the objective, which holds only what trials may see."""
        for word in self.added:
            log.info("%s: added, because trials are evaluated on a validation part", word)
        with threads.limit(self.experiment.runner.threads):
            return self.experiment.runner.objective(self.experiment)

    def study(self, objective: Objective) -> Study:
        """Create or reopen the study."""
        defaults = {name: self._default(name) for name in self.space}
        for name, value in [*defaults.items()]:
            if not self.space[name].holds(value):
                del defaults[name]
                what = f"its value in the yaml, {value}, is not {self.space[name]} and is skipped"
                log.warning("%s: %s", ".".join(self._component_and_field(name)), what)
        return Study(
            self.tuning,
            studies_of(self.experiment.tracking.uri),
            name=self.name,
            space=self.space,
            seed=self.experiment.seed,
            defaults=defaults,
            content={**objective.content, **self._fixed(), "definition": objective.definition},
            part=objective.part,
            metric=objective.metric,
            higher_is_better=objective.higher_is_better,
        )

    def digest(self, objective: Objective) -> str:
        """Return a digest that identifies the tuning settings of the subject, independent of data, split and seed."""
        how = describe(self.tuning)
        del how["trials"], how["study"]
        space = {name: describe(dimension) for name, dimension in self.space.items()}
        content = {**self._fixed(), "space": space, "tuning": how}
        return digest({**content, "metric": objective.metric, "definition": objective.definition})

    def run(self, study: Study, objective: Objective) -> None:
        """Run trials in this process until the study is complete."""
        with threads.limit(self.experiment.runner.threads):
            study.run(self.make, objective)

    def check(self, where: str) -> None:
        """Raise ConfigError unless every dimension names a field and all its values are allowed."""
        for name, dimension in self.space.items():
            component, field = self._component_and_field(name)
            node = self.experiment.config[component]
            parent, key = _parent(node, field, strict=False), field.rpartition(".")[2]
            if parent is None or key not in parent:
                fields = [field for field in parent or node if field != "_target_"]
                raise ConfigError(unknown(f"{where}.{name}".rpartition(".")[0], key, fields))
            for value in dimension.ends():
                try:
                    self.make({name: value})
                except ConfigError as error:
                    raise ConfigError(f"{where}.{name}: {error}") from error
        if not self.space:
            first = self.experiment.runner.subject[0]
            raise NothingToTuneError(f"{first}: {self.name} has nothing left to tune: all values are given")

    def _fixed(self) -> dict[str, Any]:
        """Return the plain content that identifies the subject, without the tuned values."""
        fixed: dict[str, Any] = describe({name: self.experiment[name] for name in self.experiment.runner.subject})
        for name in self.space:
            component, field = self._component_and_field(name)
            del _parent(fixed[component], field)[field.rpartition(".")[2]]
        return fixed

    def _default(self, name: str) -> Any:
        component, field = self._component_and_field(name)
        return _parent(self.experiment.config[component], field)[field.rpartition(".")[2]]

    def _component_and_field(self, name: str) -> tuple[str, str]:
        """Return the component and the dotted name of the field within it."""
        return component_and_field(name, self.experiment.runner.subject)


def jobs_of(
    words: Sequence[str], tuning: Mapping[str, Any] | None = None, source: Source | None = None
) -> tuple[list[TuningJob], dict[str, str]]:
    """Return the tuning jobs of a command, built and checked before any data is read, and the reasons for skipped ones.

    A list of values, `algorithm=als,ease` or `seed=1,2`, gives one job per value. Ranges and lists of the subject's own
    fields, `algorithm.k=10,20,50` or `'algorithm.l2=tag(log,interval(1,1e4))'`, replace the search space in
    conf/search. `tuning` is a config node; None: the one in the overrides. `source` is in-memory data. Raises
    ConfigError.
    """
    subject = subject_of(words)
    ranges, words_of_jobs = ranges_and_jobs(words, subject)
    jobs, left_out = [], {}
    for job_words in words_of_jobs:
        try:
            jobs.append(_job(job_words, subject[0], ranges, tuning, source))
        except NothingToTuneError as error:
            if len(words_of_jobs) == 1:
                raise
            left_out[" ".join(job_words)] = str(error)
    if not jobs:
        raise ConfigError("\n".join(left_out.values()))
    return jobs, left_out


def _job(
    words: list[str],
    first: str,
    ranges: dict[str, Override],
    tuning_node: Mapping[str, Any] | None,
    source: Source | None,
) -> TuningJob:
    """Return the job of some overrides; `first` is the first component of its runner's subject."""
    words = [f"+{word}" if word.startswith(("tuning=", "search=")) else word for word in words]
    run_words = [word for word in words if not word.lstrip("+~").startswith(("tuning", "search"))]
    cfg = config.compose(run_words)
    name = chosen(cfg).get(first, "")
    extra = [] if any(word.startswith("+tuning=") for word in words) else ["+tuning=optuna"]
    if not ranges and not any(word.startswith("+search=") for word in words):
        if name not in config.options("search"):
            problem = f"{first}: {name} has no search space: there is no conf/search/{name}.yaml"
            raise NothingToTuneError(f"{problem}; or give ranges: {first}.KEY=range(2,9)")
        extra.append(f"+search={name}")
    node = config.plain(config.compose([*extra, *words]))
    space = node.get("search", {})
    tuning = build(tuning_node or node["tuning"], Tuning, "tuning")
    added = _validation(node["split"], run_words, tuning) if "split" in node else []
    run_words += added
    tuned = experiment(config.compose(run_words) if added else cfg, tags={}, source=source)
    if not tuned.runner.tunable:
        raise ConfigError(f"runner: {type(tuned.runner).__name__} cannot be tuned: it has no objective")
    headline, higher_is_better = tuned.runner.headline(tuned)
    if higher_is_better is None:
        raise ConfigError(
            f"evaluation.metrics: {headline} comes first but has no direction (higher or lower is better); "
            "put another metric first, such as ndcg"
        )
    where = first if ranges else "search"
    if ranges:
        dimensions = {name: _dimension(tuned, name, override) for name, override in ranges.items()}
    else:
        dimensions = dict(_flat(space, where))
    fixed = {word.lstrip("+").partition("=")[0].removeprefix(f"{first}.") for word in run_words}
    dimensions = {name: dimension for name, dimension in dimensions.items() if name not in fixed}
    job = TuningJob(run_words, added, tuning, dimensions, tuned, source)
    job.check(where)
    return job


def _validation(split: dict[str, Any], words: Sequence[str], tuning: Tuning) -> list[str]:
    """Return the override that adds a validation part if neither the split nor the command defines one."""
    fields = [key for key in split if key.startswith("validation")]
    if any(split[key] for key in fields) or any(word.startswith("split.validation") for word in words):
        return []
    by_number = "validation_n" in fields and ("validation_ratio" not in fields or split.get("test_n") is not None)
    for key, value in (("validation_n", tuning.validation_n), ("validation_ratio", tuning.validation_ratio)):
        if key in fields and by_number == (key == "validation_n"):
            return [f"split.{key}={value}"]
    return []


def _flat(node: Mapping[str, Any], where: str, prefix: str = "") -> Iterator[tuple[str, Dimension]]:
    """Yield the dimensions of a nested space by dotted name."""
    for key, value in node.items():
        if isinstance(value, Mapping) and "_target_" not in value:
            yield from _flat(value, where, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", build(value, Dimension, f"{where}.{prefix}{key}")


def _dimension(tuned: Experiment, name: str, override: Override) -> Dimension:
    """Return the dimension of a field; its type is that of the config value, if there is one."""
    component, field = component_and_field(name, tuned.runner.subject)
    default = (_parent(tuned.config[component], field, strict=False) or {}).get(field.rpartition(".")[2])
    return dimension_of(f"{component}.{field}", override, default)


def _parent(node: Any, name: str, *, strict: bool = True) -> Any:
    """Return the mapping that holds the last part of a dotted name; without `strict`, None if there is none."""
    for part in name.split(".")[:-1]:
        node = node[part] if strict or (isinstance(node, dict) and part in node) else None
    return node if strict or isinstance(node, dict) else None


def find_best_run(job: TuningJob, identity: Identity, best: Best) -> str:
    """Return the id of the complete run with the best values, found by its config digest."""
    tracking = job.experiment.tracking
    with tracking.open() as store:
        complete = store.find_complete({CONFIG: identity.config_digest(job.make(best.params))})
    if complete is None:
        raise StoreError(f"tuning: {tracking.uri} has no finished run with the best values")
    return complete.id


def attach_study(job: TuningJob, study: Study, search: str, run_id: str) -> None:
    """Attach a study's name, trials and plots to the run with its best values; `search` is the job's digest."""
    tags = {TUNING: study.name, STUDY: study.digest, SEARCH: search, STUDY_TRIALS: str(len(study.trials))}
    with job.experiment.tracking.open() as store, scratch.folder() as path:
        (path / file_names.TRIALS).write_text(table(study))
        write_study_plots(path, plot_data(study))
        store.attach(run_id, tags=tags, note=summary(study), folder=path, into="tuning")
