"""Compare the runs of a protocol: leaderboards with intervals, paired tests between the best, ranks over data sets."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from recexp.compare import values
from recexp.compare.collect import Field, Row
from recexp.compare.results import Across, Comparison, Leaderboard, Line, Options, Pair
from recexp.errors import ConfigError
from recexp.metrics.base import Metric, RatingMetric
from recexp.outputs.description import headlines
from recexp.rng import generator
from recexp.statistics import CORRECTIONS, TESTS, Effects, average_ranks, cliques, critical_difference, friedman
from recexp.statistics.bootstrap import intervals
from recexp.tracking import Archive

TESTED = 20
"""How many rows, the best, are tested against each other: with more, a correction leaves little to be found."""
_JUDGED = {"relevant", "ratings"}
COSTS = ("cost/fit_seconds", "cost/recommend_seconds")

MetricOf = Callable[[str], Metric]
"""From the name of a metric, `ndcg`, to its definition; raises ConfigError."""


def compare(
    archive: Archive, fields: Sequence[Field], options: Options, metric_of: MetricOf, notes: Sequence[str] = ()
) -> Comparison:
    """Compare the rows of each field. Raises ConfigError for a metric or baseline that is not there."""
    name = _metric(fields, options.metric)
    shown = headlines(fields[0].metrics())
    names = [name, *(other for other in shown if other != name)]
    metric, said = metric_of(_bare(name)), list(notes)
    if metric.higher_is_better is None:
        raise ConfigError(f"--metric: {name} has no better or worse; choose one that has, of {', '.join(shown)}")
    kinds = {other: _known(other, metric_of) for other in names}
    rising = {other: kind and kind.higher_is_better for other, kind in kinds.items()}
    beyond = [other for other, kind in kinds.items() if kind and rising[other] is not None and not kind.needs & _JUDGED]
    boards = [_board(archive, field, name, metric, names[1:], options, said) for field in fields]
    if not values.testable(metric):
        said.append(f"{name} has one value a run, none a user: there are neither intervals nor tests")
    return Comparison(name, options, rising, beyond, boards, _across(boards, metric, options, said), said)


def _known(name: str, metric_of: MetricOf) -> Metric | None:
    try:
        return metric_of(_bare(name))
    except ConfigError:  # of a config folder that is not given now
        return None


def _metric(fields: Sequence[Field], wanted: str | None) -> str:
    """Return the full name of the metric."""
    names = list(dict.fromkeys(name for field in fields for name in field.metrics()))
    if wanted is None and names:
        return names[0]
    for name in names:
        if wanted in (name, name.partition("/")[2]):
            return name
    raise ConfigError(f"--metric: no run has {wanted}; there are {', '.join(n.partition('/')[2] for n in names)}")


def _board(
    archive: Archive, field: Field, name: str, metric: Metric, others: Sequence[str], options: Options, notes: list[str]
) -> Leaderboard:
    rows = [row for row in field.rows if row.has(name)]
    if len(rows) < len(field.rows):
        notes.append(f"{field.dataset}: without {name}, so left out: {len(field.rows) - len(rows)} of the models")
    sign = 1 if metric.higher_is_better else -1
    rows.sort(key=lambda row: (-sign * row.mean(name), row.label))
    baseline = None if options.baseline is None else _baseline(rows, options.baseline)
    reference = baseline if baseline is not None else rows[0]
    if not values.testable(metric):
        return Leaderboard(field, [_line(row, name, others) for row in rows], [], reference.label)
    tested = rows[:TESTED] + ([baseline] if baseline is not None and baseline not in rows[:TESTED] else [])
    if len(tested) < len(rows):
        notes.append(f"{field.dataset}: intervals and tests are of the best {TESTED} of {len(rows)} models")
    found = values.read(archive, tested, name, metric)
    bounds = _bounds(found, metric, options)
    known = {row.label: bound for row, bound in zip(tested, bounds)}
    lines = [_line(row, name, others, known.get(row.label)) for row in rows]
    return Leaderboard(field, lines, _pairs(tested, baseline, found, name, sign, options), reference.label)


def _baseline(rows: Sequence[Row], wanted: str) -> Row:
    exact = [row for row in rows if row.label == wanted]
    found = exact or [row for row in rows if row.label.partition(" ")[0] == wanted]
    if len(found) == 1:
        return found[0]
    problem = "there are several of" if found else "there is no"
    labels = [row.label for row in found or rows][:TESTED]
    raise ConfigError(f"--baseline: {problem} {wanted}; give one of: {', '.join(map(repr, labels))}")


def _line(row: Row, name: str, others: Sequence[str], bounds: np.ndarray | None = None) -> Line:
    found = [run.metrics[name] for run in row.runs if name in run.metrics]
    deviation = float(np.std(found, ddof=1)) if len(found) > 1 else math.nan
    low, high = (math.nan, math.nan) if bounds is None else bounds.tolist()
    means = {other: row.mean(other) for other in others if row.has(other)}
    seconds = sum(row.mean(cost) for cost in COSTS) if all(map(row.has, COSTS)) else math.nan
    return Line(row, float(np.mean(found)), deviation, low, high, means, seconds)


def _bounds(found: values.Values, metric: Metric, options: Options) -> np.ndarray:
    """Return float64 (r, 2): the interval of each row's mean, users resampled."""
    drawn = intervals(
        found.means, found.n_users, resamples=options.resamples, confidence=options.confidence,
        rng=generator(0, "compare", "bootstrap"),
    )  # fmt: skip
    bounds = np.concatenate(drawn, axis=1).T
    return metric.finish(bounds) if isinstance(metric, RatingMetric) else bounds


