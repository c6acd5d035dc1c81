"""FinishedRun: one run as Python sees it, just made or read from the store; FinishedRuns: several."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, overload

from recexp import console, file_names
from recexp.errors import StoreError
from recexp.evidence import run_files
from recexp.functions import html
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import headlines, is_judgement, parsed, pretty
from recexp.runners.base import Experiment
from recexp.runners.result import RunResult
from recexp.tracking import run_link
from recexp.tracking.tags import SETTING

if TYPE_CHECKING:
    import pandas as pd

    from recexp.models.fitted import FittedModel


@dataclass(frozen=True, repr=False)
class FinishedRun:
    """One finished run.

    Attributes
    ----------
    run_id, link : its id and its page.
    about : what was run: algorithm, dataset, split, seed.
    metrics : by full name, `test/ndcg_at_10`.
    final : the part whose metrics count.
    uri : the address of its store; None: the usual one.
    shown : (item id, name, score) of the recommendations for the user that `show=USER` names.
    reused : whether an earlier run was reused.
    """

    run_id: str
    link: str
    about: Mapping[str, str]
    metrics: Mapping[str, float]
    final: str
    uri: str | None
    shown: tuple[tuple[int | str, str, float], ...] = ()
    reused: bool = False
    _fitted: "FittedModel | None" = field(default=None, compare=False)
    _intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, result: RunResult, experiment: Experiment) -> "FinishedRun":
        """Return a run of an experiment by its result."""
        names = experiment.runner.subject[0], experiment.runner.setting, *experiment.labels
        about = {name: experiment.choices.get(name, "") for name in names if name}
        return cls(
            result.run_id,
            result.link,
            {**about, "seed": str(experiment.seed)},
            result.metrics,
            result.final,
            experiment.tracking.uri,
            result.shown,
            result.reused,
            result.model,
            result.intervals,
        )

    @classmethod
    def of_stored(cls, run: StoredRun, archive: Archive) -> "FinishedRun":
        """Return a run that a store holds."""
        names = dict.fromkeys([run.subject[0], "split", "seed", "fold"])
        about = {name: run.tags[name] for name in names if name in run.tags}
        return cls(
            run.id,
            run_link(archive.uri, run.experiment, run.id),
            {
                run.subject[0]: about.pop(run.subject[0], run.name),
                run.tags.get(SETTING, "dataset"): run.setting,
                **about,
            },
            run.metrics,
            run.final,
            archive.uri,
            reused=True,
        )

    @cached_property
    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """(low, high) by full name, of the metrics that have one."""
        return self._intervals or run_files.read_metrics(self._file(file_names.METRICS))[1]

    @cached_property
    def model(self) -> "FittedModel":
        """The fitted model. Raises StoreError when the run has kept none."""
        if self._fitted is not None:
            return self._fitted
        from recexp.history.references import folder_of_model
        from recexp.models.fitted import FittedModel

        return FittedModel.load(folder_of_model(*self._stored))

    def to_frame(self) -> "pd.DataFrame":
        """Return a row a metric: part, metric, k, value, low, high; those of the final part first."""
        import pandas as pd

        names = sorted(filter(is_judgement, self.metrics), key=lambda name: parsed(name)[0] != self.final)
        rows = [(*parsed(name), self.metrics[name], *self.intervals.get(name, (None, None))) for name in names]
        found = pd.DataFrame(rows, columns=["part", "metric", "k", "value", "low", "high"])
        return found.astype({"k": "Int64", "low": float, "high": float})

    def lists(self) -> "pd.DataFrame":
        """Return what was recommended in the test: query, user_id, rank, item_id, score, hit. Raises StoreError."""
        return _frame(run_files.read_parquet(self._file(file_names.LISTS)))

    def per_user(self) -> "pd.DataFrame":
        """Return each metric of each user (or what else units are) in the test. Raises StoreError."""
        return _frame(run_files.read_parquet(self._file(file_names.per_unit(self._stored[1].unit))))

    def plot(self) -> html.Plots:
        """Return the plots of the run: quality by groups of users and items, scores, learning curves."""
        folder = self._file(file_names.PLOTS)
        return html.Plots({path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.svg"))})

    @property
    def title(self) -> str:
        """Algorithm, dataset and split in a line."""
        first, setting, *others = self.about.items()
        return ", ".join([f"{first[1]} on {setting[1]}", *(f"{name} {value}" for name, value in others)])

    def __repr__(self) -> str:
        name = next(iter(headlines(self.metrics, self.final)), None)
        what = "no metrics" if name is None else f"{pretty(name)} {self.metrics[name]:.4f}{self._interval(name)}"
        return f"FinishedRun({what}, {self.title}, run {self.run_id})"

    def _repr_html_(self) -> str:
        heads, rows = console.metric_table(self.metrics, self.intervals, self.final)
        body = html.table(heads, [list(map(escape, row)) for row in rows])
        return f"<p><b>{escape(self.title)}</b></p>{body}<p>{html.link(self.link, f'run {self.run_id}')}</p>"

    def _interval(self, name: str) -> str:
        low, high = self._intervals.get(name, (0.0, 0.0))
        return f" [{low:.4f}, {high:.4f}]" if high > low else ""

    def _file(self, name: str) -> Any:
        archive, run = self._stored
        return archive.file(run, name)

    @cached_property
    def _stored(self) -> tuple[Archive, StoredRun]:
        archive = Archive(self.uri)
        return archive, archive.run(self.run_id)


@dataclass(frozen=True, repr=False)
class FinishedRuns(Sequence[FinishedRun]):
    """Several runs, in order; indexed and counted as a list."""

    found: Sequence[FinishedRun]

    @overload
    def __getitem__(self, index: int) -> FinishedRun: ...
    @overload
    def __getitem__(self, index: slice) -> "FinishedRuns": ...
    def __getitem__(self, index: int | slice) -> "FinishedRun | FinishedRuns":
        return FinishedRuns(self.found[index]) if isinstance(index, slice) else self.found[index]

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[FinishedRun]:
        return iter(self.found)

    def to_frame(self) -> "pd.DataFrame":
        """Return a row a run: run_id, what was run, and its metrics by full name."""
        import pandas as pd

        return pd.DataFrame([{"run_id": run.run_id, **run.about, **run.metrics} for run in self.found])

    def __repr__(self) -> str:
        count = f"{len(self)} run{'' if len(self) == 1 else 's'}"
        return f"FinishedRuns({count}{f', the first: {self.found[0]!r}' if self.found else ''})"

    def _repr_html_(self) -> str:
        names = list(dict.fromkeys(name for run in self.found for name in headlines(run.metrics, run.final)[:3]))[:6]
        abouts = list(dict.fromkeys(key for run in self.found for key in run.about))
        rows = [
            [
                html.link(run.link, run.run_id[:8]),
                *(escape(run.about.get(key, "")) for key in abouts),
                *(html.cell(run.metrics.get(name)) for name in names),
            ]
            for run in self.found
        ]
        return html.table(["run", *abouts, *map(pretty, names)], rows)


def load(run: str, *, uri: str | None = None) -> FinishedRun:
    """Return a run by its id or the beginning of it; see `recexp.load`."""
    archive = Archive(uri)
    found = archive.run(run)
    if not found.complete:
        raise StoreError(f"run {found.id} is not finished ({found.status.lower()}); its results cannot be trusted")
    return FinishedRun.of_stored(found, archive)


def runs(experiment: str, *, uri: str | None = None) -> FinishedRuns:
    """Return the finished runs of an experiment, the newest first; see `recexp.runs`."""
    archive = Archive(uri)
    return FinishedRuns([FinishedRun.of_stored(run, archive) for run in reversed(archive.runs(experiment))])


def _frame(table: Any) -> "pd.DataFrame":
    frame: pd.DataFrame = table.to_pandas()
    return frame
