"""A comparison as text: for the terminal, as csv, LaTeX and json."""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from recexp import terminal as terminals
from recexp.comparison.comparison import TESTED
from recexp.comparison.results import Comparison, Leaderboard, Pair, RankComparison, RankedRow
from recexp.comparison.rows import short
from recexp.comparison.summary import summaries
from recexp.metric_names import pretty
from recexp.spreadsheets import harmless
from recexp.statistics import CORRECTIONS

WIDTH = 140
"""Columns of a table where the terminal does not say how many it has."""
_MODEL = 30
"""Columns that the name of a model may take before others have to make room."""
_HEAD = 10
"""Columns that the head with the reference's name may be folded to, and that a model's name has at least."""
_FIRST_TO_GO = ("won/tied/lost", "CPU s", "d_z", "runs", "sd", "run", "interval")
"""What a narrow terminal goes without, in this order; csv, json and the report have it all."""


def number(value: float, form: str = "z.4f") -> str:
    """Return a number, nothing for NaN."""
    return "" if math.isnan(value) else format(value, form)


def chance(p: float) -> str:
    """Return a p-value."""
    return "" if math.isnan(p) else "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def terminal(comparison: Comparison) -> str:
    """Return the leaderboards, the ranks over datasets and the notes, as tables."""
    out = io.StringIO()
    colored = terminals.console().is_terminal
    console = terminals.console(file=out, width=None if colored else WIDTH, force_terminal=colored)
    for sentence in summaries(comparison):
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    for board in comparison.boards:
        console.print(_table(comparison, board, console.width))
    if comparison.ranks is not None:
        console.print(_ranks(comparison.ranks))
        console.print(friedman(comparison.ranks, comparison.options.alpha), soft_wrap=True, highlight=False)
    for note in [*method(comparison), *comparison.notes]:
        console.print(f"- {note}", soft_wrap=True, highlight=False, markup=False)
    return out.getvalue().rstrip("\n")


def method(comparison: Comparison) -> list[str]:
    """Return notes on how the numbers were computed, one sentence each."""
    options, pairs = comparison.options, sum(len(board.pairs) for board in comparison.boards)
    groups = [board.group for board in comparison.boards]
    found = [f"all runs on {group.setting}: {group.conditions}" for group in groups if group.conditions]
    if pairs:
        correction = CORRECTIONS[options.correction].title
        against = "all pairs" if options.baseline is None else f"each model against {options.baseline}"
        found += [
            f"{options.confidence:.0%} intervals, by resampling {comparison.unit}s for these fitted models",
            f"p: paired {options.test} test over {comparison.unit}s, {against}, {correction}",
            f"d_z: mean difference per {comparison.unit}, in deviations (inf: the same for all); positive is better",
        ]
    found += _deviations([ranked for board in comparison.boards for ranked in board.rows], comparison.metric)
    if any(math.isnan(pair.p) for board in comparison.boards for pair in board.pairs):
        found.append(f"no p: pairs without common {comparison.unit}s; run them with the same seeds")
    return found


def _deviations(ranked: Sequence[RankedRow], metric: str) -> list[str]:
    """Return what sd is, and which models have none because their runs do not differ; nothing where no row has it."""
    repeated = [one.row for one in ranked if len(one.row.runs) > 1]
    same = dict.fromkeys(row.label for row in repeated if len({run.metrics[metric] for run in row.runs}) == 1)
    names = f"{', '.join([*same][:TESTED])}{', ...' if len(same) > TESTED else ''}"
    identical = (
        f"sd 0: all runs of {names} have the same {pretty(metric)}, as expected of a deterministic algorithm on one "
        "split; more seeds add nothing"
    )
    return [*(["sd: standard deviation between runs"] if repeated else []), *([identical] if same else [])]


def _table(comparison: Comparison, board: Leaderboard, width: int) -> Any:
    """Return the leaderboard, in so many columns of text."""
    from rich.table import Column, Table
    from rich.text import Text

    names = [
        "",
        "model",
        "runs",
        "mean",
        "sd",
        "interval",
        f"vs {board.reference}",
        "p",
        "d_z",
        "won/tied/lost",
        "CPU s",
        "run",
    ]
    shown = [ranked for n, ranked in enumerate(board.rows) if n < TESTED or ranked.row.label == board.reference]
    rows = []
    for ranked in shown:
        pair = board.against_reference(ranked.row.label)
        interval = "" if math.isnan(ranked.low) else f"{ranked.low:.4f} {ranked.high:.4f}"
        rows.append(
            [
                str(board.rows.index(ranked) + 1),
                ranked.row.label,
                str(len(ranked.row.runs)),
                number(ranked.mean),
                number(ranked.deviation),
                interval,
                *(["", "", "", ""] if pair is None else _against(pair)),
                number(ranked.cpu_seconds, ".2f"),
                short(ranked.row.runs[-1]),
            ]
        )
    used = [column for column in range(len(names)) if column == 0 or any(row[column] for row in rows)]
    widths = _widths(names, rows, used, width)
    columns = [
        Column(Text(names[column]), overflow="fold", width=needed, justify="left" if column == 1 else "right")
        for column, needed in widths.items()
    ]
    table = Table(*columns, title=Text(f"{pretty(comparison.metric)} on {board.group.setting}"))
    for row in rows:
        table.add_row(*(Text(row[column]) for column in widths))
    notes = []
    if len(shown) < len(board.rows):
        notes.append(f"{len(board.rows) - len(shown)} more models; --csv, --html and --json show all")
    if left := [names[column] for column in used if column not in widths]:
        notes.append(f"no room for {', '.join(left)}; see --csv")
    table.caption = "\n".join(notes)
    return table


