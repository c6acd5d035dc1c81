"""SKNN: what similar sessions have."""

import numpy as np

from recexp.algorithms.sequential.session_neighbors import Asked, SessionNeighbors
from recexp.params import params


@params
class SKNN(SessionNeighbors):
    """score(u, j) = sum over neighbors n with j of |s and n| / sqrt(|s| |n|); s is u's last session.

    Session-based nearest neighbors, by the cosine of sets of items (Jannach and Ludewig, RecSys 2017; Ludewig and
    Jannach, Evaluation of session-based recommendation algorithms, UMUAI 2018, section 3.2). The order of s does not
    matter. Which sessions are compared, and what is left out of scores: see `SessionNeighbors`.

    Time: sample times the items of s to find neighbors, k session lengths to score, and the catalogue for each query.
    Memory: 16 bytes for each training row, 8 for each session, and 8 bytes an item for each thread. Serves anyone with
    a history. Learns sessions by age, the newest last, and where each item is: `begin_` int64 (n_sessions + 1,),
    `items_`, `places_` int32, `times_` float64 (n_sessions,) in seconds, `item_begin_` int64 (n_items + 1,),
    `item_sessions_`, `item_places_` int32, and `boost_` float64 (n_items,).

    Parameters
    ----------
    k, sample : see `SessionNeighbors`.
    """

    def _weights(self, asked: Asked) -> np.ndarray:
        return np.ones(len(asked.items))
