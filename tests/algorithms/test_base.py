"""What the base class gives every model, and what it refuses of a person's own."""

import numpy as np
import pytest

from recexp.algorithms import FitContext, Recommender
from recexp.data import Dataset, Queries
from recexp.errors import DataError
from recexp.params import params
from recexp.ranking import Ranking


@params
class Counts(Recommender):
    """Scores by how many rows an item has, as numbers of some type."""

    dtype: str

    def fit(self, train: Dataset, context: FitContext | None = None) -> "Counts":
        self.counts_ = np.bincount(train.interactions.items, minlength=train.n_items)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return np.tile(self.counts_.astype(self.dtype), (len(queries), 1))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float64", "float16"])
def test_scores_of_any_numeric_type_are_ranked(store: Dataset, ranking: Ranking, queries: Queries, dtype: str) -> None:
    lists = Counts(dtype=dtype).fit(store).recommend(queries, 5, ranking)
    expected = Counts(dtype="float32").fit(store).recommend(queries, 5, ranking)
    assert lists.scores.dtype == np.float32
    np.testing.assert_array_equal(lists.items, expected.items)
    np.testing.assert_array_equal(lists.scores, expected.scores)


@pytest.mark.parametrize("dtype", ["object", "U3", "complex64"])
def test_scores_that_are_no_numbers_are_refused(store: Dataset, ranking: Ranking, queries: Queries, dtype: str) -> None:
    with pytest.raises(DataError, match=rf"Counts\.score gave values of type {np.dtype(dtype)}; scores are numbers"):
        Counts(dtype=dtype).fit(store).recommend(queries, 5, ranking)


def test_scores_of_another_shape_are_named_with_their_class(store: Dataset, ranking: Ranking, queries: Queries) -> None:
    class Flat(Counts):
        def score(self, queries: Queries) -> np.ndarray:
            return super().score(queries)[0]

    with pytest.raises(DataError, match=rf"Flat\.score gave \(24,\); one score of each .* is \({len(queries)}, 24\)"):
        Flat(dtype="float32").fit(store).recommend(queries, 3, ranking)


def test_a_context_left_out_is_fresh_and_seeded_alike() -> None:
    one, two = FitContext(), FitContext()
    first = one.rng.random(3)
    np.testing.assert_array_equal(two.rng.random(3), first)
    assert (one.rng.random(3) != first).all()
