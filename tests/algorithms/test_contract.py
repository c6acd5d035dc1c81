"""What every algorithm promises, checked for each yaml in conf/algorithm without naming any."""

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest

from recexp import threads
from recexp.algorithms import Capabilities, FitContext, Recommender
from recexp.algorithms.baselines.popularity import Popularity
from recexp.config import compose, options, plain
from recexp.config.building import build
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError, ModelError, NotFittedError
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking

NODES = plain(compose([f"+algorithm@found.{name}={name}" for name in options("algorithm")]))["found"]
"""The config of each algorithm by name, composed at once."""
NAMES = list(NODES)
ASIDE = {
    "timestamps": {"timestamps"},
    "sessions": {"sessions"},
    "ratings": {"ratings"},
    "users": {"user_features", "user_categories"},
    "items": {"item_features", "item_categories", "item_prices", "item_texts"},
}
"""What a data set carries beside who took what, and the needs that ask for it."""


def fresh(name: str) -> Recommender:
    return build(NODES[name], Recommender, "algorithm")


def of(condition: Callable[[Capabilities], bool]) -> pytest.MarkDecorator:
    """Test the models alone for whose capabilities the condition holds."""
    chosen = [name for name in NAMES if condition(fresh(name).capabilities)]
    return pytest.mark.parametrize("name", chosen, indirect=True)


def fitted(name: str, data: Dataset, seed: int = 0) -> Recommender:
    return fresh(name).fit(data, FitContext(rng=np.random.default_rng(seed)))


def wrapped(model: Recommender, store: Dataset, ranking: Ranking) -> FittedModel:
    popularity = Popularity(half_life_days=None).fit(store)
    return FittedModel.of(model, popularity, ranking, store, exclude_seen=True, block_mib=1)


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(name: str, store: Dataset) -> Recommender:
    """A fitted model that the tests below only ask."""
    return fitted(name, store)


def test_fit_returns_itself_and_keeps_its_hyperparameters(name: str, store: Dataset) -> None:
    model = fresh(name)
    before = json.dumps(dataclasses.asdict(model))
    assert model.fit(store) is model
    assert json.dumps(dataclasses.asdict(model)) == before


def test_an_unfitted_model_says_so(name: str, queries: Queries, ranking: Ranking) -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        fresh(name).score(queries)
    with pytest.raises(NotFittedError, match="call fit first"):
        fresh(name).recommend(queries, 5, ranking)


def test_a_second_fit_starts_afresh(name: str, store: Dataset, model: Recommender, queries: Queries) -> None:
    other = store.take(np.arange(len(store.interactions)) % 3 == 0)
    refitted = fitted(name, other).fit(store, FitContext(rng=np.random.default_rng(0)))
    np.testing.assert_array_equal(refitted.score(queries), model.score(queries))


def test_scores_are_finite_float32_of_queries_by_items(model: Recommender, store: Dataset, queries: Queries) -> None:
    scores = model.score(queries)
    assert scores.shape == (len(queries), store.n_items)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_the_same_seed_gives_the_same_bits(name: str, store: Dataset, model: Recommender, queries: Queries) -> None:
    np.testing.assert_array_equal(fitted(name, store).score(queries), model.score(queries))


def test_another_thread_count_agrees(name: str, store: Dataset, queries: Queries) -> None:
    scores = []
    for count in (1, 3):
        with threads.limit(count):
            scores.append(fitted(name, store).score(queries))
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-6, atol=1e-6)


def test_blocks_give_what_all_queries_at_once_give(model: Recommender, queries: Queries, ranking: Ranking) -> None:
    whole = model.recommend(queries, 5, ranking)
    scattered = np.array([4, 0, 17])
    for block in (slice(0, 7), slice(7, 8), scattered):
        part = model.recommend(queries.take(block), 5, ranking)
        np.testing.assert_array_equal(part.items, whole.items[block])
        np.testing.assert_allclose(part.scores, whole.scores[block], rtol=1e-6, atol=1e-6)


