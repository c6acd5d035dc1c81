"""The tables that a run leaves, read back."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp

from recexp import make
from recexp.data import Dataset, Interactions
from recexp.errors import DataError
from recexp.evaluation.slices import Slice
from recexp.evidence import run_files
from recexp.evidence.recommendations import PartResult
from recexp.ranking import Lists

USERS = np.array([1, -1, 0], np.int32)
USER_IDS = np.array(["ann", "bob"], object)
ITEM_IDS = np.array([10, 20, 30])
LISTS = Lists(np.array([[2, 0], [1, -1], [0, 1]], np.int32), np.array([[0.9, 0.5], [0.4, -np.inf], [3, 2]], np.float32))
HITS = np.array([[False, True], [True, False], [False, False]])


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_lists_carry_original_ids_and_hits(tmp_path: Path) -> None:
    run_files.write_lists(tmp_path, users=USERS, user_ids=USER_IDS, item_ids=ITEM_IDS, lists=LISTS, hits=HITS)
    assert pq.read_table(tmp_path / "lists.parquet").to_pydict() == {
        "query": [0, 0, 1, 2, 2],
        "user_id": ["bob", "bob", None, "ann", "ann"],
        "rank": [1, 2, 1, 1, 2],
        "item_id": [30, 10, 20, 10, 20],
        "score": np.array([0.9, 0.5, 0.4, 3, 2], np.float32).tolist(),
        "hit": [False, True, True, False, False],
    }
    assert rows(tmp_path / "lists_sample.csv")[1] == ["0", "bob", "1", "30", "0.9", "false"]


def test_per_user_results_and_an_even_sample(tmp_path: Path) -> None:
    n = 1000
    about = {"query": np.arange(n, dtype=np.int32), "history": np.full(n, 3), "held_out": np.full(n, 2)}
    run_files.write_units(tmp_path, "user", np.arange(n) + 5, {"ndcg_at_10": np.linspace(0, 1, n)}, about=about)
    table = pq.read_table(tmp_path / "per_user.parquet")
    assert table.column_names == ["user_id", "query", "history", "held_out", "ndcg_at_10"]
    assert table["user_id"].to_pylist() == list(range(5, n + 5))
    assert table["ndcg_at_10"].to_pylist() == np.linspace(0, 1, n).tolist()
    lines = rows(tmp_path / "per_user_sample.csv")
    assert len(lines) == 1 + run_files.SAMPLE
    assert lines[1] == ["5", "0", "3", "2", "0"] and lines[-1] == ["1004", "999", "3", "2", "1"]


def test_small_tables(tmp_path: Path) -> None:
    run_files.write_slices(tmp_path, [Slice("user_activity", "1-3 rows, few", 7, "ndcg_at_10", 0.5, 0.25, 0.75)])
    run_files.write_metrics(
        tmp_path, {"test/ndcg_at_10": 0.5, "test/gini_at_10": 0.25}, {"test/ndcg_at_10": (0.25, 0.75)}, {"ndcg": True}
    )
    assert rows(tmp_path / "slices.csv")[1:] == [
        ["user_activity", "1-3 rows, few", "7", "ndcg_at_10", "0.5", "0.25", "0.75"]
    ]
    assert rows(tmp_path / "metrics.csv")[1:] == [
        ["test/ndcg_at_10", "0.5", "0.25", "0.75", "true"],
        ["test/gini_at_10", "0.25", "", "", ""],
    ]


def test_lists_shorter_than_the_cut_off_are_told() -> None:
    """Three queries with 3, 2 and 1 candidates."""
    rows = Interactions(*np.indices((3, 6), np.int32).reshape(2, -1), np.ones(18, np.float32), 3, 6)
    split = next(make("split=leave_random").split(Dataset("tiny", rows, np.arange(3), np.arange(6))))
    items = np.array([[4, 1, 0], [3, 2, -1], [5, -1, -1]], np.int32)
    part = PartResult("test", split, Lists(items, np.zeros((3, 3), np.float32)), None, None, 0.0)
    assert part.short_lists(1) == ""
    assert "test: 1 of 3 lists have fewer than 2 items, the shortest 1" in part.short_lists(2)
    assert "3 of 3 lists have fewer than 5 items, the shortest 1: the model ranks no more items" in part.short_lists(5)
    candidates = sp.csr_array(np.ones((len(split.queries), 6)))
    part = replace(part, split=replace(split, queries=replace(split.queries, candidates=candidates)))
    assert "the model ranks no more candidates" in part.short_lists(5)


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (run_files.read_user_values, {"ndcg": ["many", "words"]}),
        (run_files.read_predictions, {"predicted": ["a", "b"]}),
        (run_files.read_predictions, {"other": [1.0]}),
        (run_files.read_slices, b"slice,group,size,metric,value,low,high\ncaf\xe9,a,1,ndcg,0,0,0\n"),
        (run_files.read_slices, b"slice,group,size,metric,value,low,high\na,b,many,ndcg,0,0,0\n"),
        (run_files.read_metrics, b"metric,value,low,high\nndcg,high,,\n"),
        (run_files.read_directions, b"name,value\nndcg,1\n"),
    ],
)
def test_a_file_that_does_not_hold_what_it_should_is_named(
    tmp_path: Path, read: Callable[[Path], object], content: dict[str, list] | bytes
) -> None:
    path = tmp_path / "of_a_run"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(pa.table(content), path)
    with pytest.raises(DataError, match=f"{path} is damaged"):
        read(path)
