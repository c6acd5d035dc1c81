"""GMF: generalized matrix factorization."""

import numpy as np

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.neural.pair_model import PairModel
from recexp.data import Queries
from recexp.params import Size, params


@params
class GMF(PairModel, FactorModel):
    """score(u, i) = sum over k of h_k p_uk q_ik, learned as sigmoid(score + b) of seen and unseen pairs.

    Generalized matrix factorization (He et al., WWW 2017, equation 9, with the sigmoid of section 3.2). The weights h
    can be negative, so that it is no plain product of factors.

    Parameters
    ----------
    factors : length of p and q.
    """

    factors: Size

    capabilities = Capabilities(needs_history=False, known_users_only=True, vectors=True)
    score = FactorModel.score
    recommend = FactorModel.recommend

    def user_vectors(self, queries: Queries) -> np.ndarray:
        """Return float32 (b, factors): h * p of those who ask, 0 for unknown ones."""
        known = (queries.users >= 0)[:, None]
        return self.weights_["users.weight"][queries.users] * self.weights_["output.weight"] * known

    def item_vectors(self) -> np.ndarray:
        """Return float32 (n_items, factors): q."""
        return self.weights_["items.weight"]

    def _shape(self) -> tuple[int, int, list[int]]:
        return self.factors, 0, []