def test_lists_hold_the_best_items_and_none_twice(model: Recommender, queries: Queries, ranking: Ranking) -> None:
    scores, lists = model.score(queries), model.recommend(queries, 6, ranking)
    again = model.recommend(queries, 6, ranking)
    np.testing.assert_array_equal(again.items, lists.items)
    excluded = queries.exclude.toarray() > 0
    for row in range(len(queries)):
        allowed = np.flatnonzero(~excluded[row])
        best = allowed[np.lexsort((ranking.ties[allowed], -scores[row, allowed]))][:6]
        np.testing.assert_array_equal(lists.items[row, : len(best)], best)
        np.testing.assert_allclose(lists.scores[row, : len(best)], scores[row, best], rtol=1e-6, atol=1e-6)
        assert (lists.items[row, len(best) :] == -1).all()


def test_only_candidates_are_listed(model: Recommender, queries: Queries, ranking: Ranking) -> None:
    import scipy.sparse as sp

    allowed = np.zeros((len(queries), queries.n_items), bool)
    allowed[:, [1, 4, 20]] = True
    asked = dataclasses.replace(queries, candidates=sp.csr_array(allowed), exclude=None)
    assert set(np.unique(model.recommend(asked, 5, ranking).items)) == {-1, 1, 4, 20}


def test_unknown_users_and_empty_histories_get_an_answer(model: Recommender, store: Dataset, ranking: Ranking) -> None:
    whole = wrapped(model, store, ranking)
    for answer in (
        whole.recommend(None, 5),
        whole.recommend(107, 5),  # known, without rows
        whole.recommend("nobody", 5, history=["no such item"]),
        whole.recommend("nobody", 5, history=["item4", "item6"]),
        whole.recommend(101, 5),
    ):
        assert len(answer) == 5
        assert len({item for item, _ in answer}) == 5
        assert np.isfinite([score for _, score in answer]).all()
    values = whole.predict(101, ["item2", "no such item"])
    assert np.isfinite(values["item2"])
    assert np.isnan(values["no such item"])


def test_a_saved_model_gives_the_same_scores(
    model: Recommender, store: Dataset, queries: Queries, ranking: Ranking, tmp_path
) -> None:
    wrapped(model, store, ranking).save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    assert type(loaded.model) is type(model)
    np.testing.assert_array_equal(loaded.model.score(queries), model.score(queries))
    assert loaded.recommend(101, 5) == wrapped(model, store, ranking).recommend(101, 5)


def test_a_damaged_model_is_refused(model: Recommender, store: Dataset, ranking: Ranking, tmp_path) -> None:
    wrapped(model, store, ranking).save(tmp_path / "model")
    arrays = tmp_path / "model" / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(content)
    with pytest.raises(ModelError, match=r"arrays\.npz is corrupt"):
        FittedModel.load(tmp_path / "model")


def test_training_data_is_not_modified(name: str, store: Dataset) -> None:
    rows = store.interactions
    before = [array.copy() for array in (rows.users, rows.items, rows.values)]
    fitted(name, store)
    for array, copy in zip((rows.users, rows.items, rows.values), before):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("rows", ["none", "one", "of one user", "of one item", "of equal ratings"])
def test_degenerate_data_are_answered_or_refused(name: str, rows: str, store: Dataset, queries: Queries) -> None:
    all_rows = store.interactions
    if rows == "of equal ratings":
        train = dataclasses.replace(
            store, interactions=dataclasses.replace(all_rows, values=np.full_like(all_rows.values, 3))
        )
    else:
        kept = {
            "none": all_rows.users < 0,
            "one": np.arange(len(all_rows)) == 0,
            "of one user": all_rows.users == 3,
            "of one item": all_rows.items == 4,
        }[rows]
        train = store.take(kept)
    try:
        scores = fitted(name, train).score(queries)
    except (ConfigError, DataError) as error:
        assert len(str(error)) > 20
    else:
        assert scores.shape == (len(queries), store.n_items)
        assert np.isfinite(scores).all()


def test_values_that_mean_nothing_are_answered_or_refused(name: str, store: Dataset, queries: Queries) -> None:
    for wrong in (-2.0, np.nan, np.inf):
        values = store.interactions.values.copy()
        values[::7] = wrong
        train = dataclasses.replace(store, interactions=dataclasses.replace(store.interactions, values=values))
        try:
            scores = fitted(name, train).score(queries)
        except (ConfigError, DataError) as error:
            assert "value" in str(error) or "rating" in str(error)
        else:
            assert np.isfinite(scores).all()


