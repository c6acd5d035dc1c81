"""Compare the runs of a protocol: leaderboards with intervals, paired tests between the best, ranks over datasets."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from recexp.comparison import metric_definitions, pairs, ranks, unit_values
from recexp.comparison.groups import ComparisonGroup
from recexp.comparison.recorded_metric import RecordedMetric
from recexp.comparison.results import Comparison, Leaderboard, Options, RankedRow
from recexp.comparison.rows import Row, seed_fold_split
from recexp.errors import ConfigError, unknown
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import bare, headlines, point, pretty
from recexp.metrics.base import Metric
from recexp.rng import generator
from recexp.statistics.bootstrap import intervals
from recexp.tracking.tags import BOUND, SPLIT

TESTED = 20
"""How many rows, the best, are tested against each other: with more, a correction leaves little to be found."""
FEW = 100
"""With fewer units percentile intervals of skewed values hold clearly less than they say."""
_JUDGED = {"relevant", "ratings", "labels"}
_NAMED = 5
"""Rows that a note names."""
_WORK = ("cost/fit_cpu_seconds", "cost/recommend_cpu_seconds")

MetricOf = Callable[[str], Metric]
"""From the name of a metric, `ndcg`, to its definition; raises ConfigError."""


def compare(
    archive: Archive,
    groups: Sequence[ComparisonGroup],
    options: Options,
    metric_of: MetricOf,
    notes: Sequence[str] = (),
) -> Comparison:
    """Compare the rows of each group. Raises ConfigError for a metric or baseline that is not there, or a metric that
    is not the same in all runs."""
    allowed = list(dict.fromkeys(name for group in groups for name in [*group.metrics(), *group.points()]))
    name = allowed[0] if options.metric is None else _full_name("--metric", options.metric, allowed)
    newest = groups[0].newest
    columns = [_full_name("--columns", column, allowed) for column in options.columns]
    shown = columns or headlines(groups[0].metrics(), newest.final)
    names = [name, *(other for other in shown if other != name)]
    metric, notes = _defined(archive, newest, name, metric_of), list(notes)
    if metric.higher_is_better is None:
        usable = [
            other.partition("/")[2]
            for other in groups[0].metrics()
            if (kind := _known(archive, newest, other, metric_of)) and kind.directed
        ]
        raise ConfigError(
            f"--metric: {name.partition('/')[2]} has no direction (higher or lower is better); "
            f"choose one of: {', '.join(usable)}"
        )
    kinds = {other: _known(archive, newest, other, metric_of) for other in names}
    higher_is_better = {other: None if kind is None else kind.higher_is_better for other, kind in kinds.items()}
    directed = {other: kind for other, kind in kinds.items() if kind and kind.directed}
    beyond = [other for other, kind in directed.items() if not kind.needs & _JUDGED]
    chosen = [(group, _attainable(group, _rows(group, name, metric, notes), name, options, notes)) for group in groups]
    if options.baseline is not None and any(_called(rows, options.baseline) for _, rows in chosen):
        missing = [group.setting for group, rows in chosen if not _called(rows, options.baseline)]
        notes += [f"{setting}: excluded, because it has no {options.baseline}" for setting in missing]
        chosen = [(group, rows) for group, rows in chosen if group.setting not in missing]
    depth = metric_definitions.depth(metric, TESTED)
    metric_definitions.check(archive, [row for _, rows in chosen for row in rows[:depth]], name)
    boards = [_board(archive, group, rows, name, metric, options, notes) for group, rows in chosen if rows]
    if metric.stored_table(newest.unit) is None:
        notes.append(f"{name} has one value per run, not per {newest.unit}, so there are no intervals or tests")
    ranking = ranks.rank_across(boards, metric, options, notes)
    formulas = {other: _formula(kind) for other, kind in kinds.items() if kind is not None}
    return Comparison(name, newest.unit, options, higher_is_better, formulas, beyond, boards, ranking, notes)


def _formula(metric: Metric) -> str:
    """Return the first line of what a metric's class says of itself."""
    if isinstance(metric, RecordedMetric):
        return "as measured by its runner"
    return (type(metric).__doc__ or "").partition("\n")[0].rstrip(".")


def _defined(archive: Archive, run: StoredRun, name: str, metric_of: MetricOf) -> Metric:
    """Return a metric by its full name: as configured, or as a runner that measures by itself recorded it."""
    if "evaluation.metrics" in run.params:
        try:
            return metric_of(bare(name))
        except ConfigError as error:
            raise ConfigError(f"{error}; if the metric is your own, add --config-dir DIR") from error
    return RecordedMetric.of(archive, run, name)


def _known(archive: Archive, run: StoredRun, name: str, metric_of: MetricOf) -> Metric | None:
    try:
        return _defined(archive, run, name, metric_of)
    except ConfigError:  # of a config folder that is not given now
        return None


def _full_name(option: str, wanted: str, names: Sequence[str]) -> str:
    """Return the full name of a metric, which may be given without its part."""
    for name in names:
        if wanted in (name, name.partition("/")[2]):
            return name
    allowed = list(dict.fromkeys(name.partition("/")[2] if point(name) is None else name for name in names))
    raise ConfigError(f"{option}: {unknown('', wanted, allowed, what='no run has it')}")


