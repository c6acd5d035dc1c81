"""From the words of a command to searches: which algorithms, which of their values, and how."""

import copy
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp import config, threads
from recexp.algorithms.base import Recommender
from recexp.config.building import build
from recexp.errors import ConfigError, StoreError, unknown
from recexp.identity import digest
from recexp.params import describe
from recexp.runners.base import Experiment
from recexp.runners.identity import Identity
from recexp.runners.offline import Offline
from recexp.runners.sealed import Sealed, seal
from recexp.tracking.names import CONFIG, SEARCH, STUDY, STUDY_TRIALS, TUNING
from recexp.tuning import Dimension, Objective, Study, Tuning
from recexp.tuning.overrides import parsed, searched
from recexp.tuning.storage import studies_of
from recexp.tuning.study import Best
from recexp.tuning.study_plots import write_study_plots

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

log = logging.getLogger(__name__)


class NothingToTuneError(ConfigError):
    """An algorithm has no search space, or the command fixes all of it; among several it is passed over."""


@dataclass(frozen=True)
class Search:
    """The search for one algorithm's values in one experiment.

    Attributes
    ----------
    words : the overrides of the experiment without what is searched for; with the values found they run it again.
    added : those of them that the command did not have: a validation part.
    space : dimensions by dotted name of the field.
    node : the algorithm's config, with the values tried first.
    """

    words: list[str]
    added: list[str]
    tuning: Tuning
    space: dict[str, Dimension]
    node: dict[str, Any]
    runner: Offline
    experiment: Experiment

    @property
    def algorithm(self) -> str:
        """The algorithm's name."""
        return self.experiment.choices["algorithm"]

    def make(self, values: Mapping[str, Any]) -> Recommender:
        """Build the algorithm with some of its values replaced, by dotted name."""
        node = copy.deepcopy(self.node)
        for name, value in values.items():
            _parent(node, name)[name.rpartition(".")[2]] = value
        return build(node, Recommender, "algorithm")

    def seal(self) -> Sealed:
        """Read the data, and keep the part that trials may see."""
        for word in self.added:
            log.info("%s: added, for trials are judged on a validation part", word)
        with threads.limit(self.runner.threads):
            return seal(self.experiment, self.runner)

    def study(self, sealed: Sealed) -> Study:
        """Open the study, new or begun before."""
        x = self.experiment
        of_trials = ("algorithm", "evaluation", "runner")  # what is searched, and what trials are judged by: the metric
        known = {key: value for key, value in sealed.identity.content.items() if key not in of_trials}
        defaults = {name: _parent(self.node, name)[name.rpartition(".")[2]] for name in self.space}
        for name, value in [*defaults.items()]:
            if not self.space[name].holds(value):
                del defaults[name]
                what = f"its value in the yaml, {value}, is not {self.space[name]} and is not tried"
                log.warning("algorithm.%s: %s", name, what)
        return Study(
            self.tuning,
            studies_of(x.tracking.uri),
            algorithm=self.algorithm,
            space=self.space,
            seed=x.seed,
            defaults=defaults,
            content={**known, "algorithm": self._fixed(), "definition": describe(x.evaluation.judge)},
            metric=x.evaluation.headline,
            rising=x.evaluation.rising,
        )

    @property
    def digest(self) -> str:
        """What tells this way of tuning from others of the algorithm, the same for all data, splits and seeds."""
        x, how = self.experiment, describe(self.tuning)
        del how["trials"], how["study"]
        space = {name: describe(dimension) for name, dimension in self.space.items()}
        content = {"algorithm": self._fixed(), "fallback": describe(x.fallback), "space": space, "tuning": how}
        return digest({**content, "metric": x.evaluation.headline, "definition": describe(x.evaluation.judge)})

    def _fixed(self) -> dict[str, Any]:
        """Return what identifies the algorithm without what is searched for."""
        fixed = describe(self.experiment.algorithm)
        for name in self.space:
            del _parent(fixed, name)[name.rpartition(".")[2]]
        return fixed

    def run(self, study: Study, sealed: Sealed) -> None:
        """Try values in this process until the study has enough."""
        with threads.limit(self.runner.threads):
            study.run(self.make, Objective(self.runner, self.experiment, sealed.split))


def of(words: Sequence[str], tuning: Mapping[str, Any] | None = None) -> tuple[list[Search], dict[str, str]]:
    """Return the searches of a command, built and checked before any data is read, and why others are passed over.

    A list of values, `algorithm=als,ease` or `seed=1,2`, makes a search of each; but ranges and lists of an algorithm's
    own values, `algorithm.k=10,20,50` or `'algorithm.l2=tag(log,interval(1,1e4))'`, are what is searched, instead of
    conf/search. `tuning` is a config node, None: the words' own. Raises ConfigError.
    """
    ranges, jobs = parsed(words)
    found, passed = [], {}
    for job in jobs:
        try:
            found.append(_search(job, ranges, tuning))
        except NothingToTuneError as error:
            if len(jobs) == 1:
                raise
            passed[" ".join(job)] = str(error)
    if not found:
        raise ConfigError("\n".join(passed.values()))
    return found, passed


