"""Evidence of recommendations: lists and predicted ratings, judged against what was held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recexp import file_names
from recexp.data import Split
from recexp.evaluation.evaluation import EvaluationResult
from recexp.evidence import run_files
from recexp.evidence.evidence import Evidence, Units
from recexp.evidence.plots import Curves, write_plots
from recexp.evidence.table import Table
from recexp.ranking import Lists


@dataclass(frozen=True)
class PartResult:
    """One judged part of a run: `name` is test or validation, or those over listed candidates."""

    name: str
    split: Split
    lists: Lists
    predicted: np.ndarray | None
    results: EvaluationResult
    fallback_share: float

    @property
    def metrics(self) -> dict[str, float]:
        """Values by full name."""
        return {f"{self.name}/{name}": value for name, value in self.results.metrics.items()}

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """(low, high) by full name."""
        return {f"{self.name}/{name}": interval for name, interval in self.results.intervals.items()}

    def short_lists(self, k: int) -> str:
        """Return how many lists have fewer than `k` items, in a sentence; nothing where none has."""
        lengths = (self.lists.items[:, :k] >= 0).sum(axis=1)
        short = int((lengths < k).sum())
        if not short:
            return ""
        what = "items" if self.split.queries.candidates is None else "candidates"
        return (
            f"{self.name}: {short:,} of {len(lengths):,} lists have fewer than {k} items, the shortest "
            f"{lengths.min()}: the model ranks no more {what}, and missing positions count as misses"
        )

    @property
    def units(self) -> Units:
        """The values of each query, and whose it is."""
        return query_units(self.split, self.results.per_query)


def fallback_table(parts: Sequence[PartResult]) -> Table:
    """Return what share of each part's lists come from the fallback."""
    rows = [(f"fallback lists, {part.name}", f"{part.fallback_share:.1%}") for part in parts]
    return Table(("answers", "share"), rows)


def query_units(split: Split, values: Mapping[str, np.ndarray]) -> Units:
    """Return values of a split's queries, float64 (b,) by metric, with whose they are."""
    queries, held_out = split.queries, np.diff(split.target.indptr).astype(np.int64)
    about = {"query": np.arange(len(queries), dtype=np.int32), "history": queries.lengths, "held_out": held_out}
    return Units(run_files.ids_of(split.train.user_ids, queries.users), values, about)


@dataclass(frozen=True, kw_only=True)
class Recommendations(Evidence):
    """What was found of a model's answers; `test` is the final part, whose lists and slices are kept."""

    test: PartResult

    def write(self, folder: Path, unit: str, curves: Curves) -> None:
        """Write values of users, lists, predicted ratings, slices and plots."""
        super().write(folder, unit, curves)
        split, results = self.test.split, self.test.results
        ids = {"user_ids": split.train.user_ids, "item_ids": split.train.item_ids}
        hits = results.hits
        run_files.write_slices(folder, results.slices)
        run_files.write_lists(folder, users=split.queries.users, **ids, lists=self.test.lists, hits=hits)
        if self.test.predicted is not None:
            run_files.write_predictions(folder, split.test, self.test.predicted, **ids)
        write_plots(folder / file_names.PLOTS, slices=results.slices, scores=self.test.lists.scores, hits=hits)
