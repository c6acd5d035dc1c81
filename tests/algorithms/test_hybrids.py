"""Hybrids of parts whose scores are given, so that what comes out is worked out by hand."""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recexp import make
from recexp.algorithms import Capabilities, FitContext, Recommender
from recexp.algorithms.hybrid.hybrid_cascade import HybridCascade
from recexp.algorithms.hybrid.hybrid_features import HybridFeatures
from recexp.algorithms.hybrid.hybrid_switching import HybridSwitching
from recexp.algorithms.hybrid.hybrid_weighted import HybridWeighted
from recexp.algorithms.hybrid.scales import scaled
from recexp.algorithms.linear.ease import EASE
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError, IncompatibleError
from recexp.models.fitted import FittedModel
from recexp.params import params
from recexp.ranking import Ranking

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]


@params
class Given(Recommender):
    """Scores every query as it is told; its `rating` is what it predicts."""

    scores: list[float]
    rating: float | None
    history: bool
    known: bool

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(needs_history=self.history, known_users_only=self.known, predicts=self.rating is not None)

    def fit(self, train, context=None):
        self.drawn_ = context.rng.random()
        context.log_step(1, {"loss": 0.5})
        return self

    def score(self, queries):
        assert len(queries), "nobody is asked"
        return np.tile(np.float32(self.scores), (len(queries), 1))

    def predict(self, rows, history):
        return np.full(len(rows), self.rating, np.float32)


@params
class Broken(Recommender):
    """Cannot be fitted."""

    def fit(self, train, context=None):
        raise ConfigError("algorithm.k: 3 is too much")

    def score(self, queries):
        raise AssertionError


def given(*scores: float, rating: float | None = None, history: bool = False, known: bool = False) -> Given:
    return Given(scores=list(scores), rating=rating, history=history, known=known)


def weighted(parts: dict[str, Recommender], weights: Any = None, scale: str = "none", on_failure: str = "error"):
    return HybridWeighted(parts=parts, weights=weights, scale=scale, on_failure=on_failure)


def cascade(candidates: list[int], scale: str = "rank", **parts: Recommender) -> HybridCascade:
    return HybridCascade(parts=parts, candidates=candidates, scale=scale, on_failure="error")


def switching(rules: list[dict], cold_items: dict | None = None, scale: str = "none", **parts: Recommender):
    return HybridSwitching(parts=parts, rules=rules, cold_items=cold_items, scale=scale, on_failure="error")


@pytest.fixture
def data(tiny: Tiny) -> Dataset:
    """Three users of three items, the last of which has no rows; so has user 2."""
    return tiny([[1, 1, 0], [1, 0, 0], [0, 0, 0]])


@pytest.fixture
def asked(ask: Ask) -> Queries:
    """User 0 with two items, user 1 with one, user 2 and an unknown user with none, another unknown with one."""
    return ask([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0]], users=[0, 1, 2, -1, -1])


def whom(model: Recommender) -> tuple[bool, bool]:
    return model.capabilities.needs_history, model.capabilities.known_users_only


def fit(model: Recommender, data: Dataset, **options: Any) -> Any:
    return model.fit(data, FitContext(rng=np.random.default_rng(0), **options))


@pytest.mark.parametrize(
    "scale, expected",
    [
        ("none", [[4, 1, 1, 2], [0, 0, 0, 0]]),
        ("rank", [[1, 1 / 6, 1 / 6, 2 / 3], [0.5] * 4]),
        ("zscore", [[2 / 1.5**0.5, -1 / 1.5**0.5, -1 / 1.5**0.5, 0], [0] * 4]),
        ("minmax", [[1, 0, 0, 1 / 3], [0] * 4]),
    ],
)
def test_scales_by_hand(scale: str, expected: list) -> None:
    """The mean is 2, the variance (4 + 1 + 1 + 0) / 4; the two lowest share the places 0 and 1 of 3."""
    scores = np.float32([[4, 1, 1, 2], [0, 0, 0, 0]])
    np.testing.assert_allclose(scaled(scores, scale), expected, atol=1e-6)
    assert scaled(scores, scale).dtype == np.float32
    np.testing.assert_array_equal(
        scaled(np.float32([[3, -np.inf, 1, np.nan]]), scale)[0, [1, 3]],
        scaled(np.float32([[3, 1, 1, 1]]), scale)[0, [1, 3]],
    )
    assert scaled(np.float32([[7]]), scale).shape == (1, 1)


