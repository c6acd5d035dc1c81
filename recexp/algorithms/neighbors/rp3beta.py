"""RP3beta: items reached by a random walk of three steps, with a penalty on popular items."""

from typing import Self

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.neighbors.random_walks import three_steps
from recexp.data import Dataset
from recexp.params import NonNegativeFloat, PositiveInt, params


@params
class RP3beta(ItemItem):
    """score(u, j) = sum over i in u's history of W_ij, W_ij = sum over v of (x_vi / d_i x_vj / d_v)^alpha / d_j^beta.

    P3alpha's walk of three steps, where a target counts less the more users it has (Paudel, Christoffel, Newell and
    Bernstein, Updatable, accurate, diverse, and scalable recommendations for interactive applications, TiiS 2017, where
    RP^3_beta is defined); d are the users of an item and the items of a user. beta 0 is P3alpha. X (n_users, n_items)
    is binary: values of interactions do not weigh. W is cut to the k best of each row, then of each column, as in the
    code of Ferrari Dacrema et al. (TOIS 2021), whose published numbers it meets; irspack cuts columns alone, and raises
    the values of X to alpha, not the probabilities, so that there alpha changes nothing of binary data. Among equals
    the lower number is kept.

    Time: sum of squared history lengths to fit, k (at most, on average) for each item of a history to score. Memory:
    8 k n_items bytes, never n_items^2. Serves anyone with a history. Learns `weights_`, W as float32 CSR
    (n_items, n_items).

    Parameters
    ----------
    alpha : exponent of the steps' probabilities; 1 is a plain walk.
    beta : exponent of the target's popularity, by which W is divided.
    k : items kept for each item.
    normalize : whether the k of each row are made to sum to 1 before columns are cut.
    """

    alpha: NonNegativeFloat
    beta: NonNegativeFloat
    k: PositiveInt
    normalize: bool

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        self.weights_ = three_steps(self.matrix(train.interactions), self.alpha, self.beta, self.k, self.normalize)
        return self
