"""Paired tests against scipy's, and their promises kept on simulated data."""

import numpy as np
import pytest
from scipy import stats

from recexp.rng import generator
from recexp.statistics import TESTS, Effects, benjamini_hochberg, holm, least, permutation, t_test, wilcoxon


def rng(name: str) -> np.random.Generator:
    return generator(7, name)


def test_few_users_are_permuted_in_all_ways_as_scipy_does() -> None:
    draws = rng("few")
    a, b = draws.normal(size=(10, 3)), np.round(draws.normal(0.5, size=(10, 3)), 1)
    b[:, 2] = a[:, 2] + np.repeat([0.1, 0.0], 5)  # ties
    for column, p in enumerate(permutation(a - b, rng=rng("unused"))):
        expected = stats.permutation_test(
            (a[:, column], b[:, column]), lambda x, y: np.sum(x - y), permutation_type="samples", n_resamples=np.inf
        )
        assert p == pytest.approx(expected.pvalue, abs=1e-12)


def test_many_users_are_permuted_at_random() -> None:
    """Against the exact test of 16 users: 20,000 flips of 2^16, standard error .0015."""
    differences = rng("many").normal(0.5, size=(16, 1))
    exact = permutation(differences, rng=rng("none"), permutations=2**16)
    assert 0.02 < exact[0] < 0.2
    drawn = permutation(differences, rng=rng("flips"), permutations=20_000)
    assert drawn == pytest.approx(exact, abs=0.006) and drawn[0] != exact[0]


@pytest.mark.parametrize("u", [12, 300], ids=["exact", "normal"])
def test_wilcoxon_and_t_are_scipys(u: int) -> None:
    a = rng("a").normal(size=(u, 2))
    b = a + rng("b").normal(0.1, size=(u, 2))
    b[:3] = a[:3]
    assert wilcoxon(a - b) == pytest.approx([stats.wilcoxon(x, y).pvalue for x, y in zip(a.T, b.T)], abs=1e-14)
    assert t_test(a - b) == pytest.approx([stats.ttest_rel(x, y).pvalue for x, y in zip(a.T, b.T)], abs=1e-12)


@pytest.mark.parametrize("name", TESTS)
def test_users_without_a_difference_do_not_count(name: str) -> None:
    differences = rng("missing").normal(0.3, size=(12, 1))
    padded = np.concatenate([differences, np.full((500, 1), np.nan)])
    whole, fewer = (TESTS[name](values, rng=rng("flips")) for values in (differences, padded))
    assert fewer == pytest.approx(whole, abs=0.02)  # random flips of the padded against all flips
    assert TESTS[name](np.zeros((30, 1)), rng=rng("flips")) == [1.0]
    assert np.isnan(TESTS[name](np.full((30, 1), np.nan), rng=rng("flips"))).all()


def test_effects_by_hand() -> None:
    differences = np.array([[3.0, np.nan], [-1.0, 0.0], [0.0, 1e-14], [2.0, 0.0]])
    found = Effects.of(differences)
    assert found.n.tolist() == [4, 3] and found.mean[0] == 1.0
    assert found.d_z[0] == pytest.approx(1 / np.sqrt((4 + 4 + 1 + 1) / 3))
    assert found.rank_biserial.tolist() == pytest.approx([(3 + 2 - 1) / 6, 0])
    assert (found.wins.tolist(), found.ties.tolist(), found.losses.tolist()) == ([2, 0], [1, 3], [1, 0])


def test_the_same_difference_for_all_is_infinite_in_deviations() -> None:
    differences = np.array([0.3 - 0.2, 0.1, 0.2 - 0.1, 0.4 - 0.3, 0.5 - 0.4])[:, None]  # .1 but for rounding
    assert np.std(differences) > 0
    assert Effects.of(np.concatenate([differences, -differences, differences * 0], axis=1)).d_z.tolist() == [
        np.inf,
        -np.inf,
        0.0,
    ]


@pytest.mark.parametrize("u", [5, 13, 14, 40])
def test_no_p_is_smaller_than_the_least(u: int) -> None:
    """13 users have 8,192 flips, all tried; 14 have more than 10,000."""
    expected = 2 / 2**u if u < 14 else min(1 / 10_001, 2 * np.exp(-u / 2))
    assert permutation(np.ones((u, 1)), rng=rng("least"))[0] >= least(u) == pytest.approx(expected)
    assert permutation(np.ones((60, 1)), rng=rng("least")) == pytest.approx([least(60)])


