"""The store as an environment: the same luck for all policies, people who behave as they should, clear refusals."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from recexp import threads
from recexp.config.experiments import make
from recexp.data import Column
from recexp.environments.base import check_values
from recexp.environments.electronics.store import ElectronicsStore
from recexp.errors import ConfigError, DataError

SMALL = {"n_users": 400, "n_products": 120, "n_visits": 5000, "pages": 3}


def store(**fields: object) -> ElectronicsStore:
    words = [f"environment.{name}={value}" for name, value in {**SMALL, **fields}.items()]
    built = make("environment=electronics", *words)
    built.check()
    return built


@pytest.fixture(scope="module")
def shop() -> ElectronicsStore:
    return store(reward="click")


def some(b: int, k: int = 10, n: int = 120, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(n, k, replace=False) for _ in range(b)], np.int32)


def everyone(shop: ElectronicsStore) -> np.ndarray:
    return np.arange(shop.n_visitors, dtype=np.int32)


def test_blocks_and_threads_change_nothing(shop: ElectronicsStore) -> None:
    """Nor does another list of another visitor."""
    lists = [some(400, seed=step) for step in range(3)]

    def played(visitors: np.ndarray) -> list[np.ndarray]:
        state = shop.begin(visitors, 7)
        rewards = [shop.act(state, items[visitors]).reward for items in lists]
        return [*rewards, *(np.asarray(part) for part in vars(shop.observe(state)).values() if hasattr(part, "dtype"))]

    with threads.limit(1):
        alone = played(everyone(shop))
    with threads.limit(2):
        halves = [played(part) for part in np.split(everyone(shop), [130])]
    for whole, first, second in zip(alone, *halves):
        np.testing.assert_array_equal(whole, np.concatenate([first, second]))


def test_an_item_in_its_place_meets_the_same_luck_whatever_stands_beside_it(shop: ElectronicsStore) -> None:
    first, second = some(400, seed=1), some(400, seed=2)
    clear = ~(second[:, 1:] == first[:, :1]).any(axis=1)
    second[:, 0] = first[:, 0]
    outcomes = [
        shop.act(shop.begin(everyone(shop), 7), items) for items in (first, np.where(clear[:, None], second, first))
    ]
    np.testing.assert_array_equal(outcomes[0].clicks[:, 0], outcomes[1].clicks[:, 0])
    np.testing.assert_array_equal(outcomes[0].purchases[:, 0], outcomes[1].purchases[:, 0])
    other = shop.act(shop.begin(everyone(shop), 8), first)
    assert (other.clicks != outcomes[0].clicks).any(), "another seed is other luck"


def test_clicks_come_as_often_as_the_truth_says_by_place(shop: ElectronicsStore) -> None:
    items, clicks, chances = some(400), np.zeros(10), np.zeros((2, 10))
    place = 1 / np.arange(1, 11)
    for seed in range(30):
        state = shop.begin(everyone(shop), seed)
        chance = np.take_along_axis(shop.truth(shop.observe(state), shop.candidates), items, 1) * place
        chances += chance.sum(0), (chance * (1 - chance)).sum(0)
        clicks += shop.act(state, items).clicks.sum(0)
    assert np.all(np.abs(clicks - chances[0]) < 4 * np.sqrt(chances[1]))
    assert clicks[0] > 5 * clicks[9]


def test_orders_are_as_many_as_the_truth_says() -> None:
    """The usual mood is not the mean of what moods do: some 2.7 times as many, as who is in the mood buys."""
    shop = store(reward="purchase", eta=0.0)
    items, found, expected = some(400), 0, 0.0
    for seed in range(20):
        state = shop.begin(everyone(shop), seed)
        expected += np.take_along_axis(shop.truth(shop.observe(state), shop.candidates), items, 1).sum()
        found += shop.act(state, items).purchases.sum()
    assert expected < found < 3.2 * expected and found > 100


def test_what_was_shown_in_a_visit_is_passed_by(shop: ElectronicsStore) -> None:
    state, items = shop.begin(everyone(shop), 1), some(400)
    first = shop.act(state, items)
    stayed = np.flatnonzero(~first.left)
    again = shop.act(state, items)
    assert not again.clicks[stayed].any() and len(stayed) > 50
    seen = shop.observe(state).shown
    assert (seen[stayed][:, :20] >= -1).all()


def test_a_policy_sees_what_was_clicked_and_bought() -> None:
    shop = store(eta=0.0)
    state, items = shop.begin(everyone(shop), 1), some(400)
    before = shop.observe(state)
    outcome = shop.act(state, items)
    after = shop.observe(state)
    n = outcome.clicks.sum(1)
    (row,) = np.flatnonzero(n == n.max())[:1]
    clicked = items[row][outcome.clicks[row]]
    np.testing.assert_array_equal(after.history[row][-n[row] :], clicked)
    np.testing.assert_array_equal(after.history[row][: -n[row]], before.history[row][n[row] :])
    buyers = np.flatnonzero(outcome.purchases.any(1))
    assert len(buyers) > 3
    for row in buyers:
        assert after.bought[row, -1] in items[row][outcome.purchases[row]]
        assert after.bought_at[row, -1] // 86_400 == before.timestamps[row] // 86_400


def test_a_visitor_comes_with_what_the_log_says(shop: ElectronicsStore) -> None:
    rows, seen = shop.dataset().interactions, shop.observe(shop.begin(everyone(shop), 1))
    for visitor in (0, 17, 250):
        views = rows.items[(rows.users == visitor) & (rows.events.values == 0)][-50:]
        mine = seen.history[visitor]
        np.testing.assert_array_equal(mine[mine >= 0], views)
    assert (seen.timestamps > rows.timestamps.max()).all(), "the year after"
    assert {*seen.context} == {*rows.context} == {"hour", "weekday", "device", "city"}
    hours = seen.timestamps % 86_400 // 3600
    np.testing.assert_array_equal(seen.context["hour"].values, hours)
    assert seen.context["weekday"].categories[3] == "Thursday"


@pytest.mark.parametrize(("leave", "expected"), [(0.0, 1 + 0.5 + 0.25), (50.0, 1.0), (-50.0, 3.0)])
def test_visits_are_as_long_as_patience_says(leave: float, expected: float) -> None:
    """Three pages at most; nobody comes back."""
    assert lists_of(store(leave=leave, content=0.0, back=-50.0, loyalty=0.0)) == pytest.approx(expected, abs=0.12)


def test_clicks_keep_people_and_bring_them_back() -> None:
    fixed = {"eta": 0.0, "leave": 0.0, "back": -1.0}
    bored = lists_of(store(**fixed, content=0.0, loyalty=0.0))
    content = lists_of(store(**fixed, content=2.0, loyalty=0.0))
    loyal = lists_of(store(**fixed, content=2.0, loyalty=2.0))
    assert bored < content < loyal


def lists_of(shop: ElectronicsStore) -> float:
    """Return how many lists a visitor is shown in an episode, on average."""
    state, lists = shop.begin(everyone(shop), 1), 0
    while len(state):
        lists += len(state)
        shop.act(state, some(len(state), seed=lists))
        state = state.take(~state.done)
    return lists / shop.n_visitors


def test_rewards_add_up() -> None:
    shop = store(reward="weighted", weights="{cart: 3.0, margin: 0.5}", eta=0.0)
    outcome = shop.act(shop.begin(everyone(shop), 1), some(400))
    expected = outcome.clicks.sum(1) + 3 * outcome.carts.sum(1) + 0.5 * outcome.margin.sum(1)
    np.testing.assert_allclose(outcome.reward, expected + 50 * outcome.purchases.sum(1))
    assert not (outcome.purchases & ~outcome.carts).any() and not (outcome.carts & ~outcome.clicks).any()
    prices = shop.catalog.price[some(400)]
    paid, full = outcome.revenue[outcome.purchases], prices[outcome.purchases]
    assert (paid <= full + 0.01).all() and (paid >= 0.64 * full).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"slate": 50}, r"environment\.slate: 3 pages of 50 items are more than the 120 products"),
        (
            {"weights": "{view: 1.0}", "reward": "weighted"},
            "environment.weights.view: unknown; allowed: click, cart, purchase, revenue, margin",
        ),
        ({"reward": "profit"}, r"environment\.reward: must be 'click'"),
        ({"reward": "weighted", "weights": "{click: 0.0, cart: 0.0, purchase: 0.0}"}, "needs one that is not 0"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        store(**fields)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda items: np.where(items == items[0, 1], items[0, 0], items), "a list must not repeat an item"),
        (lambda items: items[:, :9], r"lists must be integers \(5, 10\)"),
        (lambda items: items.astype(float), "lists must be integers"),
        (lambda items: np.where(items == items[0, 0], 120, items), "item codes from 0 to 119"),
    ],
)
def test_what_is_no_list_is_refused(shop: ElectronicsStore, change: Callable, message: str) -> None:
    state = shop.begin(np.arange(5, dtype=np.int32), 1)
    with pytest.raises(DataError, match=message):
        shop.act(state, change(some(5)))
    with pytest.raises(DataError, match="no column moon; it has hour, weekday, device, city, age"):
        shop.observe(state).column("moon")


@pytest.mark.parametrize(
    ("table", "reward", "message"),
    [
        ({}, "revenue", "reward=revenue needs a column price of the items; there are none"),
        ({"price": [1.0]}, "margin", "reward=margin needs a column margin"),
        ({"price": [1.0, -2.0]}, "revenue", r"item 1: a price must be 0 or more \(got -2\)"),
        ({"price": [3.0, 2.0], "margin": [1.0, 2.5]}, "margin", "item 1: its margin 2.5 is above its price 2"),
    ],
)
def test_prices_are_checked(table: dict[str, list[float]], reward: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_values({name: Column.numeric(values, "price") for name, values in table.items()}, reward)


def test_gymnasium_takes_it_and_the_same_seed_is_the_same_episode() -> None:
    import gymnasium
    from gymnasium.utils.env_checker import check_env

    words = [f"environment.{name}={value}" for name, value in SMALL.items()]
    env = gymnasium.make("recexp.environments.gym:ElectronicsStore-v0", overrides=words)
    check_env(env.unwrapped)
    slates = [env.action_space.sample() for _ in range(50)]
    assert all(slate in env.action_space for slate in slates) and slates[0][[0, *range(9)]] not in env.action_space
    assert {*env.action_space.sample(mask=np.arange(120) < 10).tolist()} == {*range(10)}

    def episode() -> list[object]:
        found: list[object] = [env.reset(seed=5)]
        for slate in slates:
            found.append(env.step(slate))
            if found[-1][2]:
                break
        return found

    first, second = episode(), episode()
    np.testing.assert_equal(first, second)
    assert first[-1][2], "it ends"
    assert {*first[1][4]} == {"clicks", "carts", "purchases", "revenue", "margin", "left"}, "nothing of the truth"


def test_a_thousand_lists_of_ten_take_a_second_of_a_core() -> None:
    from recexp.environments.gym import VisitorEnv

    env = VisitorEnv(store(slate=10))
    slates = some(100).astype(np.int64)

    def steps() -> None:
        env.reset(seed=1)
        for n in range(500):
            if env.step(slates[n % 100])[2]:
                env.reset()

    with threads.limit(1):
        steps()
        taken = []
        for _ in range(3):
            begin = time.process_time()
            steps()
            taken.append(time.process_time() - begin)
    assert min(taken) < 0.5
