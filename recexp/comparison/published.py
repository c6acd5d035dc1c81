"""Our results next to published numbers."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recexp.comparison.groups import ComparisonGroup
from recexp.comparison.rows import Row
from recexp.errors import DataError

COLUMNS = ("model", "metric", "published", "tolerance", "source")


@dataclass(frozen=True)
class Published:
    """One published number, and ours: the mean over so many runs (seeds and folds), None where there is none."""

    model: str
    metric: str
    published: float
    tolerance: float
    source: str
    ours: float | None
    runs: int

    @property
    def verdict(self) -> str:
        """met, off, or missing."""
        if self.ours is None:
            return "missing"
        return "met" if abs(self.ours - self.published) <= self.tolerance else "off"


def read(path: Path, groups: Sequence[ComparisonGroup]) -> list[Published]:
    """Read published numbers and find ours among the rows of `groups`.

    The file is csv with the columns model, metric, published, tolerance and source. A column `run` says by which
    overrides the runs of a line are known, `algorithm=ease algorithm.l2=1000`; where it is empty or not there, `model`
    is the name of what was run. A row that was not tuned goes before those that were. Raises DataError that names the
    line.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            lines = list(reader)
            lacking = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"--published: {path} cannot be read: {error}") from error
    if lacking:
        raise DataError(f"--published: {path} has no column {', '.join(lacking)}; it needs {', '.join(COLUMNS)}")
    return [_line(line, f"{path}:{number}", groups) for number, line in enumerate(lines, start=2)]


def _line(line: dict[str, str], where: str, groups: Sequence[ComparisonGroup]) -> Published:
    try:
        published, tolerance = float(line["published"]), float(line["tolerance"])
    except (TypeError, ValueError) as error:
        raise DataError(f"--published: {where}: published and tolerance must be numbers ({error})") from error
    words, rows = (line.get("run") or "").split(), [row for group in groups for row in group.rows]
    found = [
        row for row in rows if (all(_fits(row, word) for word in words) if words else row.key.subject == line["model"])
    ]
    if len(found) > 1 and len(untuned := [row for row in found if not row.key.tuned]) == 1:
        found = untuned
    if len(found) > 1:
        labels = ", ".join(repr(row.label) for row in found)
        what = " ".join(words) or line["model"]
        raise DataError(f"--published: {where}: several models are {what}: {labels}; be more specific in column run")
    ours, runs = _ours(found[0], line["metric"]) if found else (None, 0)
    return Published(line["model"], line["metric"], published, tolerance, line["source"], ours, runs)


def _fits(row: Row, word: str) -> bool:
    """Return whether all of the row's runs were made with an override: a choice is a tag, a value a param."""
    key, _, value = word.partition("=")
    have = [run.params.get(key, run.tags.get(key)) for run in row.runs]
    return all(one is not None and _plain(one) == _plain(value) for one in have)


def _plain(text: str) -> float | str:
    """Return the number that a text stands for, so that 1000 is 1000.0, or else the text."""
    try:
        return float(text)
    except ValueError:
        return text


def _ours(row: Row, metric: str) -> tuple[float | None, int]:
    names = dict.fromkeys(name for run in [*row.runs, *row.older] for name in sorted(run.final_metrics))
    name = next((name for name in names if metric in (name, name.partition("/")[2])), None)
    if name is None:
        return None, 0
    having = row.having(name)
    return having.mean(name), len(having.runs)


def as_markdown(rows: Sequence[Published]) -> str:
    """Return the table that a study's README shows."""
    heads = ["model", "metric", "ours", "runs", "published", "difference", "tolerance", "verdict"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        ours, apart = ("", "") if row.ours is None else (f"{row.ours:.4f}", f"{row.ours - row.published:+z.4f}")
        shown = [row.model, row.metric, ours, str(row.runs), f"{row.published:.4f}", apart, f"{row.tolerance:g}"]
        lines.append(f"| {' | '.join([*shown, row.verdict])} |")
    return "\n".join(lines)
