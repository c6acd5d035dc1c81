"""[--metric ndcg_at_10] [--runs ID,...] [--sweep S] [--baseline M] [--html F]: which models are better, and how sure"""

import argparse
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from recexp import config
from recexp.compare import Comparison, Options, collect, compare, latex, published, report, tables
from recexp.errors import ConfigError, RecexpError
from recexp.statistics import CORRECTIONS, TESTS
from recexp.tracking import Archive

WRITERS: dict[str, Callable[[Archive, Comparison], str]] = {
    "csv": lambda archive, comparison: tables.as_csv(comparison),
    "latex": lambda archive, comparison: latex.as_latex(comparison),
    "json": lambda archive, comparison: tables.as_json(comparison),
    "html": report.as_html,
}
"""What makes the text of a file, by the option that names the file."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"recexp compare: {message}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="recexp compare", add_help=False, allow_abbrev=False)
    for name in ("--experiment", "--metric", "--sweep", "--baseline"):
        parser.add_argument(name)
    parser.add_argument("--runs", default="")
    parser.add_argument("--test", choices=[*TESTS], default="permutation")
    parser.add_argument("--correction", choices=[*CORRECTIONS], default="holm")
    for name in (*WRITERS, "published"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("overrides", nargs="*")
    return parser


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no garbage be collected: to look again and again through all that is read takes longer than to read it."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def run(arguments: list[str]) -> Iterator[str]:
    """Yield the leaderboards of finished runs; write the files asked for."""
    with _uncollected():
        yield from _compare(arguments)


def _compare(arguments: list[str]) -> Iterator[str]:
    given = _parser().parse_intermixed_args(arguments)
    files = {name: path for name in WRITERS if (path := getattr(given, name)) is not None}
    unused = [f"--{name}" for name in (*WRITERS, "metric", "baseline") if getattr(given, name) is not None]
    if given.published is not None and unused:
        raise ConfigError(f"recexp compare: --published prints a table of its own; leave out {', '.join(unused)}")
    for path in files.values():
        if not path.absolute().parent.is_dir():
            raise ConfigError(f"recexp compare: {path} cannot be written: there is no folder {path.absolute().parent}")
    cfg = config.compose(given.overrides)
    tracking, evaluation = config.component(cfg, "tracking"), config.component(cfg, "evaluation")
    with Archive(tracking.uri) as archive:
        ids = [word for word in given.runs.split(",") if word]
        found = collect.find(archive, given.experiment or tracking.experiment, runs=ids, sweep=given.sweep)
        fields, notes = collect.fields(archive, found, strict=bool(ids))
        if given.published is not None:
            yield from _published(given.published, fields, notes)
            return
        options = Options(
            metric=given.metric, baseline=given.baseline, test=given.test, correction=given.correction,
            confidence=evaluation.confidence, resamples=evaluation.resamples,
        )  # fmt: skip
        comparison = compare(archive, fields, options, config.metric, notes)
        yield tables.terminal(comparison)
        for name, path in files.items():
            path.write_text(WRITERS[name](archive, comparison), encoding="utf-8")
        if given.html is not None:
            yield f"report: {given.html}, and in the store: {report.publish(archive, comparison, given.html)}"


def _published(path: Path, fields: list[collect.Field], notes: list[str]) -> Iterator[str]:
    rows = published.read(path, fields)
    yield published.as_markdown(rows)
    yield from notes
    off = sum(row.verdict == "off" for row in rows)
    if all(row.verdict == "missing" for row in rows):
        raise RecexpError(f"no finished run is of any of the {len(rows)} published numbers")
    if off:
        raise RecexpError(f"{off} of {len(rows)} published numbers are not met")
