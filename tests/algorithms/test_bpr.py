"""BPR: a step by hand, two tastes, the number of iterations that validation chooses."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms import FitContext
from recexp.algorithms.factorization.bpr import BPR
from recexp.data import Dataset, Queries
from recexp.errors import ConfigError

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]
TASTES = np.kron(np.eye(2, dtype=int), np.ones((20, 12), int)) * (np.random.default_rng(0).random((40, 24)) < 0.6)


def fitted(data: Dataset, validate: Callable | None = None, **fields) -> BPR:
    values = {"factors": 8, "iterations": 100, "learning_rate": 0.1, "regularization": 0.01, **fields}
    return BPR(**values).fit(data, FitContext(rng=np.random.default_rng(0), validate=validate))


def check_tastes(model: BPR, ask: Ask) -> None:
    """Every user's items of his own taste, seen or not, stand above those of the other taste on average."""
    scores = model.score(ask(np.ones_like(TASTES), users=list(range(40)))).reshape(2, 20, 2, 12).mean(axis=(1, 3))
    assert scores[0, 0] - scores[0, 1] > 1 and scores[1, 1] - scores[1, 0] > 1


def test_two_tastes(tiny: Tiny, ask: Ask) -> None:
    check_tastes(fitted(tiny(TASTES)), ask)


@pytest.mark.parametrize("mutate", [np.flipud, np.negative, np.zeros_like], ids=["turned", "negated", "untrained"])
def test_wrong_factors_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    model = fitted(tiny(TASTES))
    model.items_ = np.ascontiguousarray(mutate(model.items_))
    with pytest.raises(AssertionError):
        check_tastes(model, ask)


def test_a_step_follows_the_gradient() -> None:
    from recexp.algorithms.kernels.bpr import step

    rng = np.random.default_rng(1)
    users, items = (rng.standard_normal((n, 16)).astype(np.float32) for n in (1, 2))
    users[:, 12:], items[:, 12:] = 0, 0  # the rest of a line, which stays
    p, q, r = users[0].astype(float), items[0].astype(float), items[1].astype(float)
    pull = 0.05 / (1 + np.exp(p @ (q - r)))
    step(users, 0, items, 0, 1, 12, np.float32(0.05), np.float32(1 - 0.05 * 0.1))
    shrunk = 1 - 0.05 * 0.1
    np.testing.assert_allclose(users[0], shrunk * p + pull * (q - r), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(items, [shrunk * q + pull * p, shrunk * r - pull * p], rtol=1e-5, atol=1e-6)


def test_each_block_draws_its_steps() -> None:
    from recexp.algorithms.kernels.bpr import draw

    seen = sp.csr_array(np.array([[1, 1, 0, 0, 1], [1, 1, 1, 1, 0], [0, 0, 0, 1, 0]]))
    given = np.array([0, 0, 0, 0, 1], np.int32), 0, seen.indptr.astype(np.int64), seen.indices.astype(np.int32)
    steps = np.full((7, 3), -1, np.int32)
    n = draw(np.array([2, 1, 0], np.int32), np.array([1, 3, 0, 2], np.int32), *given, np.uint64(5), steps)
    assert n == 3, "who has seen all of a block is passed over, and other blocks' items are"
    assert steps[:n, :2].tolist() == [[2, 3], [0, 0], [0, 1]]
    assert {0, 1, 2} >= {steps[0, 2]} and {2, 3} >= set(steps[1:n, 2])
    assert (steps[n:] == -1).all()


def test_every_number_of_threads_gives_the_same_bits(tiny: Tiny) -> None:
    found = []
    for count in (1, 4):
        with threads.limit(count):
            found.append(fitted(tiny(TASTES), iterations=5).items_)
    np.testing.assert_array_equal(*found)


def test_validation_chooses_the_iterations_and_a_refit_uses_them(tiny: Tiny) -> None:
    seen: list[np.ndarray] = []

    def validate(model: BPR) -> float:
        seen.append(model.items_.copy())
        return -abs(len(seen) - 3)  # the third of ten is the best

    model = fitted(tiny(TASTES), validate)
    assert model.fitted_params_ == {"iterations": 30}
    assert len(seen) == 10
    np.testing.assert_array_equal(model.items_, seen[2])
    model.fit(tiny(TASTES), FitContext(rng=np.random.default_rng(0)))
    np.testing.assert_array_equal(model.items_, fitted(tiny(TASTES), iterations=30).items_)


def test_iterations_without_a_value_are_the_worst(tiny: Tiny) -> None:
    values = iter([np.nan, np.nan, 0.1, np.nan, *[0.05] * 6, *[np.nan] * 10])
    model = fitted(tiny(TASTES), lambda _: next(values))
    assert model.fitted_params_ == {"iterations": 30}
    model.fit(tiny(TASTES), FitContext(validate=lambda _: next(values)))
    assert model.fitted_params_ == {"iterations": 10}, "none is better than the first, whatever was chosen before"


def test_who_asks_counts_and_not_the_history(tiny: Tiny, ask: Ask) -> None:
    model = fitted(tiny(TASTES), iterations=1)
    known, nobody = (model.score(ask(np.zeros((1, 24)), users=[user])) for user in (39, -1))
    np.testing.assert_array_equal(known, model.score(ask(TASTES[:1], users=[39])))
    assert not model.capabilities.needs_history
    assert not nobody.any() and known.any()


def test_a_rate_too_large_is_named(tiny: Tiny) -> None:
    """Whoever has no rows keeps the first factors, which says nothing of the others."""
    first_has_none = TASTES * (np.arange(40) > 0)[:, None]
    with pytest.raises(ConfigError, match=r"algorithm\.learning_rate: 1000000\.0 is too large"):
        fitted(tiny(first_has_none), learning_rate=1e6, regularization=10.0)
