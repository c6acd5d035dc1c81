"""Back-fill: new metrics and cut-offs over finished runs, from the lists that they kept; nothing is fitted again."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recexp import file_names
from recexp.data import Dataset, Split
from recexp.datasets.base import Source
from recexp.errors import ConfigError, DataError, RecexpError
from recexp.evaluation.evaluation import Evaluation, EvaluationResult
from recexp.evaluation.slices import Slice
from recexp.evidence import run_files
from recexp.evidence.recommendations import query_units
from recexp.filters.base import Filters
from recexp.history.archive import Archive, StoredRun
from recexp.history.drift import other_data
from recexp.identity import digest
from recexp.metric_names import bare, is_final
from recexp.metrics.base import Metric
from recexp.params import describe, locations
from recexp.prepared import Preparation
from recexp.splits.base import Splitter
from recexp.tracking.names import SPLIT

ADDED = "recexp.added_metrics"
"""Names the metrics that a run was given after it had ended."""
Values = dict[str, tuple[float, tuple[float, float] | None]]
"""Values by full name, with their intervals where they have one."""


@dataclass(frozen=True)
class Basis:
    """What a run was judged on, and by what.

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
        """The digest of what the split is made of: where it is equal, data and split are shared."""
        parts = [self.source, self.filters, self.splitter]
        where = [locations(part) for part in parts]
        return digest([[describe(part) for part in parts], where, self.seed, self.evaluation.relevant_from])

    def prepare(self) -> Preparation:
        """Return what loads, filters and splits the data."""
        return Preparation(self.source, self.filters, self.splitter, seed=self.seed, cache=self.cache)


@dataclass(frozen=True)
class Job:
    """One run to add to: what it was judged on, and the evaluation that is wanted of it."""

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
    ) -> "Job":
        """Ask a run for metrics at cut-offs, None for its own; `again` also for those that it has already."""
        own = basis.evaluation
        wanted = replace(own, metrics=dict(metrics or own.metrics), cutoffs=list(cutoffs or own.cutoffs))
        return Job(run, basis, wanted, again)

    @property
    def missing(self) -> list[str]:
        """Names of the results that are wanted, `ndcg_at_10`."""
        has = {name.partition("/")[2] for name in self.run.metrics if is_final(name, self.run.final)}
        return [name for name in self.evaluation.names if self.again or name not in has]


def fill(archive: Archive, jobs: Sequence[Job]) -> Iterator[tuple[StoredRun, Values | RecexpError]]:
    """Evaluate each job's run and add what is new to it; yield the run with the values, or with what went wrong.

    Jobs that share data and split get them once; what was prepared before is not made again.
    """
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.basis.split, []).append(job)
    for group in groups.values():
        waiting = {job.run.id: job for job in group}
        try:
            for job, found in _judge(archive, group):
                del waiting[job.run.id]
                yield job.run, found
            problem: RecexpError = DataError(
                "the split that its config makes now is not that of the run: recexp divides otherwise by now; nothing "
                "was added"
            )
        except RecexpError as error:
            problem = error
        for job in waiting.values():
            yield job.run, problem


def _judge(archive: Archive, group: Sequence[Job]) -> Iterator[tuple[Job, Values | RecexpError]]:
    """Judge the jobs of one split; those whose split is not made now are passed over."""
    basis, left = group[0].basis, list(group)
    with basis.prepare() as prepared:
        loaded = prepared.load()
        for job in group:
            if job.basis.data != loaded.source:
                left.remove(job)
                yield job, DataError(f"{other_data(job.basis.data, loaded.source)}; nothing was added")
        splits = prepared.splits(loaded) if left else iter(())
        while left and (split := next(splits, None)) is not None:
            split = basis.evaluation.relevant(split)
            for job in [job for job in left if job.run.tags[SPLIT] == split.fingerprint]:
                left.remove(job)
                yield job, _attempt(archive, job, loaded.dataset, split)


def _attempt(archive: Archive, job: Job, dataset: Dataset, split: Split) -> Values | RecexpError:
    try:
        job.evaluation.check(dataset)
        return _add(archive, job, split, _evaluate(archive, job, split))
    except RecexpError as error:
        return error


def _evaluate(archive: Archive, job: Job, split: Split) -> EvaluationResult:
    stored, longest, n_items = job.basis.evaluation.cutoffs[-1], job.evaluation.cutoffs[-1], split.train.n_items
    if longest > stored and stored < n_items:
        raise ConfigError(f"evaluation.cutoffs: the lists that were kept have {stored} items, {longest} is too long")
    predicted = None
    if job.evaluation.rates:
        if not archive.has(job.run, file_names.PREDICTIONS):
            raise ConfigError("evaluation.metrics: metrics of ratings need predicted ones, and the run kept none")
        predicted = run_files.read_predictions(archive.file(job.run, file_names.PREDICTIONS))
    lists = run_files.read_lists(
        archive.file(job.run, file_names.LISTS),
        item_ids=split.train.item_ids,
        queries=len(split.queries),
        k=min(stored, n_items),
    )
    return job.evaluation.evaluate(split, lists, seed=job.basis.seed, predicted=predicted)


def _add(archive: Archive, job: Job, split: Split, results: EvaluationResult) -> Values:
    """Add values to the run: its tables first, so that what is in the store is in them, too."""
    run, names = job.run, job.missing
    part = f"{run.final}_candidates" if results.candidates else run.final
    found = {f"{part}/{name}": results.metrics[name] for name in names if name in results.metrics}
    bounds = {f"{part}/{name}": results.intervals[name] for name in names if name in results.intervals}
    file = archive.file(run, file_names.METRICS)
    values, intervals = run_files.read_metrics(file)
    directions = {bare(name): higher for name, higher in run_files.read_directions(file).items()}
    directions |= {name: metric.higher_is_better for name, metric in job.evaluation.metrics.items()}
    added = dict.fromkeys([*run.tags.get(ADDED, "").split(), *(name for name in found if name not in run.metrics)])
    with tempfile.TemporaryDirectory(prefix="recexp-") as scratch:
        folder = Path(scratch)
        run_files.write_metrics(folder, values | found, intervals | bounds, directions)
        _write_user_values(archive, run, folder, split, {n: v for n, v in results.per_query.items() if n in names})
        old, new = _by_name(run_files.read_slices(archive.file(run, file_names.SLICES))), _by_name(results.slices)
        run_files.write_slices(folder, list({**old, **(new if job.again else new | old)}.values()))
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
