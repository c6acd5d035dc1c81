"""AssociationRules: what is in the same sessions as the last item."""

from typing import Self

import numpy as np

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.sequential.last_item import LastItem, nearby
from recexp.algorithms.sessions import training_sessions
from recexp.data import Dataset
from recexp.params import PositiveInt, params


@params
class AssociationRules(LastItem):
    """score(u, j) = N_ij, the pairs of a row of i and a row of j in one session; i is the last item of u's history.

    Simple association rules of two items (Ludewig and Jannach, Evaluation of session-based recommendation algorithms,
    UMUAI 2018, section 3.1). N is symmetric before the `pruning` strongest of each row are kept, among equals the
    lower code; their code keeps those that it met first. An item that comes c times in a session counts c (c - 1)
    times beside itself. Without sessions, the rows of a user are one session.

    Time: sum of squared session lengths to fit, `pruning` for each query to score. Memory: 12 pruning n_items bytes.
    Serves anyone with a history. Learns `weights_`, N as float32 CSR (n_items, n_items): (last, next).

    Parameters
    ----------
    pruning : how many companions of each item are kept; None: all.
    """

    pruning: PositiveInt | None

    capabilities = Capabilities(needs=frozenset({"order"}))

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        rows, begin = training_sessions(train)
        everywhere = np.ones(np.diff(begin).max())
        self.weights_ = nearby(rows, begin, everywhere, both=True, k=self.pruning).astype(np.float32)
        return self
