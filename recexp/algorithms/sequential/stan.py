"""STAN: what similar sessions have, by position, recency and nearness."""

import numpy as np

from recexp.algorithms.sequential.session_neighbors import Asked, SessionNeighbors
from recexp.params import PositiveFloat, params

DAY = 86400.0
"""Seconds."""


@params
class STAN(SessionNeighbors):
    """score(u, j) = sum over neighbors n with j of c(s, n) exp(-age_n / a) exp(-|p_j - p*| / b); s is u's last session.

    c(s, n) = sum over shared items i of w_i / sqrt(sum over all i in s of w_i^2) / sqrt(|n|), w_i = exp((p_i - l) / h)
    for an item at its last place p_i of l. age_n is the time since the last row of n, p_j the last place of j in n, and
    p* that of the last item in n which is in s, too. Sequence and time aware neighborhood (Garg, Gupta, Malhotra, Vig
    and Shroff, SIGIR 2019, equations 3 to 5); lambda 1, 2 and 3 of the paper are h, a in days and b here. Age is taken
    from the newest session compared: time since then is a factor that all neighbors share. Which sessions are compared,
    and what is left out of scores: see `SessionNeighbors`. Where rows are in file order without times, a day has 86,400
    rows.

    Time, memory, whom it serves and what it learns: as `SKNN`.

    Parameters
    ----------
    k, sample : see `SessionNeighbors`.
    position_decay : h, in places of the session; None: all weigh alike.
    recency_decay : a, in days; None: age does not matter.
    neighbor_decay : b, in places of a neighbor; None: nearness does not matter.
    """

    position_decay: PositiveFloat | None
    recency_decay: PositiveFloat | None
    neighbor_decay: PositiveFloat | None

    def _weights(self, asked: Asked) -> np.ndarray:
        return _fallen(asked.steps - 1, self.position_decay)

    def _by_distance(self, distances: np.ndarray) -> np.ndarray:
        return _fallen(distances, self.neighbor_decay)

    def _rate(self) -> float:
        return 0.0 if self.recency_decay is None else 1 / (DAY * self.recency_decay)


def _fallen(distances: np.ndarray, scale: float | None) -> np.ndarray:
    """Return exp(-d / scale) for each distance, or ones where the scale is None."""
    falling: np.ndarray = np.ones(len(distances)) if scale is None else np.exp(-distances / scale)
    return falling
