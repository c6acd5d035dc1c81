"""Metrics of labels by hand, against scikit-learn, and AUC's interval against the formulas of its papers."""

import logging

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss, roc_auc_score

from recexp.data import Dataset, Interactions
from recexp.errors import ConfigError
from recexp.metrics.base import Answers
from recexp.metrics.predicted_ratings import PredictedRatings
from recexp.statistics.bootstrap import Means, intervals


def drawn(seed, n=600, users=50, digits=None):
    """Labels of users who differ in rows and in how much they like; with `digits` predictions are tied."""
    rng = np.random.default_rng(seed)
    whose = (users * rng.random(n) ** 2).astype(np.int32)
    labels = (rng.random(n) < 0.2 + 0.6 * rng.random(users)[whose]).astype(np.float64)
    predicted = np.clip(0.3 * labels + 0.5 * rng.random(n) + 0.2 * rng.random(users)[whose], 0, 1)
    return PredictedRatings(predicted if digits is None else predicted.round(digits), labels, whose)


@pytest.mark.parametrize("digits", [None, 1])
def test_agree_with_scikit_learn(build, digits):
    rated = drawn(0, digits=digits)
    assert build("auc")(rated.predicted, rated.actual) == pytest.approx(
        roc_auc_score(rated.actual, rated.predicted), abs=1e-12
    )
    assert build("log_loss")(rated.predicted, rated.actual) == pytest.approx(
        log_loss(rated.actual, rated.predicted), abs=1e-12
    )
    sums, rows = 0.0, 0
    for user in range(50):
        own = rated.users == user
        if len(set(rated.actual[own])) == 2:
            sums += own.sum() * roc_auc_score(rated.actual[own], rated.predicted[own])
            rows += own.sum()
    assert 0 < rows < 600
    assert build("gauc")(rated.predicted, rated.actual, rated.users) == pytest.approx(sums / rows, abs=1e-12)


def test_certain_and_wrong_predictions_lose_as_much_as_in_scikit_learn(build):
    predicted, actual = [0.0, 1.0, 1.0, 0.5], [1, 0, 1, 0]
    assert build("log_loss")(predicted, actual) == pytest.approx(log_loss(actual, predicted), rel=1e-12)


def test_calibration_error_by_hand_and_by_scikit_learns_curve(build):
    error = build("calibration_error")
    # ten rows at .2 of which two are 1, ten at .7 of which seven are 1: as predicted
    predicted, actual = np.repeat([0.2, 0.7], 10), np.r_[np.repeat([1, 0], [2, 8]), np.repeat([1, 0], [7, 3])]
    mixed = np.random.default_rng(0).permutation(20)
    assert error(predicted[mixed], actual[mixed]) == pytest.approx(0, abs=1e-12), "ties are in one bin in any order"
    assert error(predicted + 0.1, actual) == pytest.approx(0.1)
    assert error(np.full(20, 0.5), actual) == pytest.approx(0.05), "9 of 20 are 1"
    rated = drawn(1, n=1500)
    observed, expected = calibration_curve(rated.actual, rated.predicted, n_bins=15, strategy="quantile")
    assert error(rated.predicted, rated.actual) == pytest.approx(np.abs(observed - expected).mean(), abs=1e-12)


def test_a_model_that_knows_users_alone_has_half_a_gauc(build):
    rated = drawn(2)
    of_users = np.bincount(rated.users, rated.actual)[rated.users] / np.bincount(rated.users)[rated.users]
    assert build("gauc")(of_users, rated.actual, rated.users) == 0.5
    assert build("auc")(of_users, rated.actual) > 0.6


def test_gauc_by_hand_leaves_out_users_with_one_label_and_counts_them(build, caplog):
    caplog.set_level(logging.INFO)
    predicted, actual = np.array([0.9, 0.8, 0.1, 0.2, 0.3, 0.4, 0.7]), np.array([1, 0, 0, 0, 1, 1, 1.0])
    rated = PredictedRatings(predicted, actual, np.array([0, 0, 0, 1, 1, 2, 2], np.int32))
    # user 0: 1 of three rows; user 1: 1 of two rows; user 2 likes all
    values = build("gauc").values(rated)
    assert values.tolist()[:5] == [1] * 5 and np.isnan(values[5:]).all()
    swapped = PredictedRatings(predicted[[1, 0, 2, 3, 4, 5, 6]], actual, rated.users)
    assert build("gauc").of_ratings(swapped) == pytest.approx((3 * 0.5 + 2 * 1) / 5)
    build("gauc").measure(Answers(None, rated), [10])
    assert "gauc: 1 of 3 users have rows of one label only and are left out" in caplog.messages
    with pytest.raises(ConfigError, match="Gauc needs users"):
        build("gauc")(predicted, actual)