def test_weights_by_hand(data: Dataset, asked: Queries) -> None:
    parts = {"a": given(4, 1, 1), "b": given(0, 10, 20)}
    for weights in ({"b": 0.25, "a": 0.75}, [0.75, 0.25]):
        model = fit(weighted(parts, weights), data)
        np.testing.assert_allclose(model.score(asked), [[3, 3.25, 5.75]] * 5, rtol=1e-6)
    np.testing.assert_allclose(fit(weighted(parts), data).score(asked), [[2, 5.5, 10.5]] * 5, rtol=1e-6)
    np.testing.assert_allclose(fit(weighted(parts, scale="minmax"), data).score(asked), [[0.5, 0.25, 0.5]] * 5)


def test_those_that_cannot_answer_leave_it_to_the_others(data: Dataset, asked: Queries) -> None:
    parts = {"a": given(4, 0, 0, history=True), "b": given(0, 8, 0, known=True), "c": given(0, 0, 6)}
    model = fit(weighted(parts, [0.5, 0.5, 0.0]), data)
    expected = [[2, 4, 0], [2, 4, 0], [0, 0, 6], [0, 0, 6], [4, 0, 0]]
    np.testing.assert_allclose(model.score(asked), expected)
    assert whom(model) == (False, False)
    del parts["c"]
    two = fit(weighted(parts), data)
    assert whom(two) == (True, False), "the fallback answers those without history"
    np.testing.assert_allclose(two.score(asked), [*expected[:2], [0] * 3, [0] * 3, [4, 0, 0]])
    only = fit(weighted({"b": parts["b"]}), data)
    assert whom(only) == (False, True)


def test_predictions_are_the_mean_of_those_that_predict(data: Dataset, asked: Queries) -> None:
    parts = {
        "a": given(0, 0, 0, rating=4.0, history=True),
        "b": given(0, 0, 0),
        "c": given(0, 0, 0, rating=1, known=True),
    }
    model = fit(weighted(parts, [0.4, 0.4, 0.2]), data)
    rows = Interactions(np.zeros(5, np.int32), np.zeros(5, np.int32), np.ones(5, np.float32), 3, 3)
    np.testing.assert_allclose(model.predict(rows, asked), [3, 3, 2.5, 2.5, 4], rtol=1e-6)
    assert model.capabilities.predicts
    ranks_only = fit(weighted({"b": parts["b"]}), data)
    assert not ranks_only.capabilities.predicts
    with pytest.raises(TypeError, match="does not predict"):
        ranks_only.predict(rows, asked)


def test_a_hybrid_has_what_its_parts_have() -> None:
    parts = {"a": EASE(l2=1.0), "b": make("algorithm=mf")}
    model = weighted(parts)
    can = model.capabilities
    assert (can.feedback, can.needs, can.predicts) == ("value", {"ratings"}, True)
    assert weighted(parts, on_failure="skip").capabilities.needs == set(), "a part that lacks something is skipped"


def test_each_part_draws_for_itself(data: Dataset) -> None:
    def drawn(**parts: Recommender) -> list[float]:
        model = weighted(parts, on_failure="skip")
        return [part.drawn_ for part in fit(model, data).models_.values()]

    both = drawn(a=given(0), b=given(0))
    assert both[0] != both[1]
    assert drawn(a=Broken(), b=given(0)) == both[1:]


