"""TF-IDF and BM25 count the items that may be recommended."""

import numpy as np
import pytest
import scipy.sparse as sp

from recexp import make
from recexp.algorithms import FitContext
from recexp.algorithms.weighting import lengths, weighted

X = sp.csr_array(np.array([[1, 0, 0, 0], [0, 1, 1, 0]], np.float32))
NARROW = np.array([True, True, True, False])
LN = {n: np.log(n) for n in (1.5, 2.0, 4 / 3)}


@pytest.mark.parametrize(
    "catalogue, weighting, expected",
    [
        (None, "tfidf", [LN[2.0], LN[4 / 3], LN[4 / 3]]),
        (NARROW, "tfidf", [LN[1.5], 0, 0]),  # ln(3 / 2) and ln(3 / 3)
        (None, "bm25", [0.88 * LN[2.0], 0.88 * LN[4 / 3], 0.88 * LN[4 / 3]]),  # length 4/3: 2.2 / (1 + 1.2 * 1.25)
        (NARROW, "bm25", [LN[1.5], 0, 0]),  # length 1: 2.2 / (1 + 1.2)
    ],
)
def test_by_hand(catalogue: np.ndarray | None, weighting: str, expected: list[float]) -> None:
    found = weighted(X, weighting, lengths(X, catalogue))
    np.testing.assert_allclose(found.data, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["item_knn", "user_knn", "svd"])
def test_models_count_the_catalogue(name: str, tiny) -> None:
    model = make(f"algorithm={name}", "algorithm.weighting=tfidf", *["algorithm.factors=1"] * (name == "svd"))
    for catalogue, expected in ((None, 4 / 3), (NARROW, 1)):
        model.fit(tiny(X.toarray()), FitContext(catalogue=catalogue))
        np.testing.assert_allclose(model.lengths_, [expected, expected, expected, 0], rtol=1e-6)


def test_many_items_are_counted_exactly() -> None:
    """Lengths are float32, and their sum is the number of items."""
    counts = np.random.default_rng(0).integers(50, size=1_000_000)
    x = sp.csr_array((np.ones(2, np.float32), [0, 1], [0, 2]), shape=(1, len(counts)))
    parts = (counts * (len(counts) / counts.sum())).astype(np.float32)
    np.testing.assert_array_equal(weighted(x, "tfidf", parts).data, np.float32(np.log(len(counts) / 3)))
