"""Backfill: adds metrics and cut-offs to finished runs, computed from their stored lists; nothing is fitted again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recexp import file_names, scratch
from recexp.data import Dataset, Split
from recexp.datasets.base import Source
from recexp.errors import ConfigError, DataError, IncompatibleError, RecexpError
from recexp.evaluation.evaluation import Evaluation, EvaluationResult
from recexp.evaluation.slices import Slice
from recexp.evidence import run_files
from recexp.evidence.recommendations import query_units
from recexp.filters.base import Filters
from recexp.history.archive import Archive, StoredRun
from recexp.history.differences import other_data
from recexp.identity import digest
from recexp.metric_names import bare, is_final
from recexp.metrics.base import Metric
from recexp.params import describe, locations
from recexp.prepared import Preparation
from recexp.splits.base import Splitter
from recexp.tracking.tags import SPLIT

ADDED = "recexp.added_metrics"
"""Names the metrics that a run was given after it had ended."""
Values = dict[str, tuple[float, tuple[float, float] | None]]
"""Values by full name, with their intervals where they have one."""


@dataclass(frozen=True)
class Basis:
    """The data and the evaluation of a run.

    Attributes
    ----------
    source, filters, splitter, evaluation, seed : of its experiment.
    cache : whether data may be taken from those prepared before.
    data : the fingerprint that its data had before they were filtered.
    """

    source: Source
    filters: Filters
    splitter: Splitter
    evaluation: Evaluation
    seed: int
    cache: bool
    data: str

    @property
    def split(self) -> str:
        """The digest of what the split is made of: where it is equal, data, split and catalogue are shared."""
        chosen = self.evaluation.relevant_from, self.evaluation.catalogue
        parts = [self.source, self.filters, self.splitter]
        where = [locations(part) for part in parts]
        return digest([[describe(part) for part in parts], where, self.seed, *chosen])

    def prepare(self) -> Preparation:
        """Return the object that loads, filters and splits the data."""
        return Preparation(self.source, self.filters, self.splitter, seed=self.seed, cache=self.cache)


@dataclass(frozen=True)
class Backfill:
    """One run to add metrics to.

    Attributes
    ----------
    run : the run.
    basis : what it was evaluated on, and by.
    evaluation : what is to be computed of it now.
    again : also results that it has already.
    """

    run: StoredRun
    basis: Basis
    evaluation: Evaluation
    again: bool

    @staticmethod
    def of(
        run: StoredRun,
        basis: Basis,
        *,
        metrics: Mapping[str, Metric] | None,
        cutoffs: Sequence[int] | None,
        again: bool,
    ) -> "Backfill":
        """Request metrics at cut-offs of a run; None: the run's own. `again`: also those that it already has."""
        before = basis.evaluation
        evaluation = replace(before, metrics=dict(metrics or before.metrics), cutoffs=list(cutoffs or before.cutoffs))
        return Backfill(run, basis, evaluation, again)

    @property
    def missing(self) -> list[str]:
        """Names of the requested results, such as `ndcg_at_10`."""
        has = {name.partition("/")[2] for name in self.run.metrics if is_final(name, self.run.final)}
        return [name for name in self.evaluation.names if self.again or name not in has]


def fill(archive: Archive, backfills: Sequence[Backfill]) -> Iterator[tuple[StoredRun, Values | RecexpError]]:
    """Evaluate each run and add the new results to it; yield the run with the values, or with the error.

    Runs with the same data, split and catalog share them; prepared data are reused.
    """
    groups: dict[str, list[Backfill]] = {}
    for backfill in backfills:
        groups.setdefault(backfill.basis.split, []).append(backfill)
    for group in groups.values():
        waiting = {backfill.run.id: backfill for backfill in group}
        try:
            for backfill, found in _evaluate_group(archive, group):
                del waiting[backfill.run.id]
                yield backfill.run, found
            problem: RecexpError = DataError(
                "the config now produces a different split than in the run, because recexp has changed; nothing was "
                "added"
            )
        except RecexpError as error:
            problem = error
        for backfill in waiting.values():
            yield backfill.run, problem