def test_the_tail_beyond_random_flips_is_never_below_that_of_all_flips() -> None:
    """All of 2^16 flips, of metrics with steps as well as smooth ones, against as few random ones as say nothing."""
    draws = rng("tail")
    smooth, steps = (
        draws.normal(1.5, 0.5, size=(16, 20)),
        draws.choice([-1.0, 0.0, 1.0], p=[0.05, 0.15, 0.8], size=(16, 20)),
    )
    differences = np.concatenate([smooth, steps, np.ones((16, 1))], axis=1)
    exact = permutation(differences, rng=rng("none"), permutations=2**16)
    few = permutation(differences, rng=rng("flips"), permutations=10)
    small = few < 1 / 11
    assert small.sum() > 20 and (few[small] >= exact[small]).all()
    assert few.min() < 1e-3  # it does say more than the flips


SIMULATIONS = 1000


def _users(models: int, u: int, draws: np.random.Generator, shift: np.ndarray | float = 0.0) -> np.ndarray:
    """Values of u users for whom models are alike but for `shift`: a level of the user's, and skewed noise."""
    return draws.beta(1, 4, size=(u, 1)) + draws.exponential(0.2, size=(u, models)) + shift


def _share_of_false_claims(test: str, correct, pairs: list[tuple[int, int]], u: int) -> float:
    draws, claims = rng(f"null {test}"), 0
    first, second = np.array(pairs).T
    given = {"permutations": 500} if test == "permutation" else {}
    for _ in range(SIMULATIONS):
        values = _users(20, u, draws)
        claims += correct(TESTS[test](values[:, first] - values[:, second], rng=draws, **given)).min() <= 0.05
    return claims / SIMULATIONS


ALL_PAIRS = [(i, j) for i in range(20) for j in range(i)]
WITH_BASELINE = [(i, 0) for i in range(1, 20)]


@pytest.mark.parametrize(
    ("test", "pairs"), [("t", ALL_PAIRS), ("permutation", WITH_BASELINE)], ids=["t all pairs", "permutation baseline"]
)
def test_a_false_claim_among_20_identical_models_is_rare(test: str, pairs: list[tuple[int, int]]) -> None:
    allowed = 0.05 + 2 * np.sqrt(0.05 * 0.95 / SIMULATIONS)
    assert _share_of_false_claims(test, holm, pairs, u=25) <= allowed
    assert _share_of_false_claims(test, lambda p: p, pairs, u=25) > 0.2  # so often without the correction


def test_the_best_of_many_identical_models_are_not_claimed_to_be_better() -> None:
    """The 20 best of 1,000 against a baseline: the correction is for all, as they were chosen by what is tested."""
    draws, claims, times = rng("chosen"), np.zeros(2), 400
    for _ in range(times):
        values = draws.normal(size=(100, 1001))
        best = 1 + np.argsort(-values[:, 1:].mean(axis=0))[:20]
        p = t_test(values[:, best] - values[:, :1])
        claims += [holm(p, 1000).min() <= 0.05, holm(p).min() <= 0.05]
    share, naive = claims / times
    assert share <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / times) and naive > 0.15


def test_the_share_of_false_claims_is_held() -> None:
    """Ten models like the baseline, nine better: of the claims, on average at most 5 % are false."""
    draws, shift, shares, found = rng("discoveries"), np.r_[np.zeros(11), np.full(9, 0.12)], [], 0
    for _ in range(SIMULATIONS):
        values = _users(20, 60, draws, shift)
        claimed = benjamini_hochberg(t_test(values[:, 1:] - values[:, :1])) <= 0.05
        shares.append(claimed[:10].sum() / max(1, claimed.sum()))
        found += claimed[10:].sum()
    assert np.mean(shares) <= 0.05 + 2 * np.std(shares) / np.sqrt(SIMULATIONS)
    assert found / SIMULATIONS > 6  # of nine: it does claim what is true


@pytest.mark.parametrize("name", list(TESTS))
def test_no_p_is_zero(name: str) -> None:
    """20,000 users who all gain as much: the bound 2 exp(-10,000) is no float, and neither is what t makes of it."""
    for spread in (0.0, 1e-3):
        differences = 1 + spread * rng("spread").normal(size=(20_000, 1))
        [p] = TESTS[name](differences, rng=rng("flips"))
        assert 0 < p < 1e-300 and 0 < least(20_000) < 1e-300