def delong(rated):
    """Variance of AUC by DeLong et al. (1988), pair by pair."""
    positive, negative = rated.predicted[rated.actual == 1], rated.predicted[rated.actual == 0]
    order = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    return order.mean(1).var(ddof=1) / len(positive) + order.mean(0).var(ddof=1) / len(negative)


def obuchowski(rated):
    """Variance of AUC where rows come in clusters (Obuchowski 1997, equations 4 and 5), pair by pair."""
    positive, negative = rated.actual == 1, rated.actual == 0
    order = (rated.predicted[positive][:, None] > rated.predicted[negative]) * 1.0
    auc, users = order.mean(), range(rated.users.max() + 1)
    ones = np.array([(order.mean(1)[rated.users[positive] == u] - auc).sum() for u in users])
    zeros = np.array([(order.mean(0)[rated.users[negative] == u] - auc).sum() for u in users])
    n, n1, n0 = len(np.unique(rated.users)), positive.sum(), negative.sum()
    return n / (n - 1) * ((ones**2).sum() / n1**2 + (zeros**2).sum() / n0**2 + 2 * (ones * zeros).sum() / (n1 * n0))


@pytest.mark.parametrize("variance", [delong, obuchowski])
def test_the_interval_of_auc_is_that_of_its_papers(build, variance):
    rated = drawn(3, n=2000, users=200)
    if variance is delong:
        rated = PredictedRatings(rated.predicted, rated.actual, np.arange(2000, dtype=np.int32))
    values = build("auc").values(rated)
    means = Means.of(values[:, None], rated.owners)
    assert means.values[0] == pytest.approx(roc_auc_score(rated.actual, rated.predicted), abs=1e-12)
    rng, n = np.random.default_rng(0), len(np.unique(rated.users))
    ((low, high),) = intervals([means], n, resamples=4000, confidence=0.95, rng=rng)[0].T
    assert (high - low) / (2 * 1.96) == pytest.approx(variance(rated) ** 0.5, rel=0.05)
    both = delong(rated), obuchowski(rated)
    assert variance is delong or both[1] > 1.3 * both[0], "rows of a user are alike: the other formula would be told"


def test_one_label_and_what_is_no_probability_have_no_value(build, caplog):
    assert np.isnan(build("auc")([0.1, 0.2], [1, 1])) and np.isnan(build("gauc")([0.1, 0.2], [1, 1], ["a", "b"]))
    for name in ("log_loss", "calibration_error"):
        assert np.isnan(build(name)([0.1, 1.2], [0, 1]))
        assert f"{name} has no value: predictions from 0 to 1.2 are not probabilities" in caplog.messages
    assert build("auc")([-3, 7], [0, 1]) == 1, "it goes by order"


def test_rows_without_a_label_do_not_count(build):
    rated = drawn(4, n=100, users=5)
    more = PredictedRatings(
        np.append(rated.predicted, 0.5), np.append(rated.actual, np.nan), np.append(rated.users, np.int32(0))
    )
    for name in ("auc", "gauc", "log_loss", "calibration_error"):
        metric = build(name)
        assert metric.of_ratings(more) == pytest.approx(metric.of_ratings(rated), abs=1e-12)


@pytest.mark.parametrize("name", ["auc", "gauc", "log_loss"])
def test_stored_predictions_give_the_same_values(build, name):
    rated, metric = drawn(5), build(name)
    table = {"predicted": rated.predicted, "rating": rated.actual, "user_id": rated.users.astype(str).astype(object)}
    found = metric.of_stored(*(table[column] for column in metric.stored_columns(name)))
    np.testing.assert_array_equal(found, metric.values(rated))


@pytest.mark.parametrize(
    ("values", "explicit", "told"), [([1, 5], True, "filter=clicks"), ([1, 1], True, "value is 1")]
)
def test_data_without_labels_are_told_what_makes_them(build, values, explicit, told):
    codes = np.zeros(2, np.int32)
    rows = Interactions(codes, codes, np.array(values, np.float32), 1, 1, explicit=explicit)
    assert told in build("auc").remedy("auc", Dataset("d", rows, np.arange(1), np.arange(1)))