def test_what_parts_report_carries_their_names(data: Dataset) -> None:
    told = []
    fit(weighted({"a": given(0), "b": given(0)}), data, log_step=lambda step, values: told.append((step, dict(values))))
    assert told == [(1, {"a_loss": 0.5}), (1, {"b_loss": 0.5})]


def test_a_part_that_fails_is_an_error_that_names_it(data: Dataset) -> None:
    inner = weighted({"bad": Broken(), "good": given(0, 0, 0)})
    with pytest.raises(ConfigError, match=r"^algorithm\.parts\.inner\.parts\.bad\.k: 3 is too much$"):
        fit(weighted({"inner": inner, "a": given(0, 0, 0)}), data)


def test_or_is_skipped_with_a_warning(data: Dataset, asked: Queries, caplog: pytest.LogCaptureFixture) -> None:
    parts = {"a": given(1, 0, 0), "bad": Broken(), "b": given(0, 1, 0), "mf": make("algorithm=mf")}
    with caplog.at_level(logging.WARNING):
        model = fit(weighted(parts, [0.1, 0.4, 0.3, 0.2], on_failure="skip"), data)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "algorithm.parts.bad.k: 3 is too much" in caplog.text
    assert "algorithm.parts.mf: MF needs ratings, but tiny has none" in caplog.text
    np.testing.assert_allclose(model.score(asked), [[0.25, 0.75, 0]] * 5)
    with pytest.raises(DataError, match=r"none could be fitted: algorithm\.parts\.bad\.k: 3 is too much"):
        fit(weighted({"bad": Broken()}, on_failure="skip"), data)
    with pytest.raises(IncompatibleError, match=r"parts\.mf: MF needs ratings"):
        fit(weighted({"mf": make("algorithm=mf")}), data)


@pytest.mark.parametrize(
    "overrides, message",
    [
        (["weights=[0.5]"], "algorithm.weights: must be one for each part: cf, mf"),
        (["weights={cf: 0.5, als: 0.5}"], "algorithm.weights: must be one for each part: cf, mf"),
        (["weights=[0.5, 0.6]"], "algorithm.weights: must sum to 1, not 1.1"),
        (["weights=[1.5, -0.5]"], "algorithm.weights: must be non-negative weights such as {cf: 0.7, mf: 0.3} or"),
        (["weights=best"], "algorithm.weights: must be non-negative weights such as {cf: 0.7, mf: 0.3} or"),
        (["parts.mf.factors=0"], "algorithm.parts.mf.factors: must be greater than or equal to 1"),
        (["+parts.mf.factor=9"], "algorithm.parts.mf.factor: unknown; did you mean factors?"),
        (["+parts.x=3"], "algorithm.parts.x: must be an instance of Recommender"),
    ],
)
def test_weights_and_parts_that_do_not_fit_are_named(overrides: list[str], message: str) -> None:
    given = [o.replace("+", "+algorithm.") if o[0] == "+" else f"algorithm.{o}" for o in overrides]
    with pytest.raises(ConfigError) as error:
        make("algorithm=hybrid_weighted", *given)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["weighted", "cascade", "switching", "features"])
def test_a_hybrid_without_parts_is_refused(name: str) -> None:
    parts = make(f"algorithm=hybrid_{name}").parts
    with pytest.raises(ConfigError, match=r"algorithm\.parts: a hybrid needs at least one part"):
        make(f"algorithm=hybrid_{name}", *(f"~algorithm@algorithm.parts.{part}" for part in parts))


def test_parts_are_chosen_and_set_by_overrides() -> None:
    model = make(
        "algorithm=hybrid_weighted",
        "algorithm@algorithm.parts.cf=user_knn",
        "algorithm.parts.cf.k=7",
        "+algorithm@algorithm.parts.third=hybrid_cascade",
        "algorithm@algorithm.parts.third.parts.rerank=popularity",
        "algorithm.weights={cf: 0.5, third: 0.2, mf: 0.3}",
    )
    assert {name: type(part).__name__ for name, part in model.parts.items()}["cf"] == "UserKNN"
    assert model.parts["cf"].k == 7
    assert type(model.parts["third"].parts["rerank"]).__name__ == "Popularity"
    assert list(model.weights.values()) == [0.5, 0.3, 0.2], "in the order of the parts"


