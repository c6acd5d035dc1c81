"""Whom to show a new item to, and what is made of the answers."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import recexp
from recexp.algorithms import Capabilities, FitContext
from recexp.algorithms.cold_start.active_items import ActiveItems
from recexp.algorithms.factors import FactorModel
from recexp.data import Dataset, Interactions
from recexp.errors import ConfigError, DataError
from recexp.models.fitted import FittedModel
from recexp.params import params
from recexp.ranking import Ranking

RNG = np.random.default_rng(8)
USERS, ITEMS = RNG.normal(size=(30, 4)).astype(np.float32), RNG.normal(size=(12, 4)).astype(np.float32)


@params
class Given(FactorModel):
    """Vectors that it is told."""

    capabilities = Capabilities(vectors=True)

    def fit(self, train, context=None):
        self.items_ = ITEMS
        return self

    def user_vectors(self, queries):
        return USERS[queries.users]


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Ten items that everyone has; the 11th was shown to five users, two of whom want it; nobody saw the last."""
    users, items = (part.ravel() for part in np.mgrid[:30, :10])
    users, items = np.append(users, [3, 9, 14, 20, 27]), np.append(items, [10] * 5)
    values = np.append(np.ones(300), [1, 0, 0, 1, 0])
    rows = Interactions(users.astype(np.int32), items.astype(np.int32), values.astype(np.float32), 30, 12)
    return Dataset("shown", rows, np.arange(30), np.arange(12))


def model(choose: str = "greedy", n_users: int = 4) -> ActiveItems:
    return ActiveItems(base=Given(), below=20, choose=choose, n_users=n_users, l2=0.7)


def test_a_new_item_learns_from_answers_by_ridge_regression_about_the_mean(data: Dataset) -> None:
    found = model().fit(data).item_vectors()
    mean, w = ITEMS[:10].mean(axis=0), USERS[[3, 9, 14, 20, 27]]
    oracle = Ridge(alpha=0.7, fit_intercept=False).fit(w, np.array([1, 0, 0, 1, 0]) - w @ mean)
    np.testing.assert_allclose(found[10], mean + oracle.coef_, atol=1e-5)
    np.testing.assert_allclose(found[11], mean, atol=1e-6)
    np.testing.assert_array_equal(found[:10], ITEMS[:10])


def test_the_greedy_panel_leaves_least_variance_at_each_step(data: Dataset) -> None:
    able = np.arange(5, 30)
    found = model().fit(data).panel(able, 4, np.random.default_rng(0))
    gram, chosen = USERS.T @ USERS, []
    for _ in range(4):
        left = [user for user in able if user not in chosen]
        spread = [
            np.trace(gram @ np.linalg.inv(0.7 * np.eye(4) + sum(np.outer(USERS[u], USERS[u]) for u in [*chosen, v])))
            for v in left
        ]
        chosen.append(left[int(np.argmin(spread))])
    assert found.tolist() == chosen


@params
class Stranger(Given):
    """The first user, who is in no train row, has a long vector."""

    def user_vectors(self, queries):
        return USERS[queries.users] * np.where(queries.users == 0, 100, 1)[:, None].astype(np.float32)


def test_the_greedy_panel_is_for_train_users_alone(data: Dataset) -> None:
    others = replace(data, interactions=data.interactions.take(data.interactions.users > 0))
    found = [ActiveItems(base=base(), below=20, choose="greedy", n_users=4, l2=0.7) for base in (Given, Stranger)]
    able = np.arange(1, 30)
    panels = [one.fit(others).panel(able, 4, np.random.default_rng(0)).tolist() for one in found]
    assert panels[0] == panels[1]


def test_the_other_panels(data: Dataset) -> None:
    rows = data.interactions
    few = Dataset(
        "few", rows.take((rows.users < 3) | (rows.items < 9) | (rows.users == 20)), data.user_ids, data.item_ids
    )
    assert model("active").fit(few).panel_.tolist() == [20, 0, 1, 2]
    named = replace(data, user_ids=np.array([f"u{n}" for n in range(30)], object))
    ranking = Ranking(np.arange(12), np.ones(12, bool))
    popular = recexp.make("algorithm=popularity").fit(few)
    whole = FittedModel.of(model("active").fit(few), popular, ranking, named, exclude_seen=True, block_mib=1)
    assert whole.panel() == ["u20", "u0", "u1", "u2"]
    with pytest.raises(DataError, match="Popularity chooses no users for new items; algorithm=active_items does"):
        replace(whole, model=popular).panel()
    one, two = (model("random").fit(data, FitContext(rng=np.random.default_rng(s))).panel_.tolist() for s in (1, 2))
    assert len({*one}) == 4 and one != two


def test_more_users_than_there_are_are_refused(data: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"^algorithm\.n_users=31: only 30 users have train rows"):
        model(n_users=31).fit(data)


def test_a_base_without_vectors_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^algorithm\.base: EASE has no vectors of users and items"):
        recexp.make("algorithm=active_items", "algorithm@algorithm.base=ease")