def _evaluate_group(archive: Archive, group: Sequence[Backfill]) -> Iterator[tuple[Backfill, Values | RecexpError]]:
    """Evaluate the runs of one split; those whose split cannot be made now are skipped."""
    basis, left = group[0].basis, list(group)
    with basis.prepare() as prepared:
        loaded = prepared.load()
        for backfill in group:
            if backfill.basis.data != loaded.source:
                left.remove(backfill)
                yield backfill, DataError(f"{other_data(backfill.basis.data, loaded.source)}; nothing was added")
        splits = prepared.splits(loaded) if left else iter(())
        while left and (split := next(splits, None)) is not None:
            split = basis.evaluation.applied(split)
            for backfill in [one for one in left if one.run.tags[SPLIT] == split.fingerprint]:
                left.remove(backfill)
                yield backfill, _attempt(archive, backfill, loaded.dataset, split)


def _attempt(archive: Archive, backfill: Backfill, dataset: Dataset, split: Split) -> Values | RecexpError:
    try:
        backfill.evaluation.check(dataset)
    except ConfigError as error:
        return IncompatibleError(str(error))
    try:
        return _add(archive, backfill, split, _evaluate(archive, backfill, split))
    except RecexpError as error:
        return error


def _evaluate(archive: Archive, backfill: Backfill, split: Split) -> EvaluationResult:
    stored, longest, n_items = (
        backfill.basis.evaluation.cutoffs[-1],
        backfill.evaluation.cutoffs[-1],
        split.train.n_items,
    )
    if longest > stored and stored < n_items:
        raise ConfigError(f"evaluation.cutoffs: the stored lists have {stored} items; {longest} is too long")
    predicted = None
    if backfill.evaluation.rates:
        if not archive.has(backfill.run, file_names.PREDICTIONS):
            raise ConfigError("evaluation.metrics: metrics of ratings need predicted ratings, and the run stored none")
        predicted = run_files.read_predictions(archive.file(backfill.run, file_names.PREDICTIONS))
    lists = run_files.read_lists(
        archive.file(backfill.run, file_names.LISTS),
        item_ids=split.train.item_ids,
        queries=len(split.queries),
        k=min(stored, n_items),
    )
    return backfill.evaluation.evaluate(split, lists, seed=backfill.basis.seed, predicted=predicted)


def _add(archive: Archive, backfill: Backfill, split: Split, results: EvaluationResult) -> Values:
    """Add values to the run: its tables first, so that what is in the store is in them, too."""
    run, names = backfill.run, backfill.missing
    part = f"{run.final}_candidates" if results.candidates else run.final
    found = {f"{part}/{name}": results.metrics[name] for name in names if name in results.metrics}
    bounds = {f"{part}/{name}": results.intervals[name] for name in names if name in results.intervals}
    file = archive.file(run, file_names.METRICS)
    values, intervals = run_files.read_metrics(file)
    directions = {bare(name): higher for name, higher in run_files.read_directions(file).items()}
    directions |= backfill.evaluation.directions
    added = dict.fromkeys([*run.tags.get(ADDED, "").split(), *(name for name in found if name not in run.metrics)])
    with scratch.folder() as folder:
        run_files.write_metrics(folder, values | found, intervals | bounds, directions)
        _write_user_values(archive, run, folder, split, {n: v for n, v in results.per_query.items() if n in names})
        old, new = _by_name(run_files.read_slices(archive.file(run, file_names.SLICES))), _by_name(results.slices)
        run_files.write_slices(folder, list({**old, **(new if backfill.again else new | old)}.values()))
        archive.add(run, files=sorted(folder.iterdir()))
    archive.add(run, metrics=found, tags={ADDED: " ".join(added)})
    return {name: (value, bounds.get(name)) for name, value in found.items()}


def _by_name(rows: Sequence[Slice]) -> dict[tuple[str, str, str], Slice]:
    return {(row.slice, row.group, row.metric): row for row in rows}


def _write_user_values(
    archive: Archive, run: StoredRun, folder: Path, split: Split, new: Mapping[str, np.ndarray]
) -> None:
    stored = run_files.read_user_values(archive.file(run, file_names.per_unit(run.unit)))
    units = query_units(split, {**stored, **new})
    run_files.write_units(folder, run.unit, units.ids, units.values, about=units.about)