def test_tuned_weights_find_the_better_part_and_are_kept(data: Dataset, asked: Queries) -> None:
    """The best list has item 1 a little above item 0, which a quarter of b gives: 0.75 (1, 0.8) + 0.25 (0, 1)."""
    parts = {"a": given(1, 0.8, 0), "b": given(0, 1, 0)}
    rated = []

    def validate(model: Recommender) -> float:
        if isinstance(model, Given):
            return 0.0
        rated.append(model.score(asked)[0])
        return -float(np.square(rated[-1] - [0.75, 0.85, 0]).sum())

    model = fit(weighted(parts, "tuned"), data, validate=validate)
    assert model.weights_ == pytest.approx({"a": 0.75, "b": 0.25})
    assert len(rated) < 20
    fit(model, data)
    assert model.weights_ == pytest.approx({"a": 0.75, "b": 0.25}), "the refit has nothing to choose by"
    with pytest.raises(ConfigError, match=r"algorithm\.weights: tuned needs validation data"):
        fit(weighted(parts, "tuned"), data)


@pytest.mark.parametrize("best", [[0.0, 1.0, 0.0, 0.0], [0.1, 0.2, 0.3, 0.4], [0.25] * 4])
def test_tuning_finds_any_corner_and_the_middle(best: list[float], data: Dataset, asked: Queries) -> None:
    parts = {name: given(*row) for name, row in zip("abcd", np.eye(4, 3).tolist())}
    model = fit(weighted(parts, "tuned"), data, validate=lambda m: -float(np.abs(m.score(asked)[0] - best[:3]).sum()))
    np.testing.assert_allclose([*model.weights_.values()], best, atol=0.1)
    assert sum(model.weights_.values()) == pytest.approx(1, abs=1e-5)


def test_hybrids_of_hybrids_and_saving(store: Dataset, queries: Queries, ranking: Ranking, tmp_path) -> None:
    inner, two = "algorithm.parts.third", [f"algorithm@algorithm.parts.{pair}" for pair in ("cf=ease", "mf=item_knn")]
    model = make(
        "algorithm=hybrid_weighted",
        *two,
        "+algorithm@algorithm.parts.third=hybrid_switching",
        f"{inner}.scale=rank",
        f"{inner}.cold_items={{part: few, below: 20}}",
        "algorithm.weights=[0.2, 0.3, 0.5]",
    )
    model = fit(model, store)
    alone = {
        name: fit(part, store).score(queries) for name, part in make("algorithm=hybrid_weighted", *two).parts.items()
    }
    third = model.models_["third"].score(queries)
    expected = 0.5 * scaled(third, "zscore")
    for weight, scores in zip((0.2, 0.3), alone.values()):
        expected = expected + weight * scaled(scores, "zscore")
    np.testing.assert_allclose(model.score(queries), expected, atol=1e-5)
    whole = FittedModel.of(model, model, ranking, store, exclude_seen=True, block_mib=1)
    whole.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.model.score(queries), model.score(queries))


def order(scores: np.ndarray) -> list[list[int]]:
    return np.argsort(-scores, axis=1, kind="stable").tolist()


@pytest.mark.parametrize("scale", ["none", "rank", "zscore", "minmax"])
def test_cascade_by_hand(scale: str, tiny: Tiny, ask: Ask) -> None:
    """The first proposes 4, 3, 2, the second puts them 2, 4, 3, and hands on 2, 4, which the third reverses."""
    train = tiny([[0, 0, 0, 0, 0, 1]])
    asked = ask([[0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0]])
    first, second, third = given(0, 1, 2, 3, 4, 5), given(50, 40, 30, 10, 20, 60), given(0, 0, 1, 5, 2, 9)
    two = fit(cascade([3], scale, a=first, b=second), train)
    assert order(two.score(asked))[0] == [2, 4, 3, 5, 1, 0], "item 5 is excluded and proposes nothing"
    assert order(two.score(asked))[1] == [5, 2, 4, 3, 1, 0]
    three = fit(cascade([3, 2], scale, a=first, b=second, c=third), train)
    assert order(three.score(asked))[0] == [4, 2, 3, 5, 1, 0]
    assert np.isfinite(three.score(asked)).all()
    everything = fit(cascade([100], scale, a=first, b=second), train)
    assert order(everything.score(asked.take(slice(1, 2))))[0] == [5, 0, 1, 2, 4, 3]


