"""What every algorithm promises, checked for each yaml in conf/algorithm without naming any."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms import Capabilities, FitContext, Recommender
from recexp.config import compose, options, plain
from recexp.config.building import build
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError
from recexp.testing import check_recommender

NODES = plain(compose([f"+algorithm@found.{name}={name}" for name in options("algorithm")]))["found"]
"""The config of each algorithm by name, composed at once; networks are small here, and learn fast."""
SMALL = {"epochs": 20, "batch_size": 128, "learning_rate": 0.02, "hidden": 16, "latent": 8, "factors": 8}
for node in NODES.values():
    for key in node.keys() & SMALL.keys() if "epochs" in node else ():
        node[key] = [SMALL[key]] * len(node[key]) if isinstance(node[key], list) else SMALL[key]
    if isinstance(node.get("layers"), list):
        node["layers"] = [16] * len(node["layers"])

NAMES = list(NODES)


def fresh(name: str) -> Recommender:
    return build(NODES[name], Recommender, "algorithm")


def of(condition: Callable[[Capabilities], bool]) -> pytest.MarkDecorator:
    """Test the models alone for whose capabilities the condition holds."""
    chosen = [name for name in NAMES if condition(fresh(name).capabilities)]
    return pytest.mark.parametrize("name", chosen, indirect=True)


def fitted(name: str, data: Dataset, seed: int = 0) -> Recommender:
    return fresh(name).fit(data, FitContext(rng=np.random.default_rng(seed)))


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(name: str, store: Dataset) -> Recommender:
    """A fitted model that the tests below only ask."""
    return fitted(name, store)


def test_it_keeps_what_every_algorithm_promises(name: str) -> None:
    check_recommender(fresh(name))


def test_scores_are_float32(model: Recommender, queries: Queries) -> None:
    assert model.score(queries).dtype == np.float32


@of(lambda can: can.predicts)
def test_predictions_are_within_the_range_of_ratings_and_beat_chance(model: Recommender, store: Dataset) -> None:
    rows = store.interactions
    users, items = np.array([3, 3, 7, 12], np.int32), np.array([2, 11, 2, 8], np.int32)  # neither 7 nor 11 has rows
    asked = Interactions(users, items, np.ones(4, np.float32), store.n_users, store.n_items)
    predicted = model.predict(asked, Queries.of_users(users, rows, exclude_seen=False))
    assert (predicted >= rows.values.min()).all() and (predicted <= rows.values.max()).all()
    seen = model.predict(rows, Queries.of_users(rows.users, rows, exclude_seen=False))
    assert np.corrcoef(seen, rows.values)[0, 1] > 0.2, "on what it learned from"


@of(lambda can: (can.needs_history or can.known_users_only) and not can.predicts and "order" not in can.needs)
def test_the_taste_of_a_history_is_learned(model: Recommender, store: Dataset, queries: Queries) -> None:
    """The AUC of items of one's own taste over others is .74 or more; chance gives .5. Orders are random here."""
    scores = model.score(dataclasses.replace(queries, exclude=None))
    own = queries.users[:, None] % 2 == np.arange(store.n_items) % 2
    above = scores[:, :, None] - scores[:, None, :]
    won = (above > 0) + 0.5 * (above == 0)
    assert won[own[:, :, None] & ~own[:, None, :]].mean() > 0.65


@of(lambda can: can.needs_history and not can.known_users_only)
def test_a_stranger_is_answered_by_his_history(model: Recommender, queries: Queries) -> None:
    """Some read no more of it than its last item."""
    scores = model.score(queries.asked_by(-1))
    assert len(np.unique(scores, axis=0)) > len(np.unique(queries.sequences(1))) / 2


@of(lambda can: not can.known_users_only)
def test_a_history_changes_the_answer_of_those_that_say_so(model: Recommender, queries: Queries) -> None:
    """Others, such as popularity, answer a stranger alike whatever he has."""
    scores = model.score(queries.asked_by(-1))
    assert (len(np.unique(scores, axis=0)) > 1) == model.capabilities.reads_history


def test_wrong_parameters_are_refused(name: str) -> None:
    model = fresh(name)
    target = f"{type(model).__module__}.{type(model).__qualname__}"
    node = {"_target_": target, **{field.name: getattr(model, field.name) for field in dataclasses.fields(model)}}
    with pytest.raises(ConfigError, match="no_such_field"):
        build({**node, "no_such_field": 1}, Recommender, "algorithm")
    for key, value in node.items():
        if key == "_target_":
            continue
        with pytest.raises(ConfigError, match=f"algorithm.{key}"):
            build({**node, key: [object()]}, Recommender, "algorithm")
        if type(value) in (int, float):
            with pytest.raises(ConfigError, match=f"algorithm.{key}"):
                build({**node, key: float("nan")}, Recommender, "algorithm")
