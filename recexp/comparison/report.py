"""The report: one self-contained HTML file, for a browser and for the store."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template

from recexp import charts, file_names
from recexp.comparison import figures, report_tables
from recexp.comparison.glossary import glossary
from recexp.comparison.results import Comparison, Leaderboard
from recexp.comparison.summary import summaries
from recexp.comparison.tables import friedman, method
from recexp.errors import DataError, StoreError
from recexp.evidence.table import tables_of
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import pretty
from recexp.tracking import run_link
from recexp.tracking.tags import HOST
from recexp.version import __version__

TAG = "recexp.report"


def as_html(archive: Archive, comparison: Comparison) -> str:
    """Return the report of a comparison; facts about the data, slices and learning curves are read from the runs."""
    title = f"{pretty(comparison.metric)} on {', '.join(board.group.setting for board in comparison.boards)}"
    parts = [f"<h1>{escape(title)}</h1>"]
    parts += [f'<p class="summary">{escape(sentence)}</p>' for sentence in summaries(comparison)]
    if (ranks := comparison.ranks) is not None:
        picture = charts.critical_difference(ranks.labels, ranks.mean_ranks, ranks.difference, ranks.groups)
        tests = f"{friedman(ranks, comparison.options.alpha)}. Bars join models that are not significantly different."
        parts += ["<h2>Over all datasets</h2>", f"<p>{escape(tests)}</p>", f'<div class="scroll">{picture}</div>']
    for board in comparison.boards:
        parts.append(_board(archive, comparison, board))
    parts += ["<h2>How it was made</h2>", _list([*method(comparison), *comparison.notes, *_origin(comparison)])]
    words = "".join(f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in glossary(comparison))
    parts += ["<h2>Glossary</h2>", f"<dl>{words}</dl>"]
    template = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
    return template.substitute(title=escape(title), body="\n".join(parts))


def publish(archive: Archive, comparison: Comparison, path: Path) -> str:
    """Keep the report in the store and return the id of the run that holds it.

    The report has a run of its own, one per protocol, because it is about many runs. Without metrics and
    `recexp.complete` that run never counts as a result.
    """
    group = comparison.boards[0].group
    name = f"comparison on {group.setting}"
    points = "\n".join(f"- {note}" for note in (*method(comparison), *comparison.notes))
    note = [f"**{pretty(comparison.metric)}**", *summaries(comparison), points, f"The report is `{path.name}`."]
    return archive.publish(group.newest.experiment, name, {TAG: group.protocol}, "\n\n".join(note), path)


def _board(archive: Archive, comparison: Comparison, board: Leaderboard) -> str:
    """Return all that there is about one dataset: its facts, tables and pictures."""
    drawn = [
        f"<figure><h3>{escape(name)}</h3>{picture}<figcaption>{escape(caption)}</figcaption></figure>"
        for name, picture, caption in figures.draw_figures(archive, comparison, board)
    ]
    parts = [
        f"<h2>{escape(board.group.setting)}</h2>",
        _facts(archive, board),
        report_tables.leaderboard(archive, comparison, board),
        report_tables.further_metrics(comparison, board),
        f'<div class="charts">{"".join(drawn)}</div>',
        report_tables.pairs(comparison, board),
    ]
    return "\n".join(filter(None, parts))


def _facts(archive: Archive, board: Leaderboard) -> str:
    """Return what the best model's newest run says of its data; nothing where it keeps no such file."""
    run: StoredRun = board.rows[0].row.runs[-1]
    try:
        tables = tables_of(archive.yaml(run, file_names.SUMMARY))
    except (StoreError, DataError):  # older runs have none, and a report does without
        return ""
    link = escape(run_link(archive.uri, run.experiment, run.id))
    source = f'<a href="{link}">{escape(run.name)}</a>'
    return f"<details open><summary>The data, as recorded by {source}</summary>{report_tables.facts(tables)}</details>"


def _origin(comparison: Comparison) -> list[str]:
    """Return which runs went in, of which code and machines, and what made the report."""
    runs = [run for board in comparison.boards for ranked in board.rows for run in ranked.row.runs]
    times = [datetime.fromtimestamp(run.started / 1000, UTC) for run in runs]
    commits = sorted({commit[:8] for run in runs if (commit := run.tags.get("mlflow.source.git.commit"))})
    hosts = sorted({host for run in runs if (host := run.tags.get(HOST))})
    made = f"{len(runs)} runs, started between {min(times):%Y-%m-%d %H:%M} and {max(times):%Y-%m-%d %H:%M} UTC"
    made += f", at commit {', '.join(commits)}" if commits else ""
    made += f", on {', '.join(hosts)}" if hosts else ""
    return [
        made,
        "links open pages of runs on the server that `recexp ui` starts",
        f"report made by recexp {__version__} on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    ]


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