def test_cascade_lists_what_may_be_listed(tiny: Tiny, ask: Ask) -> None:
    """Of 1, 2 and 3 the first proposes 3 and 2, which the second reverses; ties at the end are all proposed."""
    train, asked = tiny([[1, 0, 0, 0, 0]]), ask([[1, 0, 0, 0, 0]])
    model = fit(cascade([2], a=given(9, 1, 2, 3, 8), b=given(5, 4, 3, 2, 1)), train)
    ranking = Ranking(np.arange(5, dtype=np.int32), np.array([True, True, True, True, False]))
    assert model.recommend(asked, 4, ranking).items.tolist() == [[2, 3, 1, -1]]
    tied = fit(cascade([2], a=given(9, 1, 1, 3, 0), b=given(5, 4, 3, 2, 1)), train)
    assert tied.recommend(asked, 4, ranking).items.tolist() == [[1, 2, 3, -1]]
    import scipy.sparse as sp

    listed = dataclasses.replace(asked, candidates=sp.csr_array(np.array([[0, 1, 1, 0, 1]])))
    assert order(model.score(listed))[0][:2] == [2, 4]


def test_cascade_leaves_out_stages_that_cannot_answer(data: Dataset, asked: Queries) -> None:
    a, b = given(1, 2, 3, rating=2, history=True), given(3, 2, 1, rating=5, known=True)
    model = fit(cascade([2], a=a, b=b), data)
    free = dataclasses.replace(asked, exclude=None)
    assert order(model.score(free)) == [[1, 2, 0], [1, 2, 0], [0, 1, 2], [0, 1, 2], [2, 1, 0]]
    rows = Interactions(np.zeros(5, np.int32), np.zeros(5, np.int32), np.ones(5, np.float32), 3, 3)
    np.testing.assert_array_equal(model.predict(rows, asked), [5, 5, 5, 5, 2])


@pytest.mark.parametrize("candidates", [[], [3, 2], [3, 2, 1]])
def test_candidates_that_do_not_fit_are_refused(candidates: list[int]) -> None:
    with pytest.raises(ConfigError, match=r"algorithm.candidates: must be one number for each part but the last, 1 \("):
        make("algorithm=hybrid_cascade", f"algorithm.candidates={candidates}")
    with pytest.raises(ConfigError, match="must not increase"):
        make("algorithm=hybrid_cascade", "+algorithm@algorithm.parts.c=random", "algorithm.candidates=[2, 3]")


@pytest.mark.parametrize(
    "rule, chosen",
    [
        ({"history_at_least": 2}, [1, 0, 0, 0, 0]),
        ({"history_below": 2}, [0, 1, 1, 1, 1]),
        ({"history_at_least": 1, "history_below": 2}, [0, 1, 0, 0, 1]),
        ({"user": "known"}, [1, 1, 0, 0, 0]),
        ({"user": "unknown", "history_at_least": 1}, [0, 0, 0, 0, 1]),
        ({"confidence_at_least": 0.5}, [0, 0, 1, 1, 1]),
        ({"confidence_at_least": 0.1, "history_below": 1}, [0, 0, 1, 1, 0]),
        ({"confidence_at_least": 2.0}, [0, 0, 0, 0, 0]),
    ],
)
def test_rules_by_hand(rule: dict, chosen: list[int], data: Dataset, asked: Queries) -> None:
    """Item 0 is what part b is confident of, as long as it is not in the history."""
    parts = {"a": given(0, 0, 7, rating=2), "b": given(1, 0, 0.25, rating=4)}
    model = fit(switching([{"part": "b", **rule}, {"part": "a"}], **parts), data)
    expected = np.where(np.array(chosen)[:, None] == 1, [1, 0, 0.25], [0, 0, 7])
    np.testing.assert_allclose(model.score(asked), expected)
    if "confidence_at_least" not in rule:  # to predict a rating nothing is excluded
        rows = Interactions(np.zeros(5, np.int32), np.zeros(5, np.int32), np.ones(5, np.float32), 3, 3)
        np.testing.assert_array_equal(model.predict(rows, asked), np.where(chosen, 4, 2))


