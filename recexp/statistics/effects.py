"""How large a difference is, apart from how sure it is."""

from dataclasses import dataclass

import numpy as np

from recexp.statistics.ranks import tied_ranks

TIE = 1e-12
"""Values of a user that are closer than this are equal: they differ in rounding alone."""


@dataclass(frozen=True)
class Effects:
    """The sizes of c comparisons, each array (c,).

    Attributes
    ----------
    n : int64, users.
    mean : float64, of their differences.
    d_z : float64, Cohen's d of paired values, mean / deviation of the differences (Cohen 1988, 2.3.5); infinite where
        all differ by the same.
    rank_biserial : float64 in -1..1, the share of signed ranks in favor minus the share against (Kerby 2014).
    wins, ties, losses : int64, users for whom the first is better, equal, worse.
    """

    n: np.ndarray
    mean: np.ndarray
    d_z: np.ndarray
    rank_biserial: np.ndarray
    wins: np.ndarray
    ties: np.ndarray
    losses: np.ndarray

    @staticmethod
    def of(differences: np.ndarray) -> "Effects":
        """Measure float64 (u, c): differences of u users in c comparisons, NaN for none."""
        n = (~np.isnan(differences)).sum(axis=0)
        wins, losses = (differences > TIE).sum(axis=0), (differences < -TIE).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.nansum(differences, axis=0) / n
            deviation = np.sqrt(np.nansum((differences - mean) ** 2, axis=0) / (n - 1))
            deviation[deviation <= TIE * np.maximum(1.0, np.abs(mean))] = 0.0
            d_z = np.where(mean == 0, 0.0, mean / deviation)
        biserial = np.array([_rank_biserial(column) for column in differences.T])
        return Effects(n, mean, d_z, biserial, wins, n - wins - losses, losses)


def _rank_biserial(differences: np.ndarray) -> float:
    some = differences[np.abs(differences) > TIE]
    if not len(some):
        return 0.0
    placed = tied_ranks(np.abs(some))
    return float((placed * np.sign(some)).sum() / placed.sum())
