"""GF-CF against its formula in plain numpy."""

from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms import FitContext
from recexp.algorithms.factorization.gf_cf import GFCF
from recexp.data import Dataset, Queries

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]


def gf_cf(data: Dataset, factors: int = 4, ideal_weight: float = 0.3) -> GFCF:
    return GFCF(factors=factors, ideal_weight=ideal_weight).fit(data, FitContext(rng=np.random.default_rng(0)))


def check_gf_cf(model: GFCF, x: np.ndarray, ask: Ask) -> None:
    """Scores are those of the formula, with dense matrices."""
    with np.errstate(divide="ignore"):
        users, items = (np.where(d > 0, d**-0.5, 0) for d in (x.sum(axis=1), x.sum(axis=0)))
    n = users[:, None] * x * items
    v = np.linalg.svd(n)[2][: model.factors].T
    expected = x @ (n.T @ n + model.ideal_weight * items[:, None] * (v @ v.T) * np.sqrt(x.sum(axis=0)))
    np.testing.assert_allclose(model.score(ask(x)), expected, atol=1e-5)


@pytest.mark.parametrize("ideal_weight", [0.0, 0.3, 5.0])
def test_gf_cf_agrees_with_its_formula(ideal_weight: float, x: np.ndarray, tiny: Tiny, ask: Ask) -> None:
    check_gf_cf(gf_cf(tiny(x), ideal_weight=ideal_weight), x, ask)


@pytest.mark.parametrize("part", ["normalized_", "vectors_", "roots_"])
def test_wrong_parts_of_gf_cf_would_be_noticed(part: str, tiny: Tiny, ask: Ask) -> None:
    x = (np.random.default_rng(3).random((20, 20)) < 0.3).astype(float)
    model = gf_cf(tiny(x))
    check_gf_cf(model, x, ask)
    learned = getattr(model, part)
    setattr(model, part, learned.T.tocsr() if part == "normalized_" else np.ascontiguousarray(np.flipud(learned)))
    with pytest.raises(AssertionError):
        check_gf_cf(model, x, ask)
