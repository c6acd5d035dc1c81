"""Fold: the data of one run of a recommender, with its tables and audit."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recexp.audit import AuditReport
from recexp.data import Column, Dataset, Interactions, Listed, Queries, Split
from recexp.data.id_codes import IdCodes
from recexp.errors import ConfigError, IncompatibleError
from recexp.evidence.log_report import LogReport
from recexp.evidence.table import Table
from recexp.filters.base import Effect, Filters
from recexp.params import describe
from recexp.prepared import Preparation
from recexp.prepared.preparation import Loaded
from recexp.runners.base import Experiment, Plan
from recexp.tracking import Input
from recexp.tracking.tags import DATA, SPLIT

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fold:
    """The data that one run works on.

    Attributes
    ----------
    loaded : the fingerprint before filters.
    effects, filtered : the effect of each filter, and the fingerprint of the filtered data.
    filters : description of the filters, with a revision for steps whose meaning on these data has changed between
        versions; None if there is no such step.
    split, audit : the split and its audit.
    report : statistics of the rows before filters, if the runner is asked for them.
    """

    loaded: str
    effects: list[Effect]
    filtered: Dataset
    filters: Any | None
    split: Split
    audit: AuditReport
    report: LogReport | None = None

    @classmethod
    def of(cls, experiment: Experiment, loaded: Loaded, split: Split) -> "Fold":
        """Audit a split of the loaded data. Raises LeakageError if the audit policy requires it."""
        unfiltered = loaded.dataset.interactions if loaded.unfiltered is None else loaded.unfiltered
        merged = loaded.dataset.interactions if loaded.later else None
        audit = experiment["audit"].inspect(split, experiment["split"].time, unfiltered, merged)
        if not split.fold:  # shared by all folds
            _tell_dislikes(split.train)
        filters = _revised(experiment["filter"], loaded.revised) if loaded.revised else None
        return cls(loaded.source, loaded.effects, loaded.dataset, filters, split, audit)

    def plan(self, work: Any) -> Plan:
        """Return the plan of a run on this fold with the input `work`."""
        fold = {} if self.split.fold is None else {"fold": str(self.split.fold)}
        return Plan(
            work=work,
            protocol={
                "data": self.loaded,
                **self._listed(),
                **({"filters": self.filters} if self.filters else {}),
            },
            content={"split": self.split.fingerprint},
            tags={**fold, DATA: self.filtered.fingerprint, SPLIT: self.split.fingerprint},
        )

    def _listed(self) -> dict[str, str]:
        """Return digests of the table rows of items and users without a row that were added; {} if none were."""
        known, train, found = self.filtered, self.split.train, {}
        if _fewer(train.listed, known.listed):
            found["listed"] = _from(known.n_items, train.item_ids, train.items)
        if _fewer(train.listed_users, known.listed_users):
            found["listed_users"] = _from(known.n_users, train.user_ids, train.users)
        return found

    def inputs(self, experiment: Experiment) -> list[Input]:
        """Return the input data of the run."""
        choices, origin = experiment.choices, experiment["dataset"].origin()
        name = f"{choices['dataset']} {choices['split']}"
        return [
            Input("data", choices["dataset"], self.filtered.fingerprint, origin),
            Input("train", f"{name} train", self.split.train.fingerprint, origin),
            Input("test", f"{name} test", self.split.fingerprint, origin),
        ]

    def tables(self) -> list[Table]:
        """Return tables of the effects of filters and split, and of the audit's findings."""
        parts = {"all": self.filtered.interactions, "train": self.split.train.interactions}
        if (inner := self.split.validation) is not None:
            parts |= {"train of validation": inner.train.interactions, "validation": inner.test}
        parts["test"] = self.split.test
        expected = {name: ", as expected of this split" for name in self.audit.expected}
        shares = {name: _share(name, value) for name, value in self.audit.metrics.items()}
        audit = [(name, share + expected.get(name, "")) for name, share in shares.items()]
        audited = Table(("leakage audit", "value"), audit, self.audit.facts)
        return [data_table(self.effects, parts), audited, *([self.report.table] if self.report else [])]


def _tell_dislikes(train: Dataset) -> None:
    """Warn about rows whose weight marks them as dislikes and that no filter dropped."""
    rows = train.interactions
    if not rows.explicit and (n := int((rows.values <= 0).sum())):
        log.warning(
            "%s: %d of %d train rows have a weight of 0 or less and still count as likes; filter=implicit, "
            "filter=counts or Binarize in filter.steps drops such rows",
            *(train.name, n, len(rows)),
        )


def _fewer(left: Listed | None, listed: Listed | None) -> bool:
    return left is not None and listed is not None and len(left) < len(listed)


def _from(start: int, ids: np.ndarray, table: Mapping[str, Column]) -> str:
    """Return a digest of the ids from code `start` on and their table rows."""
    codes = np.arange(start, len(ids))
    return Listed(ids[codes], {name: column.take(codes) for name, column in table.items()}).fingerprint


def _revised(filters: Filters, steps: list[int]) -> Any:
    """Return the description of the filters, with some steps marked by their meaning since version 0.2.0."""
    described = describe(filters)
    for number in steps:
        described["steps"][number]["revision"] = 2
    return described


