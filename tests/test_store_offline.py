"""The study of offline metrics against revenue in the store, on a small scale."""

from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

STUDY = Path(__file__).parent.parent / "experiments" / "store_offline" / "store_offline.py"


@pytest.fixture(scope="module")
def study() -> dict[str, Callable[..., Any]]:
    return run_path(str(STUDY))


def test_tau_is_scipy_s(study: dict[str, Callable[..., Any]]) -> None:
    first, second = np.random.default_rng(1).standard_normal((2, 5, 8))
    expected = [kendalltau(x, y).statistic for x, y in zip(first, second)]
    np.testing.assert_allclose(study["tau"](first, second), expected)


def test_resampled_means_vary_by_their_standard_error(study: dict[str, Callable[..., Any]]) -> None:
    values = np.random.default_rng(1).standard_normal((400, 3)) * [1, 2, 3]
    drawn = study["resampled"](values, 2000, np.random.default_rng(2))
    np.testing.assert_allclose(drawn.mean(0), values.mean(0), atol=0.02)
    np.testing.assert_allclose(drawn.std(0), values.std(0) / 20, rtol=0.1)


def test_metrics_on_the_log_tell_what_sells_from_chance(study: dict[str, Callable[..., Any]]) -> None:
    shop = study["store"](n_users=600, n_products=200, n_visits=8000, pages=2, days=30)
    names = ("random", "popularity", "item_knn")
    found = study["measure"](shop, names, ("ndcg", "revenue", "catalog_coverage"), 600)
    assert found.sold.shape == (600, 3) and found.sold.mean(0).argmin() == 0, "random sells least"
    picks = {metric: study["picked"](found, metric) for metric in found.offline}
    assert picks["catalog_coverage"] == "random" and "random" not in (picks["ndcg"], picks["revenue"])
    taus = study["agreement"](found, resamples=100)
    assert all(-1 <= low <= tau <= high <= 1 for tau, low, high in taus.values())
    assert taus["ndcg"][0] > 0 > taus["catalog_coverage"][0]
