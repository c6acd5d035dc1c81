"""P3alpha: items reached by a random walk of three steps."""

from typing import Self

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.neighbors.random_walks import three_steps
from recexp.data import Dataset
from recexp.params import NonNegativeFloat, PositiveInt, params


@params
class P3alpha(ItemItem):
    """score(u, j) = sum over i in u's history of W_ij, W_ij = sum over v of (x_vi / d_i)^alpha (x_vj / d_v)^alpha.

    What a walk of three steps leads to, each step's probability raised to alpha: from the user to one of its items, to
    a user of that, to one of his items (Cooper, Lee, Radzik and Siantos, Random walks in recommender systems: exact
    computation and simulations, WWW 2014 companion, where P^3_alpha is defined); d are the users of an item and the
    items of a user. X (n_users, n_items) is binary: values of interactions do not weigh. The first step is the same for
    all items of a history, and left out. W is cut to the k best of each row, then of each column, as in the code of
    Ferrari Dacrema et al. (TOIS 2021), whose published numbers it meets; irspack cuts columns alone, and raises
    the values of X to alpha, not the probabilities, so that there alpha changes nothing of binary data. Among equals
    the lower number is kept.

    Time: sum of squared history lengths to fit, k (at most, on average) for each item of a history to score. Memory:
    8 k n_items bytes, never n_items^2. Serves anyone with a history. Learns `weights_`, W as float32 CSR
    (n_items, n_items).

    Parameters
    ----------
    alpha : exponent of the steps' probabilities; 1 is a plain walk.
    k : number of items kept for each item.
    normalize : whether to scale the k of each row to sum to 1 before columns are cut.
    """

    alpha: NonNegativeFloat
    k: PositiveInt
    normalize: bool

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        self.weights_ = three_steps(self.matrix(train.interactions), self.alpha, 0.0, self.k, self.normalize)
        return self
