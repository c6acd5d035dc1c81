"""Files of vectors of items: what is read and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from recexp.algorithms.neural.item_vectors import item_vectors
from recexp.data import Dataset, Interactions
from recexp.errors import DataError


def ring() -> Dataset:
    """12 items."""
    items = np.arange(12, dtype=np.int32)
    rows = Interactions(np.zeros(12, np.int32), items, np.ones(12, np.float32), 1, 12)
    return Dataset("ring", rows, np.arange(1), np.arange(12))


@pytest.mark.parametrize(
    ("ids", "vectors", "message"),
    [
        ([0, 1, 1], np.eye(3), "has the id 1 twice"),
        (np.array(["a", "b", "c"], object), np.eye(3), r"text is saved by ids\.astype\(str\)"),
        ([[0], [1], [2]], np.eye(3), r"found ids \(3, 1\)"),
        (0, np.eye(3), r"found ids \(\)"),
        ([0, 1], np.eye(3), r"found ids \(2,\) and vectors float64 \(3, 3\)"),
        ([0], [[np.nan]], "a finite float vector for each id"),
    ],
)
def test_vectors_that_cannot_be_meant_are_refused(ids, vectors, message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "vectors.npz", ids=ids, vectors=vectors)
    with pytest.raises(DataError, match=message):
        item_vectors(tmp_path / "vectors.npz", ring())


def test_other_files_are_no_vectors(tmp_path: Path) -> None:
    np.savez(tmp_path / "whole.npz", ids=[0], vectors=np.ones((1, 2)))
    np.save(tmp_path / "array.npy", np.ones((1, 2)))
    for name, content in {
        "text": b"no vectors",
        "empty": b"",
        "cut": (tmp_path / "whole.npz").read_bytes()[:100],
        "array": (tmp_path / "array.npy").read_bytes(),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name} is not an npz file with ids and vectors"):
            item_vectors(tmp_path / name, ring())


def test_vectors_in_half_precision_have_length_1(tmp_path: Path) -> None:
    """The square of 300 is too large for float16."""
    np.savez(tmp_path / "half.npz", ids=[3, 0], vectors=np.array([[300, 400], [0, 2]], np.float16))
    found = item_vectors(tmp_path / "half.npz", ring())
    np.testing.assert_allclose(found[[0, 1, 3]], [[0, 1], [0, 0], [0.6, 0.8]], rtol=1e-6)