def prepare(experiment: Experiment, *, cache: bool) -> Preparation:
    """Return the object that loads, filters and splits the data of an experiment."""
    components = (experiment[name] for name in ("dataset", "filter", "split"))
    return Preparation(*components, seed=experiment.seed, cache=cache)


def check_compatible(experiment: Experiment, dataset: Dataset, *, show: int | str | None) -> None:
    """Raise IncompatibleError if data lack what an algorithm or reranker needs, ConfigError for a metric or `show`.

    `show` is the user whose recommendations are displayed, or None.
    """
    evaluation = experiment["evaluation"]
    for role in experiment.runner.subject:
        if missing := experiment[role].missing_requirements(dataset):
            raise IncompatibleError(f"{role}: {missing}")
    if show is not None and (known := IdCodes(dataset.user_ids)).code(show) < 0:
        none, near = f"show: there is no user {show} in {dataset.name} after filtering", known.near(show)
        raise ConfigError(none if near is None else f"{none}; did you mean {_showing(near)}?")
    evaluation.check(dataset)


def _showing(user: int | str) -> str:
    """Return the override that shows a user, quoted if the id is text."""
    return f"show={user}" if isinstance(user, int) else f"show=\"'{user}'\""


def tell_unranked(experiment: Experiment, loaded: Loaded, split: Split) -> None:
    """Log how many items of the dataset are not ranked, and why."""
    catalogue, train, effects = experiment["evaluation"].catalogue, split.train, loaded.effects
    listed = 0 if train.listed is None else len(train.listed)
    removed = effects[0].before[2] - loaded.dataset.n_items if effects else 0
    unseen = int((~train.interactions.known_items).sum()) if catalogue == "in_train" else 0
    reasons = {
        "have no row (evaluation.catalogue=listed ranks them)": listed,
        "were removed by the filters": removed,
        "have no train row": unseen,
    }
    known = train.interactions.known_items
    if catalogue == "new":
        log.info("%d items are ranked: those without a train row", (~known).sum())
    elif not known[split.target.indices].any():
        log.info(
            "no held-out item has a train row, and each is ranked among %d items that have; evaluation.catalogue=new "
            "ranks new items alone",
            known.sum(),
        )
    if catalogue != "new" and loaded.dataset.items and any(reasons.values()):
        told = ", ".join(f"{n} {reason}" for reason, n in reasons.items() if n)
        log.info("%d items are not ranked: %s", sum(reasons.values()), told)
    elif catalogue == "listed" and not loaded.dataset.items:
        log.warning("evaluation.catalogue=listed: the data has no items table; all items with a row are ranked")


def final_queries(experiment: Experiment, split: Split, *, refit: bool) -> Queries:
    """Return the test queries with the histories the model sees: all known rows, or only its train rows.

    Raises ConfigError if `evaluation.history=train` is not possible.
    """
    queries = split.queries
    if refit or split.validation is None or experiment["evaluation"].history == "all":
        return queries
    train = split.train.interactions
    if (queries.lengths != np.bincount(train.users, minlength=train.n_users)[queries.users]).any():
        raise ConfigError("evaluation.history=train: with this split, histories are more than the users' train rows")
    from_train = Queries.of_users(queries.users, split.validation.train.interactions, exclude_seen=False)
    if not from_train.lengths.all():
        raise ConfigError("evaluation.history=train: some test users have no rows in the train part of validation")
    return replace(queries, log=from_train.log, start=from_train.start, stop=from_train.stop)


def data_table(effects: list[Effect], parts: dict[str, Interactions]) -> Table:
    """Return the number of rows, users and items after each filter and in each part."""
    rows = [(f"filter {e.step}: before", *map(_count, e.before)) for e in effects[:1]]
    rows += [(f"after {e.step}", *map(_count, e.after)) for e in effects]
    for name, log in parts.items():
        rows.append((f"**{name}**", *map(_count, (len(log), len(log.used_users), len(log.used_items)))))
    return Table(("data", "rows", "users", "items"), rows, data_facts(parts["all"]) if "all" in parts else ())


def data_facts(log: Interactions) -> list[str]:
    """Return the density of the data and their time range."""
    if not len(log):
        return []
    users, items = (
        np.bincount(codes)[used] for codes, used in ((log.users, log.used_users), (log.items, log.used_items))
    )
    density = len(log) / (len(users) * len(items))
    facts = [
        f"rows per pair of user and item: {density:.3%}; rows of the median user: {np.median(users):g}, of the median "
        f"item: {np.median(items):g}"
    ]
    if log.timestamps is not None:
        first, last = (np.datetime64(int(time), log.time_unit) for time in (log.timestamps.min(), log.timestamps.max()))
        facts.append(f"from {first.astype('datetime64[D]')} to {last.astype('datetime64[D]')}")
    return facts


def _count(number: int) -> str:
    return f"{number:,}"


def _share(name: str, value: float) -> str:
    return f"{value:g}" if name == "leaking_features" else f"{value:.2%}"
