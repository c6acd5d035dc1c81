"""[--metric NAME] [--baseline MODEL] [--html FILE] [...]: rank finished runs and test the differences"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from recexp import config
from recexp.cli.parsing import STORE, Parser
from recexp.errors import ConfigError, RecexpError
from recexp.garbage import uncollected
from recexp.statistics import CORRECTIONS, TESTS

if TYPE_CHECKING:
    from recexp.comparison.groups import ComparisonGroup

_WRITTEN = {"csv": "table", "latex": "LaTeX table", "json": "all results", "html": "report"}


def parser() -> Parser:
    """Return what reads the command's words."""
    parser = Parser(
        "compare",
        __doc__,
        example="recexp compare --metric recall_at_10 --baseline popularity --html report.html",
        overrides={
            **STORE,
            "evaluation.confidence=X": "of intervals and tests; default: see conf/evaluation, as for all evaluation.*",
        },
    )
    parser.add_runs()
    parser.add_argument("--sweep", metavar="NAME", help="only the runs of this sweep")
    parser.add_argument(
        "--metric", metavar="NAME", help="metric that ranks the models; default: the first metric of the runs"
    )
    parser.add_argument(
        "--columns", metavar="NAME,...", help="more metrics to show, such as recall_at_5; default: the headlines"
    )
    parser.add_argument("--baseline", metavar="MODEL", help="test all models against this one; default: the best")
    parser.add_argument(
        "--test", choices=[*TESTS], default="permutation", help="paired test over users; default: %(default)s"
    )
    parser.add_argument(
        "--correction", choices=[*CORRECTIONS], default="holm", help="for multiple tests; default: %(default)s"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table as CSV")
    parser.add_argument("--latex", type=Path, metavar="FILE", help="write the table for a paper")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the HTML report, and keep a copy in the store")
    parser.add_argument(
        "--published", type=Path, metavar="FILE", help="only compare our results with a table of published numbers"
    )
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield the leaderboards of finished runs; write the files asked for."""
    with uncollected():  # to look again and again through all that is read takes longer than to read it
        yield from _compare(given)


def _compare(given: Namespace) -> Iterator[str]:
    from recexp.comparison import latex, report, tables
    from recexp.config import experiments
    from recexp.functions.compare import WRITERS, compare_groups, groups_of
    from recexp.history.archive import Archive

    files = {name: path for name in WRITERS if (path := getattr(given, name)) is not None}
    unused = [f"--{name}" for name in (*WRITERS, "metric", "columns", "baseline") if getattr(given, name) is not None]
    if given.published is not None and unused:
        raise ConfigError(
            f"recexp compare: --published prints a separate table and cannot be combined with {', '.join(unused)}"
        )
    for path in files.values():
        if not path.absolute().parent.is_dir():
            raise ConfigError(f"recexp compare: {path} cannot be written: there is no folder {path.absolute().parent}")
    cfg = config.compose(given.overrides)
    tracking, evaluation = (experiments.component(cfg, group) for group in ("tracking", "evaluation"))
    with Archive(tracking.uri) as archive:
        ids = [word for word in (given.runs or "").split(",") if word]
        groups, notes = groups_of(archive, given.experiment or tracking.experiment, runs=ids, sweep=given.sweep)
        if given.published is not None:
            yield from _published(given.published, groups, notes)
            return
        comparison = compare_groups(
            archive,
            groups,
            notes,
            evaluation,
            metric=given.metric,
            baseline=given.baseline,
            test=given.test,
            correction=given.correction,
            columns=[word for word in (given.columns or "").split(",") if word],
        ).comparison
        print(tables.terminal(comparison), flush=True)  # with colors, which a line from data may not have
        for name, path in files.items():
            path.write_text(WRITERS[name](archive, comparison), encoding="utf-8")
            stored = f", and in the store: {report.publish(archive, comparison, path)}" if name == "html" else ""
            yield f"{_WRITTEN[name]}: {path}{stored}"
        if "latex" in files and (why := latex.without_deviations(comparison)) is not None:
            yield why


def _published(path: Path, groups: "list[ComparisonGroup]", notes: list[str]) -> Iterator[str]:
    from recexp.comparison import published

    rows = published.read(path, groups)
    yield published.as_markdown(rows)
    yield from notes
    off = sum(row.verdict == "off" for row in rows)
    if all(row.verdict == "missing" for row in rows):
        raise RecexpError(f"no finished run matches any of the {len(rows)} published numbers")
    if off:
        raise RecexpError(f"{off} of {len(rows)} published numbers are not reached")
