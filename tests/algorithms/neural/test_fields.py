"""Models of fields: what is true of codes, networks and answers."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import recexp
from recexp.algorithms import FitContext
from recexp.algorithms.base import Recommender
from recexp.algorithms.neural import fields
from recexp.algorithms.neural.networks.fields import BatchNorm, FieldNetwork, within
from recexp.algorithms.neural.networks.modules import empty
from recexp.data import Column, Dataset, Queries
from recexp.errors import ConfigError, DataError
from recexp.models.fitted import FittedModel
from recexp.models.saving import check_savable

FAST = ("algorithm.epochs=40", "algorithm.batch_size=64", "algorithm.learning_rate=0.01")
DEEP = ("algorithm.factors=4", "algorithm.layers=[8,8]")
NAMES = {"logistic": (), "fm": ("algorithm.factors=4",), "deepfm": DEEP, "wide_deep": DEEP, "dcn": DEEP}


@pytest.fixture(scope="module")
def clicks() -> Dataset:
    """600 rows of 20 users and 12 items, features of each kind, contexts, and labels that hang on all of them."""
    rng = np.random.default_rng(0)
    users, items, hours = (rng.integers(n, size=600) for n in (20, 12, 4))
    like = (users % 2 == items % 3) | (hours == items % 4)
    frame = pd.DataFrame(
        {"user_id": users, "item_id": items, "rating": np.where(rng.random(600) < 0.9, like, ~like) * 1.0}
    )
    frame["hour"], frame["load"] = [f"h{hour}" for hour in hours], rng.normal(size=600).round(3)
    about = pd.DataFrame({"user_id": np.arange(20), "age": np.where(np.arange(20) == 3, np.nan, np.arange(20.0))})
    things = pd.DataFrame(
        {
            "item_id": np.arange(12),
            "kinds": ["a|b", "b", "", "a", "c", "a|c", "b", "c", "a|b|c", "a", "b", "c"],
            "price": np.arange(1.0, 13),
            "words": [f"word{i} thing" for i in range(12)],
        }
    )
    return Dataset.from_frame(
        frame,
        things,
        about,
        context={"hour": "category", "load": "numeric"},
        duplicates="keep",
        item_features={"kinds": "multi_category", "price": "price", "words": "text"},
    )


def asked(data: Dataset, rows: np.ndarray) -> Queries:
    """Return a question for each of some rows, by its user and in its context."""
    some, none = data.interactions.take(rows), np.zeros(len(rows), np.int64)
    return Queries(some.users, data.interactions, none, none, context=some.context)


def fitted(name: str, data: Dataset, *words: str, task: str = "click") -> Recommender:
    model = recexp.make(f"algorithm={name}", f"algorithm.task={task}", *FAST, *NAMES[name], *words)
    return model.fit(data, FitContext(rng=np.random.default_rng(0)))


def test_the_linear_form_is_the_double_sum() -> None:
    vectors = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 6, 3)))
    double = sum((vectors[:, i] * vectors[:, j]).sum(-1) for i, j in combinations(range(6), 2))
    assert torch.allclose(within(vectors), double, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_scores_of_lists_are_those_of_every_pair(name: str, clicks: Dataset) -> None:
    """And of a network written down plainly, one pair at a time, from the formulas of the papers."""
    model, rows = fitted(name, clicks, "algorithm.epochs=3"), np.arange(0, 600, 40)
    queries = asked(clicks, rows)
    scores = model.score(queries)
    for item in range(clicks.n_items):
        pairs = replace(clicks.interactions.take(rows), items=np.full(len(rows), item, np.int32))
        p = model.predict(pairs, queries)
        np.testing.assert_allclose(1 / (1 + np.exp(-scores[:, item])), p, rtol=1e-5)
    plain = [[by_hand(model, clicks, int(row), item) for item in range(clicks.n_items)] for row in rows]
    np.testing.assert_allclose(scores, plain, rtol=2e-4, atol=1e-5)


def by_hand(model: Recommender, data: Dataset, row: int, item: int) -> float:
    """Return the logit of an item in the context of a row, from the weights and the definitions alone."""
    rows, w = data.interactions, {name: array.astype(np.float64) for name, array in model.weights_.items()}
    known = {"users": (model.users_, int(rows.users[row])), "items": (model.items_, item)}
    moment = fields.encode(
        fields.of_table(model.fields_, "context"), {n: c.take(np.array([row])) for n, c in rows.context.items()}, 1
    )
    known["context"] = vars(moment), 0
    begin, found = 0, {}
    for table in ("users", "items", "context"):
        encoded, at = known[table]
        single, several = fields.sizes(fields.of_table(model.fields_, table))
        found[table] = []
        for number, size in enumerate(single):
            found[table].append(w["table"][begin + encoded["codes"][at, number]])
            begin += size
        for bag, size in zip(encoded["bags"], several):
            found[table].append(bag[[at]].toarray()[0].astype(np.float64) @ w["table"][begin : begin + size])
            begin += size
    vectors = np.array(found["users"] + found["context"] + found["items"])
    shape = model._shape()
    d, logit = shape.factors, w["bias"][0]
    if shape.linear:
        logit += vectors[:, d].sum()
    if shape.pairs:
        logit += sum(vectors[i, :d] @ vectors[j, :d] for i, j in combinations(range(len(vectors)), 2))
    x = start = vectors[:, :d].ravel()
    parts = []
    if shape.cross:
        for layer in range(shape.cross):
            x = start * (w[f"cross.{layer}.weight"] @ x + w[f"cross.{layer}.bias"]) + x
        parts.append(x)
    if shape.hidden:
        h = start
        for layer in range(len(shape.hidden)):
            h = np.maximum(w[f"layers.{layer}.weight"] @ h + w[f"layers.{layer}.bias"], 0)
        parts.append(h)
    return logit + (w["output.weight"][0] @ np.concatenate(parts) if parts else 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_learned(name: str, clicks: Dataset) -> None:
    """A tenth of the labels is noise; those without products of fields cannot know who likes what."""
    from sklearn.metrics import roc_auc_score

    rows = clicks.interactions
    auc = roc_auc_score(rows.values, fitted(name, clicks).predict(rows, asked(clicks, np.arange(600))))
    assert auc > (0.6 if name == "logistic" else 0.85)


def test_logistic_is_logistic_regression(clicks: Dataset) -> None:
    from sklearn.linear_model import LogisticRegression

    model = fitted(
        "logistic", clicks, "algorithm.epochs=400", "algorithm.batch_size=600", "algorithm.fields=[user,context.hour]"
    )
    rows = clicks.interactions
    x = np.column_stack([np.eye(20)[rows.users], np.eye(4)[rows.context["hour"].values]])
    expected = LogisticRegression(C=1e6, max_iter=10_000).fit(x, rows.values).predict_proba(x)[:, 1]
    np.testing.assert_allclose(model.predict(rows, asked(clicks, np.arange(600))), expected, atol=2e-3)


def test_a_function_of_second_order_is_learned() -> None:
    """Ratings that are a mean, effects of users and items and a product of rank one: to 1e-3."""
    rng = np.random.default_rng(1)
    (a, b), (p, q) = rng.normal(size=(2, 12)) / 2, rng.normal(size=(2, 12))
    users, items = np.repeat(np.arange(12), 12), np.tile(np.arange(12), 12)
    values = 3 + a[users] + b[items] + p[users] * q[items]
    data = Dataset.from_frame(pd.DataFrame({"user_id": users, "item_id": items, "rating": values}))
    words = ("algorithm.epochs=4000", "algorithm.batch_size=144", "algorithm.learning_rate=0.01")
    model = fitted("fm", data, *words, task="rating")
    found = model.predict(data.interactions, asked(data, np.arange(144)))
    assert np.abs(found - data.interactions.values).max() < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_field_changes_nothing(name: str, clicks: Dataset) -> None:
    rows = clicks.interactions
    more = {**rows.context, "site": Column.category(["here"] * 600), "zero": Column.numeric(np.zeros(600))}
    other = replace(clicks, interactions=replace(rows, context=more))
    first, second = (fitted(name, data, "algorithm.epochs=2").weights_ for data in (clicks, other))
    assert all(np.array_equal(first[part], second[part]) for part in first)


def test_what_train_did_not_have_is_missing(clicks: Dataset) -> None:
    rows = clicks.interactions
    hours = rows.context["hour"]
    train = clicks.take(hours.values != 2)
    model = fitted("fm", train)
    assert model.fields_["context.hour"]["names"] == ["h0", "h1", "h3"], "h2 has no code"
    new, gone = np.flatnonzero(hours.values == 2)[:3], replace(hours, values=np.full(3, -1, np.int32))
    queries = asked(clicks, new)
    missing = replace(queries, context={**queries.context, "hour": gone})
    assert np.array_equal(model.score(queries), model.score(missing))
    without = replace(queries, context={"load": queries.context["load"]})
    assert np.array_equal(model.score(queries), model.score(without))


def test_codes_of_each_kind(clicks: Dataset) -> None:
    learned = fields.learn(clicks, fields.named_fields(clicks, None), None)
    assert [*learned] == ["user", "item", "users.age", "items.kinds", "items.price", "context.hour", "context.load"]
    encoded = fields.encode(fields.of_table(learned, "items"), clicks.items, 12, fields.ids(np.ones(12, bool)))
    kinds, price = (bag.toarray() for bag in encoded.bags)
    assert encoded.codes[:, 0].tolist() == [*range(1, 13)]
    assert kinds[:4].tolist() == [[0, 0.5, 0.5, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]]
    logs = np.log(clicks.items["price"].values[clicks.interactions.items])
    np.testing.assert_allclose(price[:, 1], (np.log(np.arange(1, 13)) - logs.mean()) / logs.std(), rtol=1e-4)
    (age,) = fields.encode(fields.of_table(learned, "users"), clicks.users, 20).bags
    assert age.toarray()[3].tolist() == [1, 0], "a missing number has a code of its own"
    quarters = fields.learn(clicks, ["context.load"], 4)
    codes = fields.encode(quarters, clicks.interactions.context, 600).codes[:, 0]
    assert np.bincount(codes).tolist() == pytest.approx([0, 150, 150, 150, 150], abs=3)


@pytest.mark.parametrize("name", NAMES)
def test_save_and_load_give_equal_scores(name: str, clicks: Dataset, tmp_path: Path) -> None:
    model = fitted(name, clicks, "algorithm.epochs=2", "algorithm.quantiles=3")
    whole = recexp.make("algorithm=popularity").fit(clicks)
    ranking = recexp.make("evaluation=ranking").ranking(clicks, seed=1)
    made = FittedModel.of(model, whole, ranking, clicks, exclude_seen=False, block_mib=64)
    made.save(tmp_path / "saved")
    queries = asked(clicks, np.arange(20))
    again = FittedModel.load(tmp_path / "saved").model
    assert np.array_equal(model.score(queries), again.score(queries))
    assert model.context_columns == again.context_columns == ("hour", "load")


def test_ranks_are_learned_in_the_context_of_rows(tiny: Callable) -> None:
    """Everybody takes the item of the hour; without the hour all are alike."""
    rng = np.random.default_rng(0)
    users, hours = np.repeat(np.arange(30), 2), rng.integers(6, size=60)
    frame = pd.DataFrame({"user_id": users, "item_id": hours, "hour": [f"h{hour}" for hour in hours]})
    data = Dataset.from_frame(frame, context={"hour": "category"}, duplicates="keep")
    model = fitted("fm", data, "algorithm.epochs=300", task="rank")
    queries = asked(data, np.arange(60))
    assert (model.score(queries).argmax(1) == data.interactions.items).mean() > 0.9
    assert "do not take hour into account" in model.remarks(replace(queries, context={}))[0]
    assert not model.remarks(queries)


def test_batch_normalization_is_that_of_pytorch() -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(3, 2, size=(50, 4)).astype(np.float32))
    ours, theirs = empty(lambda: BatchNorm(4), torch.device("cpu")), torch.nn.BatchNorm1d(4)
    ours.reset()
    assert torch.equal(ours(x, training=True), theirs(x))
    assert torch.equal(ours(x, training=False), theirs.eval()(x))


def test_learning_slows_down_after_validations_without_improvement(clicks: Dataset) -> None:
    model = recexp.make(
        "algorithm=fm", "algorithm.task=click", *FAST, "algorithm.learning_rate_decay=0.5", "algorithm.patience=3"
    )
    values = iter([1.0, 0.5, 2.0, 0.1, 0.1, 0.1])
    model.fit(clicks, FitContext(rng=np.random.default_rng(0), validate=lambda _: next(values)))
    assert model.fitted_params_ == {"epochs": 3, "slower_after": [2]}
    best = model.weights_
    model.fit(clicks, FitContext(rng=np.random.default_rng(0)))
    assert all(np.array_equal(best[name], model.weights_[name]) for name in best), "a later fit slows down alike"


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (
            ["algorithm.fields=[user,users.size]"],
            ConfigError,
            "algorithm.fields: frame has no users.size; available: user, item, users.age",
        ),
        (["algorithm.fields=[items.words]"], ConfigError, "algorithm.fields: items.words is a text"),
        (
            ["algorithm.fields=[context.zero]"],
            DataError,
            "algorithm.fields: all fields are the same in all rows of frame",
        ),
        (
            ["algorithm.fields=[context.click]"],
            ConfigError,
            "algorithm.fields: context.click says what is to be predicted",
        ),
    ],
)
def test_bad_fields_are_one_clear_line(words: list[str], error: type, message: str, clicks: Dataset) -> None:
    rows = clicks.interactions
    more = {"zero": Column.numeric(np.zeros(600)), "click": Column.numeric(rows.values)}
    data = replace(clicks, interactions=replace(rows, context={**rows.context, **more}))
    with pytest.raises(error) as caught:
        fitted("fm", data, *words)
    assert str(caught.value).startswith(message)


def test_rows_without_a_rating(clicks: Dataset) -> None:
    """They are items to rank, in a model that can be saved, and no ratings to learn."""
    rows = clicks.interactions
    data = replace(
        clicks, interactions=replace(rows, values=np.where(rows.items == 0, np.float32(np.nan), rows.values))
    )
    check_savable(fitted("fm", data, "algorithm.epochs=1", task="rank"))
    with pytest.raises(DataError, match=r"train rows have no finite rating.*filter=ratings drops rows without one"):
        fitted("fm", data, "algorithm.epochs=1", task="rating")


def test_the_label_is_no_field_by_itself(clicks: Dataset) -> None:
    rows = clicks.interactions
    data = replace(clicks, interactions=replace(rows, context={"clicked": Column.numeric(rows.values)}))
    assert "context.clicked" not in fields.named_fields(data, None)


def test_networks_hold_no_more_than_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few queries give the scores of all at once."""
    from recexp.algorithms.neural.field_shape import FieldShape
    from recexp.algorithms.neural.networks import fields as networks

    network = empty(lambda: FieldNetwork(9, 2, 1, FieldShape(4, hidden=[6])), torch.device("cpu"))
    network.draw(torch.Generator().manual_seed(0))
    left, right = (torch.from_numpy(np.random.default_rng(0).normal(size=s)).float() for s in ((7, 2, 5), (3, 1, 5)))
    with torch.inference_mode():
        whole = networks.scores(network, left, right)
        monkeypatch.setattr(networks, "HELD", 1)
        np.testing.assert_allclose(networks.scores(network, left, right), whole, atol=1e-6)
