"""VSKNN: what similar sessions have, the latest items of a session weighing most."""

import numpy as np

from recexp.algorithms.sequential.decay import POWERS, Decay, decayed
from recexp.algorithms.sequential.session_neighbors import Asked, SessionNeighbors
from recexp.data import Interactions
from recexp.params import NonNegativeFloat, params


@params
class VSKNN(SessionNeighbors):
    """score(u, j) = (1 + idf c_j) sum over neighbors n with j of v(s, n) w(d); s is u's last session.

    v(s, n) is the sum of weights of the items that s and n share: by its last place p of l, an item weighs 1 (same),
    p / l (div), (p / l)^2 (quadratic) or 1 / log10(l - p + 1.7) (log). The last shared item is the d-th from the end of
    s, and w is 1, 1 / d, 1 / d^2 or 1 / log10(d + 1.7). c_j = log(sessions / rows of j). Vector multiplication
    session-based k-nearest neighbors (Ludewig and Jannach, Evaluation of session-based recommendation
    algorithms, UMUAI 2018, section 3.2), as in the authors' code, whose published lists it meets. Items that are in
    more rows than there are sessions have c_j < 0. Which sessions are compared, and what is left out of scores: see
    `SessionNeighbors`.

    Time, memory, whom it serves and what it learns: as `SKNN`; `boost_` is 1 + idf c.

    Parameters
    ----------
    k, sample : see `SessionNeighbors`.
    weighting : how much the items of the session weigh by their place.
    score_weighting : w.
    idf : how much rare items are preferred.
    """

    weighting: Decay
    score_weighting: Decay
    idf: NonNegativeFloat

    def _weights(self, asked: Asked) -> np.ndarray:
        if self.weighting == "log":
            return 1 / np.log10(asked.steps + 0.7)
        # without the length, which all share: sums of whole numbers are exact, and so are equals
        return asked.places.astype(np.float64) ** POWERS[self.weighting]

    def _links(self, asked: Asked) -> np.ndarray:
        return decayed(self.score_weighting, asked.steps)

    def _factors(self, lengths: np.ndarray) -> np.ndarray:
        return np.ones(len(lengths))

    def _boost(self, rows: Interactions, n_sessions: int) -> np.ndarray:
        counts = np.bincount(rows.items, minlength=rows.n_items)
        return 1 + self.idf * np.log(n_sessions / np.maximum(1, counts))
