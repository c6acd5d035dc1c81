"""The report: one HTML file that needs nothing else, for a browser and for the store."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template

from recexp import charts
from recexp.comparison import figures
from recexp.comparison.results import Comparison, Leaderboard, Pair, RankedRow
from recexp.comparison.rows import short
from recexp.comparison.tables import chance, friedman, method, number
from recexp.history.archive import Archive
from recexp.metric_names import pretty
from recexp.version import __version__

TAG = "recexp.report"
_SIGNED = "#0072B2", "#D55E00"


def as_html(archive: Archive, comparison: Comparison) -> str:
    """Return the report of a comparison; slices and learning curves are read from the runs."""
    title = f"{pretty(comparison.metric)} on {', '.join(board.group.setting for board in comparison.boards)}"
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(verdict)}</p>" for verdict in verdicts(comparison))]
    parts.append(_list([*method(comparison), *comparison.notes]))
    if (ranks := comparison.ranks) is not None:
        picture = charts.critical_difference(ranks.labels, ranks.mean_ranks, ranks.difference, ranks.groups)
        tests = f"{friedman(ranks, comparison.options.alpha)}. Bars join models that are not told apart."
        parts += ["<h2>Over all data sets</h2>", f"<p>{escape(tests)}</p>", f'<div class="scroll">{picture}</div>']
    for board in comparison.boards:
        parts += [f"<h2>{escape(board.group.setting)}</h2>", _leaderboard(comparison, board)]
        drawn = [
            f"<figure><h3>{escape(name)}</h3>{picture}<figcaption>{escape(caption)}</figcaption></figure>"
            for name, picture, caption in figures.draw_figures(archive, comparison, board)
        ]
        parts += [f'<div class="charts">{"".join(drawn)}</div>', _pairs(comparison, board)]
    origin = f"made by recexp {__version__} on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    parts.append(f"<footer>{escape(origin)}</footer>")
    template = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
    return template.substitute(title=escape(title), body="\n".join(parts))


def publish(archive: Archive, comparison: Comparison, path: Path) -> str:
    """Keep the report in the store and return the id of the run that holds it.

    It is a run of its own, one for each protocol: a report is about many runs, so that none of them is its place, and
    without metrics and `recexp.complete` it never counts as one of them.
    """
    group = comparison.boards[0].group
    name = f"comparison on {group.setting}"
    points = "\n".join(f"- {note}" for note in (*method(comparison), *comparison.notes))
    note = [f"**{pretty(comparison.metric)}**", *verdicts(comparison), points, f"The report is `{path.name}`."]
    return archive.publish(group.newest.experiment, name, {TAG: group.protocol}, "\n\n".join(note), path)


def verdicts(comparison: Comparison) -> list[str]:
    """Return a sentence for each data set: who leads, and by how far that is sure."""
    return [_verdict(comparison, board) for board in comparison.boards]


def _verdict(comparison: Comparison, board: Leaderboard) -> str:
    """Return a sentence: who leads, and who is ahead of the leader on common splits or cannot be told from it."""
    first = board.rows[0]
    verdict = f"{board.group.setting}: {first.row.label} leads with {first.mean:.4f}"
    if comparison.options.baseline is not None or not board.pairs:
        return f"{verdict}."
    tested = [pair for ranked in board.rows[1:] if (pair := board.against_reference(ranked.row.label))]
    alike = [pair.first for pair in tested if pair.ahead == 0 and pair.users]
    unknown = [pair.first for pair in tested if not pair.users]
    better = [pair.first for pair in tested if pair.ahead > 0]
    if better:
        verdict += f"; on the splits that they share, these are ahead of it: {', '.join(better)}"
    if alike:
        verdict += f"; not told apart from it: {', '.join(alike)}"
    if unknown:
        verdict += f"; without a common split, not compared with it: {', '.join(unknown)}"
    return f"{verdict}." if better or alike or unknown else f"{verdict}, ahead of all others tested."


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _leaderboard(comparison: Comparison, board: Leaderboard) -> str:
    names = list(comparison.higher_is_better)
    heads = [
        "#",
        "model",
        "runs",
        pretty(names[0]),
        "sd",
        "low",
        "high",
        f"vs {board.reference}",
        "p",
        "d_z",
        "rank biserial",
        "won/tied/lost",
        *map(pretty, names[1:]),
        "seconds",
        "newest run",
    ]
    best = {name: _best(comparison, board, name) for name in names}
    rows = "".join(_row(comparison, board, rank, ranked, best) for rank, ranked in enumerate(board.rows, start=1))
    head = "".join(f"<th>{escape(name).replace('_', '_<wbr>').replace('/', '/<wbr>')}</th>" for name in heads)
    table = f'<table class="sortable"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scroll">{table}</div>'


def _best(comparison: Comparison, board: Leaderboard, name: str) -> float | None:
    values = [figures.value(comparison, ranked, name) for ranked in board.rows]
    known, higher_is_better = [value for value in values if not math.isnan(value)], comparison.higher_is_better[name]
    return None if higher_is_better is None or not known else max(known) if higher_is_better else min(known)


def _row(
    comparison: Comparison, board: Leaderboard, rank: int, ranked: RankedRow, best: dict[str, float | None]
) -> str:
    first, *others = comparison.higher_is_better
    pair = board.against_reference(ranked.row.label)
    cells = [
        _cell(rank, str(rank)),
        f'<td class="name">{escape(ranked.row.label)}</td>',
        _cell(len(ranked.row.runs), str(len(ranked.row.runs))),
        _cell(ranked.mean, best=ranked.mean == best[first]),
        _cell(ranked.deviation),
        _cell(ranked.low),
        _cell(ranked.high),
    ]
    if pair is None:
        cells += ["<td></td>"] * 5
    else:
        won = f"{pair.wins}/{pair.ties}/{pair.losses}"
        cells += [
            _cell(pair.difference, number(pair.difference, "+z.4f")),
            _cell(pair.adjusted, chance(pair.adjusted)),
            _cell(pair.d_z, number(pair.d_z, "+z.2f")),
            _cell(pair.rank_biserial, f"{pair.rank_biserial:+.2f}"),
            _cell(pair.wins, won),
        ]
    for name in others:
        value = figures.value(comparison, ranked, name)
        cells.append(_cell(value, best=value == best[name]))
    newest = ranked.row.runs[-1]
    cells.append(_cell(ranked.seconds, number(ranked.seconds, ".2f")))
    return f'<tr>{"".join(cells)}<td title="{newest.id}"><code>{short(newest)}</code></td></tr>'


def _cell(value: float, text: str | None = None, *, best: bool = False) -> str:
    if math.isnan(value):
        return "<td></td>"
    shown, kind = number(value) if text is None else text, ' class="best"' if best else ""
    key = repr(value).replace("inf", "Infinity")  # as the page's script reads it
    return f'<td data-value="{key}"{kind}>{escape(shown)}</td>'


def _pairs(comparison: Comparison, board: Leaderboard) -> str:
    """Return the matrix of all pairs tested: effect sizes, coloured where they are significant."""
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
    legend = "d_z of the row against the column; blue is better, orange worse, white not significant."
    head = f"<thead><tr><td></td>{heads}</tr></thead>"
    table = f'<table class="pairs">{head}<tbody>{"".join(rows)}</tbody></table>'
    return f'<h3 class="more">Every pair</h3><p>{legend}</p><div class="scroll">{table}</div>'


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
