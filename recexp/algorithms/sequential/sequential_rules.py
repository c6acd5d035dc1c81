"""SequentialRules: what comes after the last item, the sooner the better."""

from typing import Self

import numpy as np

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.sequential.decay import Decay, decayed
from recexp.algorithms.sequential.last_item import LastItem, nearby
from recexp.algorithms.sessions import training_sessions
from recexp.data import Dataset
from recexp.params import PositiveInt, params


@params
class SequentialRules(LastItem):
    """score(u, j) = sum over rows of j that come d rows after one of i of w(d); i is the last item of u's history.

    Pairs are those of one session and d is at most `steps` (Kamehkhosh, Jannach and Ludewig, TempRec 2017; Ludewig and
    Jannach, Evaluation of session-based recommendation algorithms, UMUAI 2018, section 3.1). w(d) is 1 (same), 1 / d
    (div), 1 / d^2 (quadratic) or 1 / log10(d + 1.7) (log). The `pruning` strongest successors of each item are kept,
    among equals the lower code; their code keeps those that it met first. Without sessions, the rows of a user are one
    session.

    Time: steps for each training row to fit, `pruning` for each query to score. Memory: 12 pruning n_items bytes.
    Serves anyone with a history. Learns `weights_` as float32 CSR (n_items, n_items): (last, next).

    Parameters
    ----------
    steps : the largest distance d.
    weighting : w, how a pair weighs by its distance.
    pruning : how many successors of each item are kept; None: all.
    """

    steps: PositiveInt
    weighting: Decay
    pruning: PositiveInt | None

    capabilities = Capabilities(needs=frozenset({"order"}))

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        rows, begin = training_sessions(train)
        weights = decayed(self.weighting, np.arange(1, self.steps + 1))
        self.weights_ = nearby(rows, begin, weights, both=False, k=self.pruning).astype(np.float32)
        return self
