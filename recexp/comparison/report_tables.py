"""The tables of the report, as HTML."""

import math
import re
from collections.abc import Iterable, Sequence
from html import escape

from recexp.comparison.results import Comparison, Leaderboard, Pair, RankedRow
from recexp.comparison.tables import chance, number
from recexp.evidence.table import Table
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import pretty
from recexp.tracking import run_link

_SIGNED = "#0072B2", "#D55E00"
_ARROWS = {True: "\u2191", False: "\u2193", None: ""}
_LINKED = 5
"""Runs of a model that are linked, the first of them."""


def leaderboard(archive: Archive, comparison: Comparison, board: Leaderboard) -> str:
    """Return the table of the main metric, one row per model, with links to its runs."""
    name = comparison.metric
    first = f"{pretty(name)}{_ARROWS[comparison.higher_is_better[name]]}"
    heads = ["#", "model", first, "sd", "interval", f"vs {board.reference}", "p", "d_z", "won/tied/lost"]
    heads += ["CPU seconds", "runs (by seed)"]
    best = _best(comparison, board, name)
    rows = []
    for rank, ranked in enumerate(board.rows, start=1):
        interval = "" if math.isnan(ranked.low) else f"{ranked.low:.4f}\u2013{ranked.high:.4f}"
        rows.append(
            [
                _cell(rank, str(rank)),
                _name(ranked),
                _cell(ranked.mean, best=ranked.mean == best),
                _cell(ranked.deviation),
                _cell(ranked.low, interval),
                *_against(board.against_reference(ranked.row.label)),
                _cell(ranked.cpu_seconds, number(ranked.cpu_seconds, ".2f")),
                _runs(archive, ranked.row.runs),
            ]
        )
    return _sortable(heads, rows)


def further_metrics(comparison: Comparison, board: Leaderboard) -> str:
    """Return the table of the other metrics, one column each; empty if there are none."""
    names = list(comparison.higher_is_better)[1:]
    if not names:
        return ""
    best = {name: _best(comparison, board, name) for name in names}
    rows = [
        [
            _cell(rank, str(rank)),
            _name(ranked),
            *(_cell(ranked.value(name), best=ranked.value(name) == best[name]) for name in names),
        ]
        for rank, ranked in enumerate(board.rows, start=1)
    ]
    heads = ["#", "model", *(f"{pretty(name)}{_ARROWS[comparison.higher_is_better[name]]}" for name in names)]
    return f'<h3 class="more">Further metrics</h3>{_sortable(heads, rows)}'


def pairs(comparison: Comparison, board: Leaderboard) -> str:
    """Return the matrix of all pairs tested: effect sizes, colored where they are significant."""
    if comparison.options.baseline is not None or len(board.pairs) < 2:
        return ""
    labels = list(dict.fromkeys(label for pair in board.pairs for label in (pair.first, pair.second)))
    found = {(pair.first, pair.second): pair for pair in board.pairs}
    found |= {(pair.second, pair.first): pair.turned() for pair in board.pairs}
    rows = []
    for row in labels:
        cells = [_effect(found.get((row, column))) for column in labels]
        rows.append(f"<tr><th>{escape(row)}</th>{''.join(cells)}</tr>")
    heads = "".join(f"<th>{escape(label)}</th>" for label in labels)
    legend = "d_z of the row against the column: blue is better, orange is worse, white is not significant."
    head = f"<thead><tr><td></td>{heads}</tr></thead>"
    table = f'<table class="pairs">{head}<tbody>{"".join(rows)}</tbody></table>'
    return f'<h3 class="more">Every pair</h3><p>{legend}</p><div class="scroll">{table}</div>'


def facts(tables: Iterable[Table]) -> str:
    """Return tables of a run's description side by side, their notes below them."""
    parts = []
    for table in tables:
        head = "".join(f"<th>{_bold(cell)}</th>" for cell in table.head)
        rows = "".join(f"<tr>{''.join(f'<td>{_bold(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
        notes = "".join(f"<p>{escape(note)}</p>" for note in table.notes)
        parts.append(f'<div><table class="facts"><tr>{head}</tr>{rows}</table>{notes}</div>')
    return f'<div class="facts">{"".join(parts)}</div>' if parts else ""


def _sortable(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name).replace('_', '_<wbr>').replace('/', '/<wbr>')}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    table = f'<table class="sortable"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll">{table}</div>'


def _best(comparison: Comparison, board: Leaderboard, name: str) -> float | None:
    known = [value for ranked in board.rows if not math.isnan(value := ranked.value(name))]
    higher_is_better = comparison.higher_is_better[name]
    return None if higher_is_better is None or not known else max(known) if higher_is_better else min(known)


def _name(ranked: RankedRow) -> str:
    return f'<td class="name">{escape(ranked.row.label)}</td>'


def _against(pair: Pair | None) -> list[str]:
    """Return the cells of a row's difference to the reference."""
    if pair is None:
        return ["<td></td>"] * 4
    return [
        _cell(pair.difference, number(pair.difference, "+z.4f")),
        _cell(pair.adjusted, chance(pair.adjusted)),
        _cell(pair.d_z, number(pair.d_z, "+z.2f")),
        _cell(pair.wins, f"{pair.wins}/{pair.ties}/{pair.losses}"),
    ]


def _runs(archive: Archive, runs: Sequence[StoredRun]) -> str:
    """Return links to the pages of runs, each named by its seed and fold."""
    links = []
    for run in runs[:_LINKED]:
        name = run.tags.get("seed", "run") + (f".{run.tags['fold']}" if "fold" in run.tags else "")
        link = run_link(archive.uri, run.experiment, run.id)
        links.append(f'<a href="{escape(link)}" title="{run.id}">{escape(name)}</a>')
    more = f" and {len(runs) - _LINKED} more" if len(runs) > _LINKED else ""
    return f'<td data-value="{len(runs)}">{" ".join(links)}{more}</td>'


def _cell(value: float, text: str | None = None, *, best: bool = False) -> str:
    if math.isnan(value):
        return "<td></td>"
    shown, kind = number(value) if text is None else text, ' class="best"' if best else ""
    key = repr(value).replace("inf", "Infinity")  # as the page's script reads it
    return f'<td data-value="{key}"{kind}>{escape(shown)}</td>'


def _effect(pair: Pair | None) -> str:
    if pair is None:
        return "<td></td>"
    difference, p = number(pair.difference, "+z.4f") or "none", chance(pair.adjusted) or "none"
    tooltip = f"{pair.first} and {pair.second}: difference {difference}, p = {p}"
    style = ""
    if pair.ahead:
        strength = min(1.0, 0.15 + min(abs(pair.d_z), 1.0))
        style = f' style="background:{_SIGNED[pair.ahead < 0]}{round(strength * 150):02x}"'
    return f'<td title="{escape(tooltip)}"{style}>{number(pair.d_z, "+z.2f")}</td>'


def _bold(cell: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(cell))
