"""Compares finished runs, for `recexp compare` and for Python."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from recexp import charts
from recexp.comparison import Comparison, Options, compare, find_runs, group_runs, latex, report, summary, tables
from recexp.comparison.groups import ComparisonGroup
from recexp.config import experiments
from recexp.errors import ConfigError
from recexp.evaluation.evaluation import Evaluation
from recexp.functions import html
from recexp.history.archive import Archive
from recexp.metric_names import pretty
from recexp.statistics import CORRECTIONS, TESTS

if TYPE_CHECKING:
    import pandas as pd

WRITERS: dict[str, Callable[[Archive, Comparison], str]] = {
    "csv": lambda archive, comparison: tables.as_csv(comparison),
    "latex": lambda archive, comparison: latex.as_latex(comparison),
    "json": lambda archive, comparison: tables.as_json(comparison),
    "html": report.as_html,
}
_ENDINGS = {".csv": "csv", ".tex": "latex", ".json": "json", ".html": "html"}


def groups_of(
    archive: Archive, experiment: str, *, runs: Sequence[str] = (), sweep: str | None = None
) -> tuple[list[ComparisonGroup], list[str]]:
    """Return the requested runs in groups that can be compared, and notes on excluded runs."""
    return group_runs(archive, find_runs(archive, experiment, runs=runs, sweep=sweep), strict=bool(runs))


def compare_groups(
    archive: Archive,
    groups: Sequence[ComparisonGroup],
    notes: list[str],
    evaluation: Evaluation,
    *,
    metric: str | None = None,
    columns: Sequence[str] = (),
    baseline: str | None = None,
    test: str = "permutation",
    correction: str = "holm",
) -> "ComparedRuns":
    """Compare groups of runs; intervals are drawn as an evaluation's are. Raises ConfigError."""
    for name, value, allowed in (("test", test, TESTS), ("correction", correction, CORRECTIONS)):
        if value not in allowed:
            raise ConfigError(f"{name}: must be one of {', '.join(allowed)} (got {value!r})")
    options = Options(
        metric=metric,
        columns=tuple(columns),
        baseline=baseline,
        test=test,
        correction=correction,
        confidence=evaluation.confidence,
        resamples=evaluation.resamples,
    )
    return ComparedRuns(compare(archive, groups, options, experiments.metric, notes), archive)


@dataclass(frozen=True, repr=False)
class ComparedRuns:
    """Models side by side.

    Attributes
    ----------
    comparison : leaderboards, tested pairs, ranks over datasets.
    archive : the store that the runs are in.
    """

    comparison: Comparison
    archive: Archive

    @property
    def sentences(self) -> list[str]:
        """The best model on each dataset, and the models that are not significantly worse."""
        return summary.summaries(self.comparison)

    @property
    def notes(self) -> list[str]:
        """How the numbers were computed, and which runs were excluded."""
        return [*tables.method(self.comparison), *self.comparison.notes]

    def to_frame(self) -> "pd.DataFrame":
        """Return a row per model and dataset: rank, mean, interval, difference to the reference, p, effect size."""
        import pandas as pd

        return pd.DataFrame(tables.as_rows(self.comparison))

    def pairs(self) -> "pd.DataFrame":
        """Return one row per tested pair."""
        import pandas as pd

        boards = self.comparison.boards
        return pd.DataFrame(
            [{"dataset": board.group.setting, **vars(pair)} for board in boards for pair in board.pairs]
        )

    def plot(self) -> html.Plots:
        """Return the models' means with their intervals, a picture a dataset."""
        name = pretty(self.comparison.metric)
        drawn = {}
        for board in self.comparison.boards:
            bars = [(ranked.row.label, ranked.mean, ranked.low, ranked.high) for ranked in board.rows[: html.MOST]]
            drawn[board.group.setting] = charts.bars(bars).file(f"{name} on {board.group.setting}")
        return html.Plots(drawn)

    def save(self, path: str | Path) -> None:
        """Write the table as .csv or .tex, all numbers as .json, or the report as .html. Raises ConfigError."""
        kind = _ENDINGS.get(Path(path).suffix)
        if kind is None:
            raise ConfigError(f"{path}: must end in one of {', '.join(_ENDINGS)}")
        Path(path).write_text(WRITERS[kind](self.archive, self.comparison), encoding="utf-8")

    def __repr__(self) -> str:
        return f"ComparedRuns({pretty(self.comparison.metric)}: {' '.join(self.sentences)})"

    def _repr_html_(self) -> str:
        parts = [f"<p>{escape(sentence)}</p>" for sentence in self.sentences]
        for board in self.comparison.boards:
            heads = ["", "model", "runs", "mean", "interval", f"vs {board.reference}", "p"]
            rows = []
            for rank, ranked in enumerate(board.rows, start=1):
                pair = board.against_reference(ranked.row.label)
                low, high = tables.number(ranked.low), tables.number(ranked.high)
                against = (
                    ["", ""]
                    if pair is None
                    else [tables.number(pair.difference, "+z.4f"), tables.chance(pair.adjusted)]
                )
                interval = f"{low} to {high}" if low else ""
                cells = [str(rank), ranked.row.label, str(len(ranked.row.runs)), tables.number(ranked.mean), interval]
                rows.append([escape(text) for text in (*cells, *against)])
            title = escape(f"{pretty(self.comparison.metric)} on {board.group.setting}")
            parts.append(f"<p><b>{title}</b></p>{html.table(heads, rows)}")
        return "".join([*parts, f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in self.notes)}</ul>"])
