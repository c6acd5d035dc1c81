"""Policies: what each of them promises, and lists that are drawn with the probabilities that are said."""

import copy
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recexp.config import options
from recexp.config.experiments import make
from recexp.environments import Environment, Luck, Observation
from recexp.errors import ConfigError, DataError, ModelError
from recexp.models.fitted import FittedModel
from recexp.params import params
from recexp.policies import Choice, Policy
from recexp.policies.scores import queries
from recexp.runners.episodes import simulate
from recexp.testing import check_environment, check_policy
from recexp.testing.policies import SMALL, taken


@pytest.fixture(scope="module")
def shop() -> Environment:
    return make("environment=electronics", *SMALL)


@pytest.fixture(scope="module")
def seen(shop: Environment) -> Observation:
    return shop.observe(shop.begin(np.arange(50, dtype=np.int32), 1))


@pytest.fixture(scope="module")
def saved(shop: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that a policy has learned."""
    policy, path = make("policy=greedy_over"), tmp_path_factory.mktemp("saved") / "model"
    policy.fit(shop, 1)
    policy.model_.save(path)
    return path


@pytest.mark.parametrize("name", options("policy"))
def test_it_keeps_what_every_policy_promises(name: str, shop: Environment, saved: Path) -> None:
    check_policy(make(f"policy={name}", *([f"policy.path={saved}"] if name == "saved_model" else [])), shop)


def test_a_saved_model_acts_as_the_one_that_was_fitted(shop: Environment, seen: Observation, saved: Path) -> None:
    policies = [make("policy=greedy_over"), make("policy=saved_model", f"policy.path={saved}")]
    for policy in policies:
        policy.fit(shop, 1)
    given = [policy.probabilities(seen, shop.candidates) for policy in policies]
    np.testing.assert_array_equal(*given)


def test_a_saved_model_is_asked_by_ids(shop: Environment, seen: Observation, tmp_path: Path) -> None:
    """One that learned from the same log with the codes of items in another order says the same."""
    policy, data = make("policy=greedy_over", "policy.temperature=1.0"), shop.dataset()
    policy.fit(shop, 1)
    back = np.arange(data.n_items)[::-1].astype(np.int32)
    rows = replace(data.interactions, items=back[data.interactions.items])
    items = {name: column.take(back) for name, column in data.items.items()}
    other = replace(data, interactions=rows, item_ids=data.item_ids[::-1], items=items)
    model = policy.model_
    algorithm, fallback = (copy.deepcopy(one).fit(other) for one in (model.model, model.fallback))
    FittedModel.of(algorithm, fallback, model.ranking, other, exclude_seen=True, block_mib=1).save(tmp_path / "model")
    saved = make("policy=saved_model", f"policy.path={tmp_path / 'model'}", "policy.temperature=1.0")
    saved.fit(shop, 1)
    given = [one.probabilities(seen, shop.candidates) for one in (policy, saved)]
    np.testing.assert_allclose(given[1], given[0], rtol=1e-3)


def test_a_saved_model_shows_what_its_reranker_lists(
    shop: Environment, seen: Observation, saved: Path, tmp_path: Path
) -> None:
    cheap = make("reranker=price_range", "reranker.quantiles=[0.0, 0.4]").fit(shop.dataset())
    model = replace(FittedModel.load(saved), reranker=cheap)
    model.save(tmp_path / "model")
    policy = make("policy=saved_model", f"policy.path={tmp_path / 'model'}")
    policy.fit(shop, 1)
    items, _ = policy.act(seen, shop.candidates, Luck(1, seen.visitors, seen.steps))
    listed = model.lists(queries(seen, model, exclude_seen=True), shop.slate).items
    np.testing.assert_array_equal(items[listed >= 0], listed[listed >= 0])
    assert (listed >= 0).mean() > 0.9


def test_a_model_of_other_people_is_told_of(saved: Path, caplog: pytest.LogCaptureFixture) -> None:
    """People of a store of another size have the same ids."""
    policy = make("policy=saved_model", f"policy.path={saved}")
    policy.fit(make("environment=electronics", *SMALL), 1)
    assert not caplog.messages
    policy.fit(make("environment=electronics", *SMALL, "environment.n_users=210"), 1)
    assert "it is a model of other people, whose ids mean others here" in caplog.text


def test_a_folder_that_is_no_model_is_told_of(shop: Environment, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not a saved model: model\.json is missing"):
        make("policy=saved_model", f"policy.path={tmp_path}").fit(shop, 1)


@pytest.mark.parametrize("words", [["epsilon=0.3"], ["temperature=0.5"], ["epsilon=0.3", "temperature=0.5"]])
def test_exploration_keeps_it_too(words: list[str], shop: Environment) -> None:
    check_policy(make("policy=greedy_over", *(f"policy.{word}" for word in words)), shop)


@pytest.mark.parametrize("name", options("environment"))
def test_it_keeps_what_every_environment_promises(name: str) -> None:
    check_environment(make(f"environment={name}", "environment.n_users=200", "environment.n_visits=2000"))


def lists(choice: Choice, scores: list[float], n: int, k: int, seen: Observation) -> tuple[np.ndarray, np.ndarray]:
    """Return n lists over as many items as there are scores, and the propensities of their places."""
    one = taken(seen, np.arange(len(seen)) == 0)
    rows = np.zeros(n, np.int32)
    many = replace(one, visitors=rows, steps=np.arange(n, dtype=np.int32), shown=np.full((n, 1), -1))
    luck = Luck(1, many.visitors, many.steps)
    given = np.tile(np.array(scores, np.float32), (n, 1))
    return choice.lists(given, many, np.arange(len(scores), dtype=np.int32), luck, k)


def by_hand(choice: Choice, scores: list[float], items: tuple[int, ...]) -> float:
    """Return the probability of a list, place by place."""
    z = (np.array(scores) - np.mean(scores)) / np.std(scores)
    chance, left = 1.0, [*range(len(scores))]
    for item in items:
        best = max(left, key=lambda one: scores[one])
        exploit = float(item == best)
        if choice.temperature is not None:
            exploit = np.exp(z[item] / choice.temperature) / sum(np.exp(z[one] / choice.temperature) for one in left)
        chance *= choice.epsilon / len(left) + (1 - choice.epsilon) * exploit
        left.remove(item)
    return chance


@pytest.mark.parametrize("choice", [Choice(0.4), Choice(1.0), Choice(0.0, 0.7), Choice(0.3, 0.7)])
def test_lists_come_as_often_as_their_propensities_say(choice: Choice, seen: Observation) -> None:
    """All 24 lists of two to four places over four items, against probabilities worked out place by place."""
    scores, n = [0.1, 1.0, 0.5, -0.7], 40_000
    items, propensities = lists(choice, scores, n, 3, seen)
    for one in itertools.permutations(range(4), 3):
        rows, expected = (items == one).all(axis=1), by_hand(choice, scores, one)
        assert abs(rows.mean() - expected) < 4.5 * np.sqrt(expected * (1 - expected) / n) + 1e-12
        if rows.any():
            np.testing.assert_allclose(propensities[rows].prod(axis=1), expected, rtol=1e-5)


def test_a_cold_softmax_has_no_zero_and_no_nan(seen: Observation) -> None:
    items, propensities = lists(Choice(0.0, 1e-4), [0.0, 1.0, 2.0, 3.0], 5, 4, seen)
    assert (items == [3, 2, 1, 0]).all() and np.isfinite(propensities).all()


def test_what_was_shown_in_the_visit_is_left_out(shop: Environment, seen: Observation) -> None:
    shown = np.arange(119, dtype=np.int32)[None].repeat(len(seen), 0)
    policy = make("policy=random")
    policy.fit(shop, 1)
    chances = policy.probabilities(replace(seen, shown=shown), shop.candidates)
    assert (chances[:, 119] == 1).all() and chances.sum() == len(seen)
    with pytest.raises(ConfigError, match=r"environment\.slate: a list has 5 items and 1 are left"):
        policy.act(replace(seen, shown=shown), shop.candidates, Luck(1, seen.visitors, seen.steps))


def test_what_a_visitor_clicked_last_comes_after_all_else(shop: Environment, seen: Observation) -> None:
    first = {}
    for demoted in ("true", "false"):
        policy = make("policy=greedy_over", f"policy.demote_seen={demoted}", "algorithm@policy.algorithm=popularity")
        policy.fit(shop, 1)
        items, _ = policy.act(seen, shop.candidates, Luck(1, seen.visitors, seen.steps))
        first[demoted] = (items[:, :, None] == seen.history[:, None]).any(axis=(1, 2))
    assert first["false"].mean() > 0.5 and not first["true"].any()


@pytest.mark.parametrize(("factor", "offset"), [(1, 1000), (1e-7, 0), (1e-7, -3e-5)])
def test_the_unit_of_scores_and_where_they_begin_change_no_softmax(
    shop: Environment, seen: Observation, factor: float, offset: float
) -> None:
    policy = make("policy=greedy_over", "policy.temperature=0.5", "algorithm@policy.algorithm=popularity")
    policy.fit(shop, 1)
    counts = policy.model_.model.counts_
    before = policy.probabilities(seen, shop.candidates)
    policy.model_.model.counts_ = (counts * factor + offset).astype(np.float32)
    after = policy.probabilities(seen, shop.candidates)
    np.testing.assert_allclose(after, before, rtol=2e-3)


@params
class Broken(Policy):
    """Does what it is told."""

    what: str

    def fit(self, environment: Environment, seed: int) -> None:
        self.slate_ = environment.slate

    def act(self, observation: Observation, candidates: np.ndarray, rng: Luck) -> tuple[np.ndarray, np.ndarray]:
        b = len(observation)
        items = np.tile(candidates[: self.slate_ + (self.what == "long")], (b, 1)).astype(float)
        propensities = np.full(items.shape, 0.0 if self.what == "impossible" else 1.0)
        if self.what == "repeats":
            items[:, 1] = items[:, 0]
        if self.what == "nan":
            items[0, 0] = np.nan
            return items, propensities
        return items.astype(int), propensities[:, :1] if self.what == "few" else propensities

    def probabilities(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        chances = np.zeros((len(observation), len(candidates)))
        chances[:, 0] = {"sum": 0.9, "nan sum": np.nan, "negative": 2.0}.get(self.what, 1.0)
        chances[:, 1] = -1.0 if self.what == "negative" else 0.0
        return chances


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("repeats", r"Broken\.act: a list must not repeat an item \(item 0 comes twice\)"),
        ("long", r"Broken\.act: lists must be integers \(100, 5\), a row a visitor \(got int64 \(100, 6\)\)"),
        ("nan", r"Broken\.act gave NaN for 1 items"),
        ("impossible", r"Broken\.act: a propensity must be above 0 and at most 1 \(got 0, 500 such\)"),
        ("few", r"Broken\.act: propensities must be \(100, 5\), one an item \(got \(100, 1\)\)"),
    ],
)
def test_a_policy_that_gives_no_lists_is_refused(shop: Environment, what: str, message: str) -> None:
    policy = Broken(what=what)
    policy.fit(shop, 1)
    with pytest.raises(DataError, match=message) as caught:
        simulate(shop, policy, np.arange(100, dtype=np.int32), seed=1, block=100)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("sum", r"Broken\.probabilities gave rows that sum to 0\.9, not 1"),
        ("nan sum", r"Broken\.probabilities gave NaN"),
        ("negative", r"Broken\.probabilities gave negative ones \(-1\)"),
    ],
)
def test_probabilities_that_are_none_are_refused(shop: Environment, what: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_policy(Broken(what=what), shop)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((100, 7)), r"^Scored\.act: scores must be \(100, 120\), a row a visitor, .* \(got \(100, 7\)\)$"),
        (np.zeros(120), r"^Scored\.act: scores must be \(100, 120\), .* \(got \(120,\)\)$"),
        (np.full((100, 120), np.nan), r"^Scored\.act: scores must be finite; 12000 are NaN or infinite$"),
    ],
)
def test_scores_that_are_none_name_the_policy(shop: Environment, given: np.ndarray, message: str) -> None:
    class Scored(Broken):
        def act(self, observation: Observation, candidates: np.ndarray, rng: Luck) -> tuple[np.ndarray, np.ndarray]:
            return Choice().lists(given, observation, candidates, rng, self.slate_)

    policy = Scored(what="")
    policy.fit(shop, 1)
    with pytest.raises(DataError, match=message):
        simulate(shop, policy, np.arange(100, dtype=np.int32), seed=1, block=100)


def test_a_column_that_is_there_twice_is_named_once(seen: Observation) -> None:
    """The city is of the moment and of the person."""
    with pytest.raises(DataError, match="no column town; it has") as caught:
        seen.column("town")
    named = str(caught.value).partition("it has ")[2].split(", ")
    assert {"city", "device"} <= {*named} and len(named) == len({*named})


def test_scores_that_are_nan_are_refused(shop: Environment, seen: Observation, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = make("policy=greedy_over")
    policy.fit(shop, 1)
    monkeypatch.setattr(type(policy.algorithm), "score", lambda self, asked: np.full((len(asked), 120), np.nan))
    with pytest.raises(DataError, match=r"EASE\.score gave NaN"):
        policy.act(seen, shop.candidates, Luck(1, seen.visitors, seen.steps))


def test_luck_is_uniform_and_each_visitor_s_own() -> None:
    visitors, steps = np.arange(200, dtype=np.int32), np.zeros(200, np.int32)
    luck = Luck(1, visitors, steps)
    first, second = luck.random(50), luck.random(50)
    assert (
        abs(first.mean() - 0.5) < 4 * np.sqrt(1 / 12 / first.size) and abs(np.corrcoef(first[0], second[0])[0, 1]) < 0.5
    )
    assert first.min() > 0 and first.max() < 1 and not (first == second).any()
    np.testing.assert_array_equal(Luck(1, visitors[7:9], steps[7:9]).random(50), first[7:9])
    assert not (Luck(1, visitors, steps + 1).random(50) == first).any()
