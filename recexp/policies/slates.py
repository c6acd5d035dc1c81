"""From scores to lists with exploration, and the probability of each choice; the one rule of all policies here."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recexp.data import Interactions, Queries
from recexp.environments.base import Observation
from recexp.environments.luck import Luck
from recexp.errors import ConfigError, DataError
from recexp.ranking import Ranking
from recexp.rng import generator

_LOWEST = -600.0
"""Logarithm of the least weight beside the largest: smaller ones would be 0, and sums of what is left with them."""


@dataclass(frozen=True)
class Choice:
    """How places of a list are filled, one after the other, by scores.

    Each place has, with probability `epsilon`, an item drawn uniformly from those that are left, else the best of them;
    or, with a `temperature` T, one drawn in proportion to exp(z / T), z being the visitor's scores of mean 0 and
    standard deviation 1 (Plackett 1975, Luce 1959; drawn by Gumbel noise, Kool et al. 2019). What the visitor was shown
    earlier in the visit is left out.

    Attributes
    ----------
    epsilon : from 0 to 1.
    temperature : above 0, or None.
    """

    epsilon: float = 0.0
    temperature: float | None = None

    def lists(
        self, scores: np.ndarray, observation: Observation, candidates: np.ndarray, rng: Luck, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lists, int32 (b, k), and propensities, float64 (b, k).

        Parameters
        ----------
        scores : float (b, n_items), finite; higher is better.
        observation, candidates, rng : see `Policy.act`.
        k : items of a list.
        """
        allowed = allowed_items(scores, observation, candidates, k)
        weights, noisy = None, scores
        if self.temperature is not None:
            logits = self._logits(scores, allowed)
            weights, noisy = _weights(logits, allowed), logits - np.log(-np.log(rng.random(scores.shape[1])))
        best = _best(noisy, allowed, k)
        return self._filled(best, weights, allowed, rng, k) if self.epsilon else (best, _in_order(best, weights))

    def first(self, scores: np.ndarray, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        """Return float64 (b, c): the probability of each candidate in the first place."""
        allowed = allowed_items(scores, observation, candidates, 1)
        chances = allowed * (self.epsilon / allowed.sum(axis=1, keepdims=True))
        if self.temperature is None:
            chances[np.arange(len(scores)), _best(scores, allowed, 1)[:, 0]] += 1 - self.epsilon
        else:
            weights = _weights(self._logits(scores, allowed), allowed)
            chances += (1 - self.epsilon) * weights / weights.sum(axis=1, keepdims=True)
        return chances[:, candidates]

    def _logits(self, scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """Return float64 (b, n_items): scores, of mean 0 and deviation 1 over what is allowed, over the temperature."""
        n = allowed.sum(axis=1, keepdims=True)
        mean = np.sum(scores, axis=1, keepdims=True, where=allowed, dtype=np.float64) / n
        apart = np.where(allowed, scores - mean, 0.0)
        deviation = np.sqrt((apart**2).sum(axis=1, keepdims=True) / n)
        return apart / np.where(deviation > 0, deviation * self.temperature, 1.0)

    def _filled(
        self, best: np.ndarray, weights: np.ndarray | None, allowed: np.ndarray, rng: Luck, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lists and propensities where some places are drawn uniformly."""
        left, rows = allowed.copy(), np.arange(len(best))
        explore = rng.random(k) < self.epsilon
        drawn = _best(rng.random(allowed.shape[1]), allowed, k)  # a uniform order: its first that is left is uniform
        items, propensities = np.empty_like(best), np.empty(best.shape)
        for place in range(k):
            greedy, uniform = (_next(order, left, rows) for order in (best, drawn))
            chosen = np.where(explore[:, place], uniform, greedy)
            exploited = chosen == greedy
            if weights is not None:
                exploited = weights[rows, chosen] / weights.sum(axis=1, where=left)
            propensities[:, place] = self.epsilon / left.sum(axis=1) + (1 - self.epsilon) * exploited
            items[:, place] = chosen
            left[rows, chosen] = False
        return items, propensities


def allowed_items(scores: np.ndarray, observation: Observation, candidates: np.ndarray, k: int) -> np.ndarray:
    """Return bool (b, n_items): candidates that were not shown earlier in the visit.

    Raises DataError for scores of another shape or that are not finite, ConfigError where fewer than k items are left.
    """
    if scores.shape[:1] != (len(observation),) or scores.ndim != 2 or scores.shape[1] <= candidates.max(initial=-1):
        needed = f"({len(observation)}, {candidates.max(initial=-1) + 1})"
        raise DataError(f"scores must be {needed}, a row a visitor, a column an item (got {scores.shape})")
    if not np.isfinite(scores).all():
        raise DataError(f"scores must be finite; {np.count_nonzero(~np.isfinite(scores))} are NaN or infinite")
    allowed = np.zeros(scores.shape, bool)
    allowed[:, candidates] = True
    rows, places = np.nonzero(observation.shown >= 0)
    allowed[rows, observation.shown[rows, places]] = False
    if (few := allowed.sum(axis=1).min(initial=k)) < k:
        raise ConfigError(f"environment.slate: a list has {k} items and {few} are left to be shown")
    return allowed


def _best(scores: np.ndarray, allowed: np.ndarray, k: int) -> np.ndarray:
    """Return int32 (b, k): the best of what is allowed, best first; equal scores in an order that favors none."""
    b, n = scores.shape
    ranking = Ranking.draw(n, None, rng=generator(0, "ties"))
    nobody = Interactions(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32), 1, n)
    zeros = np.zeros(b, np.int64)
    asked = Queries(np.zeros(b, np.int32), nobody, zeros, zeros, exclude=sp.csr_array(~allowed))
    return ranking.top_k(scores, asked, k).items


def _next(order: np.ndarray, left: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return int (b,): of each row of `order`, (b, k), the first that is left."""
    return order[rows, np.take_along_axis(left, order, axis=1).argmax(axis=1)]


def _weights(logits: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return float64 (b, n_items), in proportion to which items are drawn; 0 where not allowed."""
    highest = np.max(logits, axis=1, keepdims=True, where=allowed, initial=-np.inf)
    return np.where(allowed, np.exp(np.maximum(logits - highest, _LOWEST)), 0.0)


def _in_order(items: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return float64 (b, k): the probability of each item after those before it, drawn by weights; 1 without."""
    if weights is None:
        return np.ones(items.shape)
    weights, chances, rows = weights.copy(), np.empty(items.shape), np.arange(len(items))
    for place, chosen in enumerate(items.T):
        chances[:, place] = weights[rows, chosen] / weights.sum(axis=1)
        weights[rows, chosen] = 0.0
    return chances
