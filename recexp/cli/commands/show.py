"""RUN: show a run: results, settings, data, warnings, files and code"""

from argparse import Namespace
from collections.abc import Iterator

from recexp import config
from recexp.cli.columns import aligned
from recexp.cli.parsing import STORE, Parser


def parser() -> Parser:
    """Return what reads the command's words."""
    return Parser(
        "show",
        __doc__,
        example="recexp show 287f36a5",
        words=(1, 1),
        overrides=STORE,
        notes="RUN is a run's id or its beginning (`recexp runs` lists them), runs:/ID or models:/NAME@ALIAS.",
    )


def run(given: Namespace) -> Iterator[str]:
    """Yield the run's report, section by section."""
    from recexp.config import experiments
    from recexp.history import references
    from recexp.history.archive import Archive
    from recexp.history.run_report import report

    tracking = experiments.component(config.compose(given.overrides), "tracking")
    with Archive(tracking.uri) as archive:
        for section in report(archive, references.find_run(archive, given.words[0])):
            if not (section.rows or section.lines):
                continue
            yield section.title
            yield from aligned([*([section.head] if section.head and section.rows else []), *section.rows], "  ")
            yield from (f"  {line}" for line in section.lines)
            yield ""