def _pairs(
    rows: Sequence[Row], baseline: Row | None, found: values.Values, name: str, sign: int, options: Options
) -> list[Pair]:
    """Test each row against the baseline, or else all pairs; a better row comes first."""
    places = range(len(rows))
    if baseline is None:
        pairs = [(a, b) for a in places for b in places if a < b]
    else:
        pairs = [(a, rows.index(baseline)) for a in places if rows[a] is not baseline]
    if not pairs:
        return []
    first, second = np.array(pairs).T
    apart = sign * found.differences(first, second)
    p = TESTS[options.test](apart, rng=generator(0, "compare", options.test))
    adjusted, effects = CORRECTIONS[options.correction](p), Effects.of(apart)
    columns = zip(pairs, p, adjusted, effects.n, effects.d_z, effects.rank_biserial, effects.wins, effects.ties,
                  effects.losses)  # fmt: skip
    return [
        Pair(rows[a].label, rows[b].label, rows[a].mean(name) - rows[b].mean(name), float(p), float(q), int(n),
             float(d), float(r), int(w), int(t), int(lost))
        for (a, b), p, q, n, d, r, w, t, lost in columns
    ]  # fmt: skip


def _across(boards: Sequence[Leaderboard], metric: Metric, options: Options, notes: list[str]) -> Across | None:
    """Rank the models that are on all boards."""
    if len(boards) < 2:
        return None
    by_label = [{line.row.label: line.mean for line in board.lines} for board in boards]
    labels = [label for label in by_label[0] if all(label in found for found in by_label)]
    if len(labels) < 2:
        notes.append("fewer than two models are on all data sets, so there are no ranks over them")
        return None
    sign = 1 if metric.higher_is_better else -1
    table = sign * np.array([[found[label] for label in labels] for found in by_label])
    mean_ranks = average_ranks(table)
    order = np.argsort(mean_ranks, kind="stable")
    labels, table, mean_ranks = [labels[i] for i in order], table[:, order], mean_ranks[order]
    chi2, p = friedman(table) if len(labels) > 2 else (math.nan, math.nan)
    apart = critical_difference(len(labels), len(boards), options.alpha)
    datasets = [board.field.dataset for board in boards]
    return Across(datasets, labels, mean_ranks, chi2, p, apart, cliques(mean_ranks, apart))


def _bare(name: str) -> str:
    return name.rpartition("/")[2].partition("_at_")[0]
