"""Changes in user-defined classes between two runs: found by digests, shown line by line where runs keep the text."""

import difflib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recexp import file_names
from recexp.errors import StoreError
from recexp.history.archive import Archive
from recexp.history.stored_run import StoredRun

SHOWN = 8
"""Digits of a run's id at the head of a diff."""


@dataclass(frozen=True)
class CodeChange:
    """A file that is not the same in two runs: the classes and modules in it, and the lines of a unified diff."""

    names: list[str]
    lines: list[str]


def digests(archive: Archive, run: StoredRun) -> dict[str, str]:
    """Return the digest of each of the person's own classes and modules in a run, by name."""
    with suppress(StoreError):
        code = archive.yaml(run, file_names.IDENTITY).get("code")
        return {str(name): str(sha) for name, sha in code.items()} if isinstance(code, dict) else {}
    return {}


def changes(archive: Archive, before: StoredRun, after: StoredRun) -> list[CodeChange]:
    """Return what has changed from one run to another, a file once, whatever it has of classes."""
    old, new = digests(archive, before), digests(archive, after)
    found: dict[tuple[str, ...], list[str]] = {}
    if not old:  # of an earlier version of recexp, which does not say
        return []
    for name in sorted(name for name in {*old, *new} if old.get(name) != new.get(name)):
        lines = difference(archive, before if name in old else None, after if name in new else None, name)
        found.setdefault(tuple(lines), []).append(name)
    return [CodeChange(names, [*lines]) for lines, names in found.items()]


def difference(archive: Archive, before: StoredRun | None, after: StoredRun | None, name: str) -> list[str]:
    """Return the unified diff of the file that a module or class (`package.module.Class`) is in; None: it had none."""
    old, new = ([] if run is None else _text(archive, run, name) for run in (before, after))
    if old is None or new is None:
        return ["its text was not stored (tracking.git_diff=false, or an earlier version of recexp)"]
    first, second = ("none" if run is None else run.id[:SHOWN] for run in (before, after))
    return [line.rstrip("\n") for line in difflib.unified_diff(old, new, first, second, n=2)]


def _text(archive: Archive, run: StoredRun, name: str) -> list[str] | None:
    """Return the lines of the kept file of a module or of the module of a class, None where there is none."""
    with suppress(StoreError):
        folder: Path = archive.file(run, file_names.CODE)
        kept = {f"/{path.relative_to(folder).as_posix()}": path for path in sorted(folder.rglob("*.py"))}
        for end in _endings(name):  # the whole path first, then its end
            for place, path in kept.items():
                if place.endswith(f"/{end}"):
                    return path.read_text(encoding="utf-8").splitlines()
    return None


def _endings(name: str) -> Iterator[str]:
    parts = name.split(".")
    for stop in (len(parts), len(parts) - 1):
        yield from ("/".join(parts[begin:stop]) + ".py" for begin in range(stop))