def test_the_first_rule_that_can_answer_wins(data: Dataset, asked: Queries) -> None:
    parts = {
        "a": given(1, 0, 0, known=True),
        "b": given(0, 1, 0, history=True, rating=3),
        "c": given(0, 0, 1, rating=5),
    }
    rules = [{"part": "a", "history_at_least": 2}, {"part": "c", "history_at_least": 2}, {"part": "b"}]
    model = fit(switching(rules, **parts), data)
    np.testing.assert_array_equal(model.score(asked), np.eye(3)[[0, 1, 2, 2, 1]])
    rows = Interactions(np.zeros(5, np.int32), np.zeros(5, np.int32), np.ones(5, np.float32), 3, 3)
    np.testing.assert_array_equal(model.predict(rows, asked), [5, 3, 5, 5, 3])
    assert whom(model) == (False, False)


def test_cold_items_are_scored_by_another_part(data: Dataset, asked: Queries) -> None:
    """Items have 2, 1 and 0 users; minmax makes (0, 5, 10) of a and (0, 1, 4) of b comparable."""
    parts = {"a": given(0, 5, 10, rating=2), "b": given(0, 1, 4, rating=4, history=True)}
    cold = {"part": "b", "below": 2}
    plain = fit(switching([{"part": "a"}], cold, **parts), data)
    np.testing.assert_allclose(plain.score(asked), [[0, 1, 4], [0, 1, 4], [0, 5, 10], [0, 5, 10], [0, 1, 4]])
    comparable = fit(switching([{"part": "a"}], cold, "minmax", **parts), data)
    np.testing.assert_allclose(comparable.score(asked)[1:3], [[0, 0.25, 1], [0, 0.5, 1]])
    rows = Interactions(np.zeros(5, np.int32), np.array([0, 1, 1, 2, 2], np.int32), np.ones(5, np.float32), 3, 3)
    np.testing.assert_array_equal(plain.predict(rows, asked), [2, 4, 2, 2, 4])


