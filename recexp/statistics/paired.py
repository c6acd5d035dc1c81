"""Two-sided paired tests. Each takes float64 (u, c): c comparisons' differences of u users, one a user, NaN for none.

What they return is float64 (c,), the p-values: how likely so large a difference is if the two models were alike. One
of differences that are all zero is 1, one without users NaN; none is 0, for what is too small for a float is `LEAST`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

PERMUTATIONS = 10_000
"""Random sign flips: the standard error of a p-value of .05 is then .002."""
_BLOCK = 2**21
"""Signs (flips x users) that exist at a time: 16 MiB."""
LEAST = float(np.finfo(float).tiny)
"""The smallest p-value that is reported, 2.2e-308: no difference is impossible by chance."""
_EQUAL = 1e-9
"""Sums that differ by less than this share of the largest one possible are equal: they differ in rounding alone."""


def permutation(differences: np.ndarray, *, rng: np.random.Generator, permutations: int = PERMUTATIONS) -> np.ndarray:
    """Sign flips (Fisher 1935, section 21; Good 2005, Permutation, parametric and bootstrap tests, 3.6.1).

    If two models are alike, each user's difference is as likely to have the other sign. The p-value is the share of
    sign flips whose sum is at least as far from zero as the one seen: of all 2^u where these are no more than
    `permutations`, else of random ones, the one seen counted among them (Phipson and Smyth 2010). The same flips serve
    all comparisons.

    Random flips cannot tell how small a p-value of less than 1 / `permutations` is, and after correction for many
    comparisons nothing would be significant. The share of all flips is never more than 2 exp(-s^2 / 2 q), where s is
    the sum of the differences seen and q that of their squares (Hoeffding 1963, theorem 2), and where that is smaller
    it is the p-value.
    """
    given = np.nan_to_num(differences)
    seen = np.abs(given.sum(axis=0))
    seen -= _EQUAL * np.abs(given).sum(axis=0)
    u = len(given)
    exact = _exact(u, permutations)
    total = 2**u if exact else permutations
    as_far, rows = np.zeros(given.shape[1], np.int64), max(1, _BLOCK // max(1, u))
    for start in range(0, total, rows):
        r = min(rows, total - start)
        if exact:
            bits: np.ndarray = (np.arange(start, start + r)[:, None] >> np.arange(u)) & 1
        else:
            bits = np.unpackbits(rng.integers(0, 256, (r, -(-u // 8)), np.uint8), axis=1, count=u)
        as_far += (np.abs((bits * 2.0 - 1.0) @ given) >= seen).sum(axis=0)
    found = as_far / total if exact else np.minimum((as_far + 1) / (total + 1), _most(seen, (given**2).sum(axis=0)))
    return np.where(np.isnan(differences).all(axis=0), np.nan, found)


def least(u: int, permutations: int = PERMUTATIONS) -> float:
    """Return the smallest p-value that `permutation` can give for u users."""
    return 2 / 2**u if _exact(u, permutations) else min(1 / (permutations + 1), float(_most(u, u)))


def _most(total: ArrayLike, squares: ArrayLike) -> np.ndarray:
    """Return Hoeffding's bound of the share of sign flips whose sum is as far from zero as `total`."""
    return np.maximum(2 * np.exp(-np.square(total) / (2 * np.maximum(squares, LEAST))), LEAST)


def _exact(u: int, permutations: int) -> bool:
    return u < 64 and 2**u <= permutations


def wilcoxon(differences: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
    """Signed ranks (Wilcoxon 1945), zeros left out; by the normal distribution, exact for up to 50 users without ties.

    `rng` is not used: what needs none takes it for the sake of what does.
    """
    from scipy import stats

    def one(column: np.ndarray) -> float:
        some = column[~np.isnan(column)]
        if not some.any():
            return 1.0 if len(some) else np.nan
        return max(float(stats.wilcoxon(some).pvalue), LEAST)

    return np.array([one(column) for column in differences.T])


def t_test(differences: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
    """Student's paired t (Student 1908); `rng` is not used."""
    from scipy.special import stdtr

    n = (~np.isnan(differences)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(differences, axis=0) / n
        variance = np.nansum((differences - mean) ** 2, axis=0) / (n - 1)
        p = 2 * stdtr(n - 1, -np.abs(mean) / np.sqrt(variance / n))
    return np.where((n > 0) & (mean == 0), 1.0, np.maximum(p, LEAST))


TESTS: dict[str, Callable[..., np.ndarray]] = {"permutation": permutation, "wilcoxon": wilcoxon, "t": t_test}
"""The paired tests by name."""
