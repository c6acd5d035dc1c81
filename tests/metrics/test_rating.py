"""Rating metrics by hand and against scikit-learn."""

import numpy as np
import pytest


def test_by_hand(build):
    # errors 0.5, -2, 0: squares .25 + 4 + 0 = 4.25
    assert build("rmse")(predicted=[4.5, 2, 3], actual=[4, 4, 3]) == pytest.approx((4.25 / 3) ** 0.5)
    assert build("mae")(predicted=[4.5, 2, 3], actual=[4, 4, 3]) == pytest.approx(2.5 / 3)


def test_agree_with_scikit_learn(build):
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    rng = np.random.default_rng(0)
    predicted, actual = rng.normal(3, 1, 500), rng.integers(1, 6, 500)
    assert build("rmse")(predicted, actual) == pytest.approx(root_mean_squared_error(actual, predicted), abs=1e-12)
    assert build("mae")(predicted, actual) == pytest.approx(mean_absolute_error(actual, predicted), abs=1e-12)