@of(lambda can: can.predicts)
def test_predictions_are_finite_ratings_one_a_row(model: Recommender, store: Dataset) -> None:
    rows = store.interactions
    users = np.array([3, 3, 7, -1, 12, 3], np.int32)  # 7 has no rows
    items = np.array([2, 11, 2, 5, 8, 2], np.int32)  # 11 has no rows
    known = Queries.of_users(np.maximum(users, 0), rows, exclude_seen=False)
    stop = np.where(users >= 0, known.stop, known.start)
    history = Queries(users, known.log, known.start, stop)
    asked = Interactions(np.maximum(users, 0), items, np.ones(6, np.float32), store.n_users, store.n_items)
    predicted = model.predict(asked, history)
    assert predicted.dtype == np.float32
    assert predicted.shape == (6,)
    assert (predicted >= rows.values.min()).all() and (predicted <= rows.values.max()).all()
    assert predicted[0] == predicted[5]
    scattered = np.array([4, 0])
    np.testing.assert_allclose(
        model.predict(asked.take(scattered), history.take(scattered)), predicted[scattered], atol=1e-5
    )
    seen = model.predict(rows, Queries.of_users(rows.users, rows, exclude_seen=False))
    assert np.corrcoef(seen, rows.values)[0, 1] > 0.2, "on what it learned from, a model beats chance"


@of(lambda can: can.feedback == "binary")  # where values weigh, a filter must see to them
def test_missing_ratings_do_not_leak_in(name: str, store: Dataset, queries: Queries) -> None:
    values = store.interactions.values.copy()
    values[::5] = np.nan
    holes = dataclasses.replace(store, interactions=dataclasses.replace(store.interactions, values=values))
    asked = dataclasses.replace(
        queries, log=dataclasses.replace(queries.log, values=np.full_like(queries.log.values, np.nan))
    )
    model = fitted(name, holes)
    assert np.isfinite(model.score(asked)).all()
    np.testing.assert_array_equal(model.score(asked), fitted(name, store).score(queries))


@of(lambda can: (can.needs_history or can.known_users_only) and not can.predicts)
def test_the_taste_of_a_history_is_learned(model: Recommender, store: Dataset, queries: Queries) -> None:
    """The AUC of items of one's own taste over others is .74 or more; chance gives .5."""
    scores = model.score(dataclasses.replace(queries, exclude=None))
    own = queries.users[:, None] % 2 == np.arange(store.n_items) % 2
    above = scores[:, :, None] - scores[:, None, :]
    won = (above > 0) + 0.5 * (above == 0)
    assert won[own[:, :, None] & ~own[:, None, :]].mean() > 0.65


@of(lambda can: can.needs_history and not can.known_users_only)
def test_a_stranger_is_answered_by_his_history(model: Recommender, queries: Queries) -> None:
    scores = model.score(queries.asked_by(-1))
    assert len(np.unique(scores, axis=0)) > len(queries) / 2


@of(lambda can: can.vectors)
def test_products_of_vectors_rank_as_scores_do(model: Recommender, queries: Queries) -> None:
    users, items = model.user_vectors(queries), model.item_vectors()
    assert users.dtype == items.dtype == np.float32
    above = model.score(queries) - users @ items.T
    np.testing.assert_allclose(above, np.broadcast_to(above[:, :1], above.shape), rtol=0, atol=1e-5)


def test_what_is_not_needed_may_be_missing(name: str, store: Dataset, queries: Queries) -> None:
    needs = fresh(name).capabilities.needs
    spare = {part for part, asking in ASIDE.items() if not needs & asking}
    rows, log = (
        dataclasses.replace(
            whole,
            timestamps=None if "timestamps" in spare else whole.timestamps,
            sessions=None if "sessions" in spare else whole.sessions,
            values=np.ones_like(whole.values) if "ratings" in spare else whole.values,
            explicit="ratings" not in spare,
        )
        for whole in (store.interactions, queries.log)
    )
    bare = dataclasses.replace(store, interactions=rows, **{side: {} for side in spare & {"users", "items"}})
    assert np.isfinite(fitted(name, bare).score(dataclasses.replace(queries, log=log))).all()


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
