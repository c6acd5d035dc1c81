"""Differences between a run and its reproduction: in metrics, lists, config, packages and machine."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recexp.evidence.run_files import read_parquet

EQUAL, WITHIN, OFF, ADDED = "bit-equal", "within tolerance", "off", "added later"
TOLERANCE = 1e-6
"""What another number of threads may change, relative to the value."""
FLOOR = 1e-6
"""A value nearer to zero than this is taken for as large: a sum that cancels is never equal to the last digit."""


@dataclass(frozen=True)
class Change:
    """A number before and after; None if absent. `inside`: the new number is within the interval of the old one."""

    name: str
    before: float | None
    after: float | None
    verdict: str
    inside: bool = False

    @property
    def text(self) -> str:
        """The verdict in words."""
        return f"{self.verdict}, but within its interval" if self.inside else self.verdict


@dataclass(frozen=True)
class Difference:
    """Another difference: a package's version, the number of threads, a value in the config."""

    name: str
    before: str
    after: str


def compare_metrics(
    before: Mapping[str, float],
    after: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    *,
    tolerance: float,
    added: Collection[str] = (),
) -> list[Change]:
    """Return a Change for every metric of either run except costs; `tolerance` is relative to the old value.

    Metrics that were `added` to the first run after it had ended do not count against the second.
    """
    changes = []
    for name in dict.fromkeys([*before, *after]):
        if name.startswith("cost/"):
            continue
        old, new = before.get(name), after.get(name)
        inside = False
        if old is None or new is None:
            verdict = ADDED if new is None and name in added else OFF
        elif old == new:
            verdict = EQUAL
        elif abs(old - new) <= tolerance * max(FLOOR, abs(old)):
            verdict = WITHIN
        else:
            low, high = intervals.get(name, (new + 1, new + 1))
            verdict, inside = OFF, low <= new <= high
        changes.append(Change(name, old, new, verdict, inside))
    return changes


def equal_lists(before: Path, after: Path) -> tuple[int, int]:
    """Return the number of queries with the same items in the same order in both lists.parquet, and of all queries.

    A list for another user counts as different.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = ["query", "rank"]
    old, new = (read_parquet(path, [*keys, "user_id", "item_id"]) for path in (before, after))
    old = old.rename_columns([*keys, "user", "item"])
    both = old.join(new, keys, join_type="full outer")
    same = pa.repeat(True, len(both))
    for one, other in (("user", "user_id"), ("item", "item_id")):
        a, b = (both[name].cast(pa.string()) for name in (one, other))
        unknown = pc.and_(pc.is_null(a), pc.is_null(b)) if one == "user" else False  # a query of no known user
        same = pc.and_(same, pc.or_(pc.fill_null(pc.equal(a, b), False), unknown))
    by_query = pa.table({"query": both["query"], "same": same}).group_by("query").aggregate([("same", "all")])
    return pc.sum(by_query["same_all"]).as_py() or 0, len(by_query)


def other_data(then: str, now: str) -> str:
    """Return the error text for data that have changed since the run, given both fingerprints."""
    return (
        f"the data differ from those of the run (fingerprint {now[:12]}, not {then[:12]}); for data in another "
        "location set dataset.interactions=FILE or dataset.root=DIR"
    )


def compare_requirements(before: Sequence[str], after: Sequence[str]) -> list[Difference]:
    """Return the packages, lines `name==version`, that differ."""
    old, new = (dict(line.split("==", 1) for line in lines if "==" in line) for lines in (before, after))
    return compare_values(old, new)


def compare_values(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the values that differ, for the keys of both mappings."""
    names = sorted({*before, *after})
    pairs = ((name, str(before.get(name, "unknown")), str(after.get(name, "none"))) for name in names)
    return [Difference(name, old, new) for name, old, new in pairs if old != new]