def _widths(names: Sequence[str], rows: Sequence[Sequence[str]], used: Sequence[int], width: int) -> dict[int, int]:
    """Return the width of each column, by number, that there is room for: what matters least goes first."""
    kept = [*used]
    words = [max(map(len, name.split()), default=0) for name in names]
    heads = [min(_HEAD, word) if name.startswith("vs ") else word for name, word in zip(names, words)]
    need = [max(head, *map(len, column)) for head, column in zip(heads, zip(*rows))]
    whole = [max(len(name), n) for name, n in zip(names, need)]
    need[1] = min(need[1], _MODEL)
    hidden = [column for column in map(names.index, _FIRST_TO_GO) if column in kept]
    while (room := width - 1 - sum(need[column] + 3 for column in kept)) < 0 and hidden:
        kept.remove(hidden.pop(0))
    need[1] = max(_HEAD, need[1] + min(room, 0))
    for column in kept:  # what is left is for those that had to be folded
        more = min(max(0, room), whole[column] - need[column])
        need[column], room = need[column] + more, room - more
    return {column: need[column] for column in kept}


def _against(pair: Pair) -> list[str]:
    difference, won = number(pair.difference, "+z.4f"), f"{pair.wins}/{pair.ties}/{pair.losses}"
    return [difference, chance(pair.adjusted), number(pair.d_z, "+z.2f"), won if pair.users else ""]


def _ranks(ranks: RankComparison) -> Any:
    from rich.table import Column, Table
    from rich.text import Text

    table = Table("model", Column(Text(f"mean rank on {', '.join(ranks.settings)}"), justify="right"))
    for label, rank in zip(ranks.labels, ranks.mean_ranks):
        table.add_row(Text(label), f"{rank:.2f}")
    return table


def friedman(ranks: RankComparison, alpha: float) -> str:
    """Return the results of Friedman's and Nemenyi's tests as text."""
    apart = f"mean ranks differ significantly if they are {ranks.difference:.2f} apart (Nemenyi, {alpha:.2g})"
    return apart if math.isnan(ranks.p) else f"Friedman chi2 = {ranks.chi2:.2f}, p = {chance(ranks.p)}; {apart}"


def as_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one plain dict per row of all leaderboards; undefined values are None."""
    return [
        _as_row(comparison, board, rank, ranked)
        for board in comparison.boards
        for rank, ranked in enumerate(board.rows, start=1)
    ]


def _as_row(comparison: Comparison, board: Leaderboard, rank: int, ranked: RankedRow) -> dict[str, Any]:
    pair = board.against_reference(ranked.row.label)
    names = ("difference", "p", "adjusted", "ahead", "users", "d_z", "rank_biserial", "wins", "ties", "losses")
    against = {name: None if pair is None else _finite(getattr(pair, name)) for name in names}
    others = {name: _finite(ranked.value(name)) for name in list(comparison.higher_is_better)[1:]}
    return {
        "dataset": board.group.setting,
        "rank": rank,
        "model": ranked.row.label,
        "metric": comparison.metric,
        "mean": ranked.mean,
        "deviation": _finite(ranked.deviation),
        "runs": len(ranked.row.runs),
        "low": _finite(ranked.low),
        "high": _finite(ranked.high),
        "cpu_seconds": _finite(ranked.cpu_seconds),
        "most_cpu_seconds": _finite(ranked.most_cpu_seconds),
        **others,
        "reference": board.reference,
        **against,
        "run_ids": " ".join(run.id for run in ranked.row.runs),
    }


def as_csv(comparison: Comparison) -> str:
    """Return csv with one line per model and all its numbers; no text can be run as a spreadsheet formula."""
    rows, out = as_rows(comparison), io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: harmless(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def as_json(comparison: Comparison) -> str:
    """Return all of the comparison, every tested pair included."""
    ranks = comparison.ranks
    content = {
        "metric": comparison.metric,
        "options": asdict(comparison.options),
        "notes": comparison.notes,
        "protocols": {board.group.setting: board.group.protocol for board in comparison.boards},
        "models": as_rows(comparison),
        "pairs": [
            {"dataset": board.group.setting, **{key: _finite(value) for key, value in asdict(pair).items()}}
            for board in comparison.boards
            for pair in board.pairs
        ],
        "across": None
        if ranks is None
        else {
            "datasets": ranks.settings,
            "mean_ranks": dict(zip(ranks.labels, ranks.mean_ranks.tolist())),
            "friedman_chi2": _finite(ranks.chi2),
            "friedman_p": _finite(ranks.p),
            "critical_difference": ranks.difference,
            "not_told_apart": [[ranks.labels[index] for index in group] for group in ranks.groups],
        },
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
