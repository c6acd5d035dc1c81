"""RUN_ID [dataset.root=DIR ...]: run it again from what it left behind, and say how far the two are apart"""

import math
import shlex
from collections.abc import Iterator

from recexp.config import rebuilding
from recexp.errors import ConfigError, RecexpError
from recexp.finished import drift, reproduction
from recexp.tracking import Archive

USAGE = "recexp reproduce takes RUN_ID [--tolerance X] [dataset.root=DIR tracking.uri=... and the like]"


def run(arguments: list[str]) -> Iterator[str]:
    """Yield the report of the new run; raises RecexpError at the end when a metric is off."""
    words, tolerance = _take_tolerance(arguments)
    tracking, rest = rebuilding.told(words)
    ids = [word for word in rest if "=" not in word]
    if len(ids) != 1 or ids[0].startswith("-"):
        raise ConfigError(f"{USAGE} (got {' '.join(arguments) or 'nothing'})")
    overrides = [word for word in words if "=" in word and (word in rest or word.startswith("tracking."))]
    command = shlex.join(["recexp", "reproduce", *arguments])
    with Archive(tracking.uri) as archive:
        record = archive.run(ids[0])
        runner, experiment, changes = rebuilding.rebuild(archive, record, overrides, command=command)
        report = reproduction.reproduce(archive, record, runner, experiment, tolerance=tolerance, changes=changes)
    for head, rows in report.tables():
        yield from _aligned([head, *(rows or [["nothing"]])])
    yield f"run {report.run} reproduces {report.reproduces}: {report.summary()}"
    if report.verdict == drift.OFF:
        raise RecexpError(f"run {record.id} is not reproduced: {report.count(drift.OFF)} metrics are off by more than "
                          f"{tolerance:g}; reproduction.md of run {report.run} has all")  # fmt: skip


def _take_tolerance(arguments: list[str]) -> tuple[list[str], float]:
    arguments = [part for word in arguments for part in (word.split("=") if word.startswith("--tol") else [word])]
    if "--tolerance" not in arguments:
        return arguments, drift.TOLERANCE
    at = arguments.index("--tolerance")
    given = arguments[at + 1] if at + 1 < len(arguments) else "nothing"
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ConfigError(f"--tolerance: must be a number from 0 (got {given})")
    return [*arguments[:at], *arguments[at + 2 :]], value


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    """Yield the rows in columns, and an empty line."""
    widths = [max(len(row[at]) for row in rows if at < len(row)) for at in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
    yield ""