@pytest.mark.parametrize(
    "override, message",
    [
        ("rules=[]", "the last rule is the default"),
        ("rules=[{part: cf, history_below: 3}]", "the last rule is the default"),
        ("rules=[{part: cf}, {part: few}]", "the rule of cf has no condition"),
        ("rules=[{part: als}]", "there is no part als; available: cf, few"),
        ("rules=[{part: cf}]", "no rule selects part few"),
        ("rules=[{part: few, history_bellow: 3}, {part: cf}]", "algorithm.rules.0.history_bellow"),
        ("rules=[{part: few, history_below: 0}, {part: cf}]", "algorithm.rules.0.history_below: must be greater"),
        ("rules=[{part: few, user: new}, {part: cf}]", "algorithm.rules.0.user: must be 'known' or 'unknown'"),
        ("cold_items={part: als, below: 3}", "algorithm.cold_items: there is no part als"),
        ("cold_items={part: cf}", "algorithm.cold_items.below: is missing"),
    ],
)
def test_rules_that_do_not_fit_are_named(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        make("algorithm=hybrid_switching", f"algorithm.{override}")
    assert message in str(error.value)


def features(part: Recommender, items: Any = None, users: Any = None, w: int = 1, v: int = 1) -> HybridFeatures:
    return HybridFeatures(
        parts={"cf": part},
        scale="none",
        on_failure="error",
        item_columns=items,
        user_columns=users,
        item_weight=w,
        user_weight=v,
    )


@pytest.fixture(scope="module")
def described(tiny: Tiny) -> tuple[Dataset, np.ndarray, np.ndarray, np.ndarray]:
    """20 users by 9 items, and the dense X, T (items by tags) and U (users by groups); item 8 and user 19 are new."""
    rng = np.random.default_rng(6)
    x = (rng.random((20, 9)) < 0.35).astype(float)
    x[:, 8], x[19] = 0, 0
    t, u = (rng.random((9, 3)) < 0.4).astype(float), np.eye(4)[rng.integers(0, 4, 20)]
    t[8], t[2] = [1, 1, 0], 0  # item 2 has no tags
    tags = Column.multi_category([[f"t{k}" for k in np.flatnonzero(row)] for row in t])
    groups = Column.category([f"g{row.argmax()}" for row in u])
    return (
        dataclasses.replace(
            tiny(x), items={"tags": tags, "n": Column.numeric(np.arange(9.0))}, users={"group": groups}
        ),
        x,
        t,
        u,
    )


def dense_ease(rows: np.ndarray, l2: float) -> np.ndarray:
    p = np.linalg.inv(rows.T @ rows + l2 * np.eye(rows.shape[1]))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    return b


@pytest.mark.parametrize("w", [1, 3])
def test_item_features_with_ease_are_collective_ease(w: int, described: tuple, ask: Ask) -> None:
    """min ||X - X B||^2 + w ||T^T - T^T B||^2 + l2 ||B||^2, solved densely."""
    data, x, t, _ = described
    b = dense_ease(np.vstack([x, np.sqrt(w) * t.T]), 2.0)
    model = fit(features(EASE(l2=2.0), users=[], w=w), data)
    np.testing.assert_allclose(model.score(ask(x)), x @ b, atol=1e-5)
    assert not np.allclose(x @ b, x @ dense_ease(x, 2.0), atol=1e-2)
    assert model.score(ask(x))[0, 8] != 0, "an item without users is reached by its tags"
    assert model.capabilities.needs_history


@pytest.mark.parametrize("v", [1, 2])
def test_user_features_enter_the_history(v: int, described: tuple, ask: Ask) -> None:
    """v equal columns for a feature are one that is sqrt(v) times as long, for every column but themselves."""
    data, x, t, u = described
    history = np.hstack([x, np.sqrt(v) * u])
    p = np.linalg.inv(
        np.vstack([history, np.hstack([np.sqrt(2) * t.T, np.zeros((3, 4))])]).T
        @ np.vstack([history, np.hstack([np.sqrt(2) * t.T, np.zeros((3, 4))])])
        + 2.0 * np.eye(13)
    )
    b = (-p / np.diag(p))[:, :9]
    b[np.arange(9), np.arange(9)] = 0
    model = fit(features(EASE(l2=2.0), w=2, v=v), data)
    np.testing.assert_allclose(model.score(ask(x, users=[*range(20)])), history @ b, atol=1e-5)
    np.testing.assert_allclose(model.score(ask(x)), np.where(x.any(1)[:, None], x @ b[:9], x.sum(0)), atol=1e-5)
    assert not model.capabilities.needs_history, "user 19 has features alone"
    assert not model.capabilities.needs_history
    assert fit(features(EASE(l2=2.0), users=[]), data).capabilities.needs_history


def test_pseudo_items_are_counted_beside_the_catalogue(described: tuple) -> None:
    data, x, _, u = described
    svd = make("algorithm=svd", "algorithm.factors=2")
    model = fit(features(svd, w=1), data, catalogue=x.any(axis=0))
    counted = model.models_["cf"].lengths_.sum()
    np.testing.assert_allclose(counted, x.any(axis=0).sum() + u.any(axis=0).sum(), rtol=1e-6)


def test_features_of_a_model_that_predicts_ratings(store: Dataset) -> None:
    """A tag that all items have and pseudo-ratings of the mean leave a mean where it is."""
    rows = store.interactions
    model = fit(features(make("algorithm=bias"), items=["tags"], users=["city"]), store)
    plain = fit(make("algorithm=bias"), store)
    history = Queries.of_users(rows.users, rows, exclude_seen=False)
    predicted, without = model.predict(rows, history), plain.predict(rows, history)
    assert np.corrcoef(predicted, without)[0, 1] > 0.95
    assert predicted.mean() == pytest.approx(without.mean(), abs=0.05)
    assert np.abs(predicted - without).max() > 1e-3


def test_each_part_is_fitted_in_a_context_of_its_own(data: Dataset, tmp_path: Path) -> None:
    contexts = []

    @params
    class Kept(Given):
        def fit(self, train, context=None):
            contexts.append(context)
            return super().fit(train, context)

    part, validate = Kept(scores=[0, 0, 0], rating=None, history=False, known=False), lambda model: 0.0
    rest = {"device": "cpu", "threads": 3, "deadline": 7.5, "validate": validate}
    fit(weighted({"a": part, "b": part}), data, checkpoint=tmp_path, **rest)
    assert [context.checkpoint for context in contexts] == [tmp_path / "a", tmp_path / "b"]
    for context in contexts:
        assert {name: getattr(context, name) for name in rest} == rest
    fit(weighted({"a": part}), data)
    assert contexts[2].checkpoint is None


def test_parts_of_features_rate_themselves_with_features(described: tuple, ask: Ask) -> None:
    @params
    class Rating(EASE):
        def fit(self, train, context=None):
            super().fit(train)
            self.rated_ = context.validate(self)
            return self

    data, x, _, _ = described
    asked = ask(x, users=[*range(20)])
    model = fit(features(Rating(l2=2.0)), data, validate=lambda m: float(m.score(asked).sum()))
    assert model.models_["cf"].rated_ == pytest.approx(float(model.score(asked).sum()))


@pytest.mark.parametrize(
    "items, users, error, message",
    [
        (["n"], [], ConfigError, "algorithm.item_columns: n is not a category column of the items; available: tags"),
        (
            [],
            ["age"],
            ConfigError,
            "algorithm.user_columns: age is not a category column of the users; available: group",
        ),
    ],
)
def test_columns_that_are_not_there_are_named(items, users, error, message, described: tuple) -> None:
    with pytest.raises(error, match=message):
        fit(features(EASE(l2=2.0), items=items, users=users), described[0])


def test_features_are_needed(data: Dataset) -> None:
    with pytest.raises(
        ConfigError, match=r"algorithm.user_columns: item_columns and user_columns cannot both be empty"
    ):
        make("algorithm=hybrid_features", "algorithm.item_columns=[]", "algorithm.user_columns=[]")
    assert features(EASE(l2=2.0), users=[]).capabilities.needs == {"item_categories"}
    assert features(EASE(l2=2.0), items=[]).capabilities.needs == {"user_categories"}
    assert features(EASE(l2=2.0)).capabilities.needs == set()
    with pytest.raises(
        IncompatibleError, match="HybridFeatures needs item_categories or user_categories; tiny has none"
    ):
        fit(features(EASE(l2=2.0)), data)


def test_a_command_runs_a_hybrid(inside: Callable, runs: Callable) -> None:
    done = inside(
        "dataset=electronics",
        "algorithm=hybrid_weighted",
        "algorithm@algorithm.parts.cf=user_knn",
        "algorithm.parts.cf.k=20",
        "algorithm.weights=tuned",
        "split.validation_ratio=0.1",
    )
    assert done.returncode == 0, done.stderr
    assert "tuned weights" in done.stderr
    (run,) = runs()
    assert run.data.params["algorithm.parts.cf.k"] == "20"
