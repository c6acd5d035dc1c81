"""ActiveItems: chooses the users who rate a new item first, and infers its factors from their answers."""

import logging
from typing import Literal, Self

import numpy as np

from recexp.algorithms.cold_start.new_items import NewItems
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset, Queries
from recexp.errors import ConfigError
from recexp.params import PositiveFloat, Size, params

log = logging.getLogger(__name__)


@params
class ActiveItems(NewItems):
    """score(u, i) = w_u . h_i, with h_i of new items from the answers of the few who have been shown them: the h that
    minimizes

        sum over these users u of (y_ui - w_u . h)^2 + l2 |h - mean|^2

    y is 1 for a row with a value above 0, else 0: shown and not wanted. `mean` is that of the items that are not new,
    where an item is that nobody has been shown.

    choose : `panel` says whom to show an item to. greedy: one after another, the user whose answer takes most off the
    variance of w_v . h, summed over all train users v; with A = l2 I + sum of w w^T of those chosen and G that sum of
    all, the u with the largest w_u^T A^-1 G A^-1 w_u / (1 + w_u^T A^-1 w_u) (transductive experimental design: Yu, Bi
    and Tresp, ICML 2006). active: those with most rows. random: any.

    Time and memory: those of the base, O(n_new d^3) and, for a panel, O(n_users d^2) a user. Learns what `NewItems`
    does, `users_`, w as float32 (n_users, d), `n_rows_`, int64 (n_users,), and `panel_`, the codes of the users to show
    new items to first, int64 (n_users,) as the field says.

    Parameters
    ----------
    base, below : see `NewItems`.
    choose : how users are chosen.
    n_users : number of users chosen.
    l2 : L2 penalty of the regression.
    """

    choose: Literal["greedy", "active", "random"]
    n_users: Size
    l2: PositiveFloat

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        rows = train.interactions
        able = rows.used_users
        if self.n_users > len(able):
            raise ConfigError(f"algorithm.n_users={self.n_users}: only {len(able)} users have train rows")
        super().fit(train, context)
        self.panel_ = self.panel(able, self.n_users, context.rng)
        return self

    def suggested(self, train: Dataset, vectors: np.ndarray, known: np.ndarray, context: FitContext) -> np.ndarray:
        rows = train.interactions
        self.n_rows_ = np.bincount(rows.users, minlength=rows.n_users)
        everyone = Queries.of_users(np.arange(rows.n_users, dtype=np.int32), rows, exclude_seen=False)
        self.users_ = self.base_.user_vectors(everyone)
        mean = vectors[known].mean(axis=0, dtype=np.float64)
        shown = rows.csr(values=True, duplicates="max").tocsc()[:, np.flatnonzero(~known)]
        found = np.tile(mean, (shown.shape[1], 1))
        for item in np.flatnonzero(np.diff(shown.indptr)):
            some = slice(*shown.indptr[item : item + 2])
            found[item] = self.learned(shown.indices[some], shown.data[some] > 0, mean)
        return found

    def learned(self, users: np.ndarray, wanted: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Return h, float64 (d,), of an item, given users' answers.

        Parameters
        ----------
        users : int (k,), codes.
        wanted : bool (k,), their answers.
        mean : float64 (d,).
        """
        w = self.users_[users].astype(np.float64)
        h: np.ndarray = mean + np.linalg.solve(w.T @ w + self.l2 * np.eye(len(mean)), w.T @ (wanted - w @ mean))
        return h

    def panel(self, able: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
        """Return the codes, int64, of the first `k` users to show an item to, out of `able`, int (n,)."""
        if self.choose == "random":
            return rng.permutation(able)[:k]
        if self.choose == "active":
            return able[np.argsort(-self.n_rows_[able], kind="stable")[:k]]
        w, everyone = (self.users_[some].astype(np.float64) for some in (able, self.n_rows_ > 0))
        inverse, gram = np.eye(w.shape[1]) / self.l2, everyone.T @ everyone
        left = np.ones(len(able), bool)
        chosen = []
        for _ in range(min(k, len(able))):
            spread = w @ inverse
            gain = ((spread @ gram) * spread).sum(axis=1) / (1 + (spread * w).sum(axis=1))
            best = int(np.argmax(np.where(left, gain, -np.inf)))
            chosen.append(best)
            left[best] = False
            inverse -= np.outer(spread[best], spread[best]) / (1 + spread[best] @ w[best])
        return able[chosen]
