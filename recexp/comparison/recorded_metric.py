"""A metric that a runner measured itself: its only source is what its runs recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

from recexp import file_names
from recexp.evidence import run_files
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import bare
from recexp.metrics.base import Answers, Measured, Metric


@dataclass(frozen=True)
class RecordedMetric(Metric):
    """The mean of a column of the stored table of a run's units, or of runs where there is no such table."""

    # What the class of a configured metric says of all its instances, each recorded one says of itself.
    needs = frozenset({"relevant"})
    unit = "run"
    has_units: bool
    higher_is_better: bool | None  # type: ignore[misc]

    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured | None:
        """Return None: it cannot be computed from a model's answers."""
        return None

    def stored_table(self, unit: str) -> str | None:
        return file_names.per_unit(unit) if self.has_units else None

    @classmethod
    def of(cls, archive: Archive, run: StoredRun, name: str) -> "RecordedMetric":
        """Return the metric of that name as a run recorded it."""
        directions = run_files.read_directions(archive.file(run, file_names.METRICS))
        has_units = archive.has(run, file_names.per_unit(run.unit))
        return cls(has_units, {bare(found): higher for found, higher in directions.items()}.get(bare(name)))
