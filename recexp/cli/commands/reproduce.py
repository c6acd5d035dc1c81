"""RUN [--tolerance X] [dataset.root=DIR ...]: repeat a run from its stored config, and compare the results"""

import math
import shlex
from argparse import Namespace
from collections.abc import Iterator

from recexp.cli.columns import aligned
from recexp.cli.parsing import MOVED, STORE, Parser
from recexp.errors import ConfigError, RecexpError


def parser() -> Parser:
    """Return what reads the command's words."""
    parser = Parser(
        "reproduce",
        __doc__,
        example="recexp reproduce 287f36a5 dataset.root=/data/ml-100k",
        words=(1, 1),
        overrides={
            **STORE,
            **MOVED,
            "runner.threads=N": "number of threads; default: as in the run",
        },
        notes="RUN is a run's id or its beginning, runs:/ID or models:/NAME@ALIAS.\n"
        "The exit code is 1 if a metric differs.",
    )
    parser.add_argument(
        "--tolerance", type=_tolerance, metavar="X", help="largest relative difference to accept; default: 1e-06"
    )
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield the report of the new run; raises RecexpError at the end when a metric is off."""
    from recexp.history import differences, rebuild, references, reproduction
    from recexp.history.archive import Archive

    tolerance = differences.TOLERANCE if given.tolerance is None else given.tolerance
    tracking, rest = rebuild.store_and_overrides(given.overrides)
    overrides = [word for word in given.overrides if word in rest or word.startswith("tracking.")]
    command = shlex.join(["recexp", "reproduce", *given.arguments])
    with Archive(tracking.uri) as archive:
        record = references.find_run(archive, given.words[0])
        experiment, changes = rebuild.rebuild(archive, record, overrides, command=command)
        report = reproduction.reproduce(archive, record, experiment, tolerance=tolerance, changes=changes)
    for head, rows in report.tables():
        yield from aligned([head, *(rows or [["nothing"]])])
        yield ""
    for change in report.code:
        yield f"{', '.join(change.names)}, changed since run {report.reproduces}"
        yield from (f"  {line}" for line in change.lines)
        yield ""
    if report.code:
        yield report.advice
    if report.verdict == differences.OFF:
        raise RecexpError(f"run {report.run} does not reproduce {report.reproduces}: {report.summary()}")
    yield f"run {report.run} reproduces {report.reproduces}: {report.summary()}"


def _tolerance(given: str) -> float:
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ConfigError(f"--tolerance: must be a number from 0 (got {given})")
    return value
