"""How far two runs are apart, on numbers and lists made by hand."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from recexp.history.differences import Difference, compare_metrics, compare_requirements, equal_lists


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (0.25, 0.25, "bit-equal"),
        (0.25, 0.25 + 2**-54, "within tolerance"),  # the next double
        (0.25, 0.2500002, "within tolerance"),
        (0.25, 0.250002, "off, but within its interval"),
        (1e-5, 1.05e-5, "off, but within its interval"),  # relative below 1 too
        (1e-5, 1.0000005e-5, "within tolerance"),
        (0.0, 1e-17, "within tolerance"),  # a sum that cancels
        (0.0, 1e-9, "off, but within its interval"),
        (0.25, 0.35, "off"),
        (400.0, 400.0002, "within tolerance"),  # relative
        (400.0, 400.002, "off, but within its interval"),
    ],
)
def test_verdicts(before: float, after: float, verdict: str) -> None:
    bounds = {"test/x": (before - 0.01, before + 0.01)}
    (change,) = compare_metrics({"test/x": before}, {"test/x": after}, bounds, tolerance=1e-6)
    assert change.text == verdict


def test_metrics_of_one_run_alone() -> None:
    before = {"test/a": 1.0, "test/late": 1.0, "cost/fit_seconds": 1.0}
    found = compare_metrics(before, {"test/b": 1.0, "cost/fit_seconds": 2.0}, {}, tolerance=1.0, added=["test/late"])
    assert {c.name: c.verdict for c in found} == {"test/a": "off", "test/late": "added later", "test/b": "off"}


def test_lists_are_equal_in_items_order_and_owner(tmp_path: Path) -> None:
    def write(name: str, rows: list[tuple[int, str | None, int, str]]) -> Path:
        columns = zip(("query", "user_id", "rank", "item_id"), map(list, zip(*rows)))
        parquet.write_table(pa.table(dict(columns)), tmp_path / name)
        return tmp_path / name

    rows = [(q, u, r, i) for q, u in enumerate(["ann", None, "cid", "dan"]) for r, i in ((1, "x"), (2, "y"))]
    first = write("first", rows)
    assert equal_lists(first, first) == (4, 4)
    swapped = [*rows[:6], (3, "dan", 1, "y"), (3, "dan", 2, "x")]
    assert equal_lists(first, write("swapped", swapped)) == (3, 4)
    assert equal_lists(first, write("shorter", rows[:-1])) == (3, 4)
    assert equal_lists(first, write("fewer", rows[:4])) == (2, 4)
    assert equal_lists(first, write("owner", [(0, "bob", 1, "x"), *rows[1:]])) == (3, 4)


def test_versions() -> None:
    found = compare_requirements(["numpy==2.0", "gone==1", "scipy==1.13"], ["numpy==2.1", "scipy==1.13", "new==3"])
    assert found == [
        Difference("gone", "1", "none"),
        Difference("new", "unknown", "3"),
        Difference("numpy", "2.0", "2.1"),
    ]