def _search(words: list[str], ranges: "dict[str, Override]", given: Mapping[str, Any] | None) -> Search:
    from omegaconf import open_dict

    words = [f"+{word}" if word.startswith(("tuning=", "search=")) else word for word in words]
    own = [word for word in words if not word.lstrip("+~").startswith(("tuning", "search"))]
    name = config.compose(own).hydra.runtime.choices["algorithm"]
    extra = [] if any(word.startswith("+tuning=") for word in words) else ["+tuning=optuna"]
    if not ranges and not any(word.startswith("+search=") for word in words):
        if name not in config.options("search"):
            raise NothingToTuneError(f"algorithm: {name} has no search space: there is no conf/search/{name}.yaml")
        extra.append(f"+search={name}")
    cfg = config.compose([*extra, *words])
    with open_dict(cfg):
        node, space = cfg.pop("tuning"), cfg.pop("search", {})
    tuning = build(given or config.plain(node), Tuning, "tuning")
    added = _validation(config.plain(cfg)["split"], own, tuning)
    own += added
    runner, experiment = config.experiment(config.compose(own), tags={})
    if type(runner) is not Offline:
        raise ConfigError(f"runner: tuning goes with runner=offline (got {type(runner).__name__})")
    if experiment.evaluation.rising is None:
        name = experiment.evaluation.headline
        raise ConfigError(f"evaluation.metrics: {name} comes first and has no better or worse")
    algorithm, where = experiment.config["algorithm"], "algorithm" if ranges else "search"
    if ranges:
        default = {name: (_parent(algorithm, name, strict=False) or {}).get(name.rpartition(".")[2]) for name in ranges}
        dimensions = {name: searched(name, override, default[name]) for name, override in ranges.items()}
    else:
        dimensions = dict(_flat(config.plain(space), where))
    fixed = {word.lstrip("+").partition("=")[0].removeprefix("algorithm.") for word in own}
    dimensions = {name: dimension for name, dimension in dimensions.items() if name not in fixed}
    search = Search(own, added, tuning, dimensions, algorithm, runner, experiment)
    _check(search, where)
    return search


def _validation(split: dict[str, Any], words: Sequence[str], tuning: Tuning) -> list[str]:
    """Return the override that gives a split a validation part where neither it nor the command says anything of it."""
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


def _check(search: Search, where: str) -> None:
    """Raise ConfigError unless every dimension is of a field, and all its values are allowed."""
    for name, dimension in search.space.items():
        parent, key = _parent(search.node, name, strict=False), name.rpartition(".")[2]
        if parent is None or key not in parent:
            fields = [field for field in parent or search.node if field != "_target_"]
            raise ConfigError(unknown(f"{where}.{name}".rpartition(".")[0], key, fields))
        for value in dimension.ends():
            try:
                search.make({name: value})
            except ConfigError as error:
                raise ConfigError(f"{where}.{name}: {error}") from error
    if not search.space:
        raise NothingToTuneError(f"algorithm: nothing of {search.algorithm} is left to be tuned: all is given")


def _parent(node: dict[str, Any], name: str, *, strict: bool = True) -> Any:
    """Return the mapping that holds a dotted name's last part; None without `strict` where there is none."""
    for part in name.split(".")[:-1]:
        node = node[part] if strict or (isinstance(node, dict) and part in node) else None
    return node if strict or isinstance(node, dict) else None


def run_of(search: Search, identity: Identity, best: Best) -> str:
    """Return the id of the finished run of the best values, found by what its config digests to."""
    content = {**identity.content, "algorithm": describe(search.make(best.params))}
    with search.experiment.tracking.open() as store:
        done = store.find_complete({CONFIG: digest(content)})
    if done is None:
        raise StoreError(f"tuning: there is no finished run of the best values in {search.experiment.tracking.uri}")
    return done.id


def attach(search: Search, study: Study, run_id: str) -> None:
    """Put a study's name, trials and plots into the run that its best values gave, and how it searched."""
    tags = {TUNING: study.name, STUDY: study.digest, SEARCH: search.digest, STUDY_TRIALS: str(study.ended)}
    with search.experiment.tracking.open() as store, tempfile.TemporaryDirectory(prefix="recexp-") as folder:
        path = Path(folder)
        (path / "trials.csv").write_text(study.table(), encoding="utf-8")
        write_study_plots(path, study.plots())
        store.attach(run_id, tags=tags, note=study.summary(), folder=path, into="tuning")
