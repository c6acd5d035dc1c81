"""Factors that features suggest, worked out by hand from a base whose vectors are given."""

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recexp import make
from recexp.algorithms import Capabilities
from recexp.algorithms.cold_start.feature_to_factors import FeatureToFactors
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.linear.ease import EASE
from recexp.data import Column, Dataset, Queries
from recexp.errors import ConfigError, DataError
from recexp.params import params

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]


@params
class Given(FactorModel):
    """Items have the vectors that it is told; a user's is the sum over the history."""

    vectors: list[list[float]]

    capabilities = Capabilities(vectors=True)

    def fit(self, train, context=None):
        self.items_ = np.array(self.vectors, np.float32)
        return self

    def user_vectors(self, queries):
        return queries.history(values=False) @ self.items_


VECTORS = [[4.0, 0.0], [2.0, 0.0], [0.0, 3.0], [9.0, 9.0], [9.0, 9.0]]
KINDS = Column.category(["a", "a", "b", "b", None])


def films(tiny: Tiny, have: list[list[int]], kinds: Column = KINDS) -> Dataset:
    return replace(tiny(have), items={"kind": kinds})


def model(below: int = 1, l2: float = 1.0) -> FeatureToFactors:
    fields = {"feature_columns": None, "weights": None, "max_features": None, "stop_words": None}
    return FeatureToFactors(base=Given(vectors=VECTORS), l2=l2, below=below, **fields)


def test_new_items_get_the_mean_and_what_their_kind_is_above_it(tiny: Tiny, ask: Ask) -> None:
    """The mean of the three known is (2, 1); b is (-2, 2) from it, of one item and a penalty of 1: (-1, 1)."""
    found = model().fit(films(tiny, [[1, 0, 1, 0, 0], [0, 1, 1, 0, 0]]))
    np.testing.assert_allclose(found.item_vectors(), [*VECTORS[:3], [1, 2], [2, 1]], atol=1e-6)
    np.testing.assert_allclose(found.score(ask([[0, 1, 0, 0, 0]])), [[8, 4, 0, 2, 4]], atol=1e-6)


def test_items_of_few_users_are_new_where_one_says_so(tiny: Tiny) -> None:
    """Only item 2 has two users: all others are at its vector, for there is nothing above the mean to learn."""
    found = model(below=2).fit(films(tiny, [[1, 0, 1, 0, 0], [0, 1, 1, 0, 0]]))
    np.testing.assert_allclose(found.item_vectors(), [[0, 3]] * 5, atol=1e-6)
    with pytest.raises(DataError, match=r"algorithm\.below: no item has 3 train users or more"):
        model(below=3).fit(films(tiny, [[1, 0, 1, 0, 0], [0, 1, 1, 0, 0]]))


def test_new_items_without_features_are_counted(tiny: Tiny, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        model().fit(films(tiny, [[1, 0, 1, 0, 0], [0, 1, 1, 0, 0]]))
    assert [record.getMessage() for record in caplog.records] == [
        "feature_to_factors: 1 of 2 new items have no features and get the mean of all factors"
    ]


def test_a_model_without_vectors_is_no_base() -> None:
    with pytest.raises(ConfigError, match=r"algorithm\.base: .*Popularity has no vectors of users and items; als,"):
        make("algorithm=feature_to_factors", "algorithm@algorithm.base=popularity")
    with pytest.raises(ValueError, match="EASE has no vectors"):
        FeatureToFactors(**{**vars(model()), "base": EASE(l2=1.0)})


def test_it_needs_what_the_base_needs_and_item_features() -> None:
    of_ratings = make("algorithm=feature_to_factors", "algorithm@algorithm.base=mf")
    assert of_ratings.capabilities.needs == {"ratings", "item_features"} and not of_ratings.capabilities.predicts
    of_known = make("algorithm=feature_to_factors", "algorithm@algorithm.base=bpr")
    assert of_known.capabilities.known_users_only and not of_known.capabilities.needs_history
