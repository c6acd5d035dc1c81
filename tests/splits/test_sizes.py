"""How many rows each split holds out, against plain loops."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from recexp.data import Column, Dataset
from recexp.errors import ConfigError, DataError
from recexp.splits.base import Splitter

Make = Callable[..., Splitter]
Of = Callable[..., Dataset]
DAY = 86_400


@pytest.fixture
def dataset(of: Of) -> Dataset:
    """Users 0..39 with 1, 2, ... 40 rows, all items of a user different, at few different times."""
    users = np.repeat(np.arange(40), np.arange(1, 41))
    items = np.concatenate([np.random.default_rng(n).permutation(60)[:n] for n in range(1, 41)])
    return of(users, items, np.random.default_rng(0).integers(0, 100, len(users)) * DAY)


@pytest.mark.parametrize("name", ["random", "temporal_user"])
@pytest.mark.parametrize("ratio", [0.1, 0.2, 0.29, 0.5])
def test_share_of_each_user_is_rounded_down(make: Make, dataset: Dataset, name: str, ratio: float) -> None:
    [split] = make(name, test_ratio=ratio, validation_ratio=0.2).split(dataset)
    tested = np.bincount(split.test.users, minlength=40)
    validated = np.bincount(split.validation.test.users, minlength=40)
    for user in range(40):
        rows = user + 1
        assert tested[user] == math.floor(round(ratio * rows, 6))
        assert validated[user] == math.floor(round(0.2 * rows, 6))


@pytest.mark.parametrize("name", ["random", "temporal_user", "leave_last", "leave_random"])
def test_users_with_too_few_rows_stay_in_train(make: Make, dataset: Dataset, name: str) -> None:
    [split] = make(name, test_n=2, validation_n=3).split(dataset)
    tested = np.bincount(split.test.users, minlength=40)
    validated = np.bincount(split.validation.test.users, minlength=40)
    assert tested.tolist() == [0, 0] + [2] * 38
    assert validated.tolist() == [0] * 5 + [3] * 35


@pytest.mark.parametrize("name", ["leave_last", "temporal_user"])
def test_last_rows_by_time_are_held_out_and_ties_keep_file_order(make: Make, dataset: Dataset, name: str) -> None:
    [split] = make(name, test_n=3).split(dataset)
    rows = dataset.interactions
    for user in range(3, 40):
        mine = [row for row in range(len(rows)) if rows.users[row] == user]
        last = sorted(mine, key=lambda row: rows.timestamps[row])[-3:]  # sorted is stable
        assert sorted(split.test.items[split.test.users == user]) == sorted(rows.items[last])


def test_without_times_the_last_in_the_file_are_held_out_and_said_so(
    make: Make, of: Of, caplog: pytest.LogCaptureFixture
) -> None:
    [split] = make("leave_last").split(of([0, 1, 0, 1, 0], [0, 1, 2, 3, 1]))
    assert split.test.items.tolist() == [3, 1]
    assert "no timestamps" in caplog.text


def test_random_rows_takes_a_share_of_all(make: Make, dataset: Dataset) -> None:
    [split] = make("random_rows", test_ratio=0.1, validation_ratio=0.25).split(dataset)
    assert (len(split.test), len(split.validation.test)) == (82, 205)  # of 820


def test_random_split_spreads_over_a_users_rows(make: Make, dataset: Dataset) -> None:
    """Each of 20 rows must be drawn in about 40 of 200 seeds (0.2), within five standard deviations."""
    times = np.zeros(60)
    for seed in range(200):
        [split] = make("random", seed=seed).split(dataset)
        times[split.test.items[split.test.users == 19]] += 1
    drawn = times[times > 0]
    assert len(drawn) == 20 and drawn.sum() == 800
    assert drawn.min() > 40 - 5 * 5.7 and drawn.max() < 40 + 5 * 5.7


def test_temporal_keeps_a_second_together(make: Make, dataset: Dataset) -> None:
    [split] = make("temporal", test_ratio=0.2, validation_ratio=0.2).split(dataset)
    train, test = split.validation.train.interactions.timestamps, split.test.timestamps
    validation = split.validation.test.timestamps
    assert train.max() < validation.min() <= validation.max() < test.min()
    assert len(test) >= 164 > len(test) - (test == test.min()).sum()  # floor(0.2 * 820), and no second too many
    assert len(validation) >= 164 > len(validation) - (validation == validation.min()).sum()


@pytest.mark.parametrize("moment", [50 * DAY, "1970-02-20", "1970-02-20T00:00:00", "1970-02-20T02:00:00+02:00"])
def test_temporal_from_a_moment(make: Make, dataset: Dataset, moment: int | str) -> None:
    splitter = make("temporal", test_ratio=None, test_from=moment, validation_from="1970-02-10")
    [split] = splitter.split(dataset)
    times = dataset.interactions.timestamps
    assert len(split.test) == (times >= 50 * DAY).sum()
    assert split.test.timestamps.min() == 50 * DAY
    assert len(split.validation.test) == ((times >= 40 * DAY) & (times < 50 * DAY)).sum()
    assert splitter.rule()["test_from"] == 50 * DAY


@pytest.mark.parametrize("name", ["temporal", "sessions"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test_from": 5}, "give either test_ratio or test_from"),
        ({"test_ratio": None}, "give either test_ratio or test_from"),
        ({"validation_ratio": 0.1, "validation_from": 5}, "validation_ratio must be 0 where validation_from is given"),
        ({"test_ratio": None, "test_from": 5, "validation_from": 5}, "validation_from must be before test_from"),
        ({"test_ratio": None, "test_from": "spring"}, r"split\.test_from: must be seconds since 1970 or an ISO date"),
        ({"test_ratio": 1.0}, r"split\.test_ratio: must be less than 1"),
        ({"test_ratio": 0.0}, r"split\.test_ratio: must be greater than 0"),
    ],
)
def test_points_in_time_that_make_no_sense_are_refused(make: Make, name: str, settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(name, **settings)


def test_temporal_points_outside_the_data(make: Make, dataset: Dataset) -> None:
    with pytest.raises(DataError, match=r"test would get 0 of 820 rows .*split\.test_from"):
        list(make("temporal", test_ratio=None, test_from="2020-01-01").split(dataset))
    with pytest.raises(DataError, match=r"leaves no train rows.*split\.test_from"):
        list(make("temporal", test_ratio=None, test_from=0).split(dataset))


def test_temporal_without_timestamps_names_the_split_and_what_to_do(make: Make, of: Of) -> None:
    with pytest.raises(DataError, match=r"split=temporal needs timestamps.*dataset\.columns\.timestamp"):
        list(make("temporal").split(of([0, 1], [0, 1])))


def test_users_unknown_before_the_point_are_dropped_and_counted(
    make: Make, of: Of, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    rows = of([0, 1, 0, 2, 1, 3], [0, 1, 1, 0, 0, 1], [1, 2, 3, 3, 3, 3])
    [split] = make("temporal", test_ratio=0.6).split(rows)
    assert split.queries.users.tolist() == [0, 1]
    assert split.test.users.tolist() == [0, 2, 1, 3]
    assert "2 of 4 users have no history" in caplog.text


@pytest.mark.parametrize(("users", "warned"), [(29, True), (30, False)])
def test_few_queries_are_warned_of(
    make: Make, of: Of, caplog: pytest.LogCaptureFixture, users: int, warned: bool
) -> None:
    list(make("leave_last").split(of(np.repeat(np.arange(users), 2), np.tile([0, 1], users), np.arange(2 * users))))
    assert (f"test: means over only {users} queries are mostly noise" in caplog.text) == warned


@pytest.mark.parametrize("by", ["rows", "users"])
def test_folds_are_even_and_cover_everything_once(make: Make, dataset: Dataset, by: str) -> None:
    splits = list(make("kfold", folds=4, by=by, validation_ratio=0.25).split(dataset))
    assert [split.fold for split in splits] == [0, 1, 2, 3]
    if by == "rows":
        assert [len(split.test) for split in splits] == [205] * 4
        assert [len(split.validation.test) for split in splits] == [153] * 4  # floor(0.25 * 615)
    else:
        held = [set(split.test.users) for split in splits]
        assert sum(map(len, held)) == len(set.union(*held))
        for split in splits:
            trained = set(split.train.interactions.users)
            assert not trained & set(split.queries.users)
            assert not set(split.validation.train.interactions.users) & set(split.validation.queries.users)
            assert len(trained) == 30


def test_given_folds_are_taken_in_the_order_of_their_names(make: Make, of: Of) -> None:
    users, items = np.repeat(np.arange(5), 4), np.tile(np.arange(4), 5)
    names = np.tile(["b", "a", "c", "a"], 5)
    dataset = of(users, items, context={"fold": Column.category(names)})
    splits = list(make("kfold", folds=3, by="column").split(dataset))
    assert [sorted(set(split.test.items)) for split in splits] == [[1, 3], [0], [2]]
    with pytest.raises(DataError, match=r"split\.folds: 5, but the column fold has 3 values; set it to 3"):
        list(make("kfold", by="column").split(dataset))
    with pytest.raises(DataError, match=r"dataset\.columns\.fold"):
        list(make("kfold", by="column").split(of(users, items)))
    with pytest.raises(DataError, match=r"7 folds of 5 users"):
        list(make("kfold", by="users", folds=7).split(dataset))


def test_user_holdout_shows_a_share_and_asks_for_the_rest(make: Make, dataset: Dataset) -> None:
    [split] = make("user_holdout", test_ratio=0.25, validation_ratio=0.1, fold_in_ratio=0.8).split(dataset)
    trained = set(split.train.interactions.users)
    assert len(trained) == 30
    assert len(set(split.validation.train.interactions.users)) == 26
    for user in set(range(40)) - trained:
        asked = (split.test.users == user).sum()
        shown = (split.queries.log.users == user).sum()
        assert asked == math.floor(round(0.2 * (user + 1), 6))
        assert asked + shown == user + 1


def test_a_validation_part_that_is_all_shown_is_not_passed_over(make: Make, of: Of) -> None:
    five_each = of(np.repeat(np.arange(20), 5), np.tile(np.arange(5), 20))
    with pytest.raises(DataError, match="0 validation rows"):
        list(make("user_holdout", test_ratio=0.25, validation_ratio=0.25, fold_in_ratio=0.9).split(five_each))


@pytest.mark.parametrize(("name", "side"), [("cold_users", "users"), ("cold_items", "items")])
def test_cold_means_not_one_row_in_train(make: Make, dataset: Dataset, name: str, side: str) -> None:
    [split] = make(name, test_ratio=0.2, validation_ratio=0.2).split(dataset)
    n = len(set(getattr(dataset.interactions, side)))
    for part in (split, split.validation):
        assert not set(getattr(part.train.interactions, side)) & set(getattr(part.test, side))
        assert len(set(getattr(part.test, side))) == n // 5
        assert (part.queries.lengths == 0).all() == (side == "users")


def test_a_million_rows_are_split_quickly(make: Make, of: Of, in_sorts: Callable) -> None:
    rng = np.random.default_rng(0)
    m = 1_000_000
    made = of(rng.integers(0, 6000, m), 3700 * rng.random(m) ** 2, rng.integers(10**9, 2 * 10**9, m))
    [split] = make("random").split(made)
    assert in_sorts(lambda: list(make("random").split(made))) < 12, "3.2 where the bound was set"
    assert 199_000 - 6000 < len(split.test) < 200_000


@pytest.mark.parametrize(
    ("times", "key"), [([7] * 6, "dataset.columns.timestamp"), ([1, 1, 1, 2, 2, 2], "split.test_ratio")]
)
def test_too_few_times_name_a_key(make: Make, of: Of, times: list[int], key: str) -> None:
    data = of(np.arange(6) % 2, np.arange(6), np.array(times))
    with pytest.raises(DataError, match=key):
        list(make("temporal", test_ratio=0.7).split(data))


@pytest.mark.parametrize("given", [1, 3, -1, -2])
def test_given_n_and_all_but_n(make: Make, of: Of, given: int) -> None:
    """User u has u + 1 rows."""
    data = of(np.repeat(np.arange(12), np.arange(1, 13)), np.concatenate([np.arange(n) for n in range(1, 13)]))
    [split] = make("user_holdout", test_ratio=0.9, given=given).split(data)
    n = np.bincount(data.interactions.users)[split.queries.users]
    shown, asked = split.queries.lengths, np.diff(split.target.indptr)
    assert (shown + asked == n).all() and (n > abs(given)).all() and len(n) > 5
    assert (shown == given).all() if given > 0 else (asked == -given).all()
    assert not set(split.queries.users) & set(split.train.interactions.users)
    drawn = make("user_holdout", test_ratio=0.9, given=given, seed=2)
    assert next(drawn.split(data)).fingerprint != split.fingerprint


def test_given_names_its_key_and_leaves_old_rules_as_they_were(make: Make, dataset: Dataset) -> None:
    with pytest.raises(DataError, match=r"split\.given=5000: no test user has more than 5000 rows"):
        list(make("user_holdout", given=5000).split(dataset))
    with pytest.raises(ConfigError, match=r"split\.given: must not be 0"):
        make("user_holdout", given=0)
    assert "given" not in make("user_holdout").rule() and "fold_in_ratio" in make("user_holdout").rule()
    assert make("user_holdout", given=-1).rule()["given"] == -1