def _rows(group: ComparisonGroup, name: str, metric: Metric, notes: list[str]) -> list[Row]:
    """Return the rows with a metric, each with the runs that have it, the best first."""
    rows = [row.having(name) for row in group.rows if row.has(name)]
    if len(rows) < len(group.rows):
        notes.append(f"{group.setting}: {len(group.rows) - len(rows)} models excluded, because they have no {name}")
    whole = {row.key: len(row.runs) for row in group.rows}
    fewer = [f"{row.label} ({whole[row.key] - len(row.runs)})" for row in rows if len(row.runs) < whole[row.key]]
    if fewer:
        notes.append(f"{group.setting}: runs without {name} are excluded from {_listed(fewer, ', ')}")
    sign = 1 if metric.higher_is_better else -1
    return sorted(rows, key=lambda row: (-sign * row.mean(name), row.label))


def _attainable(group: ComparisonGroup, rows: list[Row], name: str, options: Options, notes: list[str]) -> list[Row]:
    """Return the rows without those that are upper bounds, which notes tell; with them where they are all there is."""
    bounds = [row for row in rows if any(BOUND in run.tags for run in row.runs)]
    if options.baseline is not None:
        bounds = [row for row in bounds if row not in _called(rows, options.baseline)]
    if not bounds or len(bounds) == len(rows):
        return rows
    notes += [
        f"{group.setting}: {row.label} is an upper bound, {pretty(name)} {row.mean(name):.4f}; it knows what no other "
        "can know, and is neither ranked nor tested"
        for row in bounds
    ]
    return [row for row in rows if row not in bounds]


def _board(
    archive: Archive,
    group: ComparisonGroup,
    rows: Sequence[Row],
    name: str,
    metric: Metric,
    options: Options,
    notes: list[str],
) -> Leaderboard:
    baseline = None if options.baseline is None else _baseline(rows, options.baseline)
    reference = baseline if baseline is not None else rows[0]
    best = [*rows[:TESTED], *([baseline] if baseline is not None and baseline not in rows[:TESTED] else [])]
    notes += [*_unequal(group, best), *_versions(group, rows)]
    if metric.stored_table(group.unit) is None:
        return Leaderboard(group, [_ranked(row, name) for row in rows], [], reference.label)
    values = unit_values.read(archive, best, name, metric)
    if values.n_units < FEW:
        notes.append(f"{group.setting}: {values.n_units} {group.unit}s: with so few, intervals may be too narrow")
    bounds = dict(zip((row.label for row in best), _bounds(values, metric, options)))
    ranked = [_ranked(row, name, bounds.get(row.label)) for row in rows]
    tested, more = pairs.compare_pairs(rows, best, baseline, values, name, metric, options, group.unit)
    notes += [f"{group.setting}: {note}" for note in more]
    return Leaderboard(group, ranked, tested, reference.label)


def _unequal(group: ComparisonGroup, rows: Sequence[Row]) -> list[str]:
    """Say which rows lack splits that others have: their means are not of the same."""
    by_split = {run.tags[SPLIT]: run for row in reversed(rows) for run in row.runs}
    unequal = []
    for row in rows:
        missing = sorted(
            seed_fold_split(by_split[split]) for split in by_split.keys() - {run.tags[SPLIT] for run in row.runs}
        )
        if missing:
            unequal.append(f"{row.label} lacks {_listed(missing, ', ')}")
    if not unequal:
        return []
    return [
        f"{group.setting}: means are over different splits, differences over the splits that two "
        f"models share: {_listed(unequal, '; ')}"
    ]


def _versions(group: ComparisonGroup, rows: Sequence[Row]) -> list[str]:
    """Say which models are there in several versions of their code, and which of these is the newest."""
    newest: dict[str, dict[str, int]] = {}
    for row in rows:
        if (code := dict(row.key.params).get("code")) is not None:
            began = newest.setdefault(row.key.name, {})
            began[code] = max(began.get(code, 0), *(run.started for run in row.runs))
    return [
        f"{group.setting}: the code of {name}, or a file that it reads, has changed between runs; "
        f"code={max(began, key=began.__getitem__)} is the newest version"
        for name, began in newest.items()
        if len(began) > 1
    ]


def _listed(words: Sequence[str], between: str) -> str:
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return between.join(words[:_NAMED]) + more


def _called(rows: Sequence[Row], wanted: str) -> list[Row]:
    exact = [row for row in rows if row.label == wanted]
    return exact or [row for row in rows if row.label.partition(" ")[0] == wanted]


def _baseline(rows: Sequence[Row], wanted: str) -> Row:
    found = _called(rows, wanted)
    if len(found) == 1:
        return found[0]
    problem = "there are several of" if found else "there is no"
    labels = [row.label for row in found or rows][:TESTED]
    raise ConfigError(f"--baseline: {problem} {wanted}; give one of: {', '.join(map(repr, labels))}")


def _ranked(row: Row, name: str, bounds: np.ndarray | None = None) -> RankedRow:
    low, high = (math.nan, math.nan) if bounds is None else bounds.tolist()
    work = [sum(run.metrics[cost] for cost in _WORK) for run in row.runs if all(cost in run.metrics for cost in _WORK)]
    least, most = (min(work), max(work)) if work else (math.nan, math.nan)
    return RankedRow(row, row.mean(name), row.deviation(name), low, high, least, most)


def _bounds(values: unit_values.Values, metric: Metric, options: Options) -> np.ndarray:
    """Return float64 (r, 2): the interval of each row's mean, units resampled."""
    drawn = intervals(
        values.means,
        values.n_units,
        resamples=options.resamples,
        confidence=options.confidence,
        rng=generator(0, "compare", "bootstrap"),
    )
    return metric.finish(np.concatenate(drawn, axis=1).T)
