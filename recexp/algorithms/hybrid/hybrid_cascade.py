"""HybridCascade: one algorithm proposes candidates and the next ranks them."""

from itertools import pairwise
from typing import Self

import numpy as np
from pydantic import ValidationInfo, field_validator

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.hybrid.base import Hybrid, allowed, take_queries
from recexp.data import Dataset, Interactions, Queries
from recexp.params import PositiveInt, params
from recexp.ranking import Lists, Ranking


@params
class HybridCascade(Hybrid):
    """score(u, i) = s_2(u, i) + lift for the n best items of the first part, s_1(u, i) for the others, below them all.

    The cascade hybrid of Burke (UMUAI 2002, section 3.5): the first part proposes its n best items among those that may
    be recommended (with all that equal the n-th), the second orders them. Further parts order the best of the one
    before in the same way. What a part left behind follows in its own order, so that lists are always full. A query is
    answered by the stages whose parts answer it (see `Hybrid`), in order. A rating is predicted by the last part that
    predicts and answers the query.

    Time: every part scores all items; picking the best is linear in them. Memory: blocks of dense scores.
    Learns nothing besides the parts.

    Parameters
    ----------
    parts, on_failure : see `Hybrid`; the parts are the stages, in order.
    scale : see `Hybrid`; the units of each stage. rank orders exactly; none may lose small differences in a score that
        holds all stages.
    candidates : number of items that each part except the last passes on.
    """

    candidates: list[PositiveInt]

    @field_validator("candidates")
    @classmethod
    def _one_each(cls, candidates: list[int], info: ValidationInfo) -> list[int]:
        names = list(info.data.get("parts", ()))
        if names and len(candidates) != len(names) - 1:
            raise ValueError(f"must be one number for each part but the last, {len(names) - 1} ({', '.join(names)})")
        if candidates != sorted(candidates, reverse=True):
            raise ValueError("must not increase: no part can pass on more items than it received")
        return candidates

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        self.fit_parts(train, context or FitContext())
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return self._in_stages(queries, np.ones(queries.n_items, bool))

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        return ranking.top_k(self._in_stages(queries, ranking.catalogue), queries, k)

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        able = [index for index, model in enumerate(self.models_.values()) if model.capabilities.predicts]
        if not able:
            return super().predict(rows, history)
        names, chosen = list(self.models_), np.full(len(rows), able[-1])
        for index in able:
            chosen[self.part_can_answer(names[index], history)] = index
        return self.chosen_ratings(chosen, rows, history)

    def _in_stages(self, queries: Queries, catalogue: np.ndarray) -> np.ndarray:
        """Return scores, float32 (b, n_items), of the stages that answer each query, proposed from the catalogue."""
        scores = np.zeros((len(queries), queries.n_items), np.float32)
        answering = np.array([self.part_can_answer(name, queries) for name in self.models_])
        patterns, which = np.unique(answering, axis=1, return_inverse=True)
        for index, pattern in enumerate(patterns.T):
            names = [name for name, answers in zip(self.models_, pattern) if answers]
            if names:
                at = np.flatnonzero(which.ravel() == index)
                scores[at] = self._cascade(names, take_queries(queries, at), catalogue)
        return scores

    def _cascade(self, names: list[str], queries: Queries, catalogue: np.ndarray) -> np.ndarray:
        hand_on = dict(zip(self.parts, self.candidates))
        kept = allowed(queries) & catalogue
        scores = total = self.scaled(names[0], queries)
        for before, name in pairwise(names):
            kept = _best(scores, kept, hand_on[before])
            scores = self.scaled(name, queries)
            total = _lifted(scores, kept, total)
        return total


def _best(scores: np.ndarray, among: np.ndarray, n: int) -> np.ndarray:
    """Return bool (b, n_items): each row's n highest scores among the given items, and those equal to the n-th."""
    n_items = scores.shape[1]
    if n >= n_items:
        return among
    scores = np.where(among, scores, -np.inf)
    least = np.partition(scores, n_items - n, axis=1)[:, n_items - n, None]
    return among & (scores >= least)


def _lifted(scores: np.ndarray, kept: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return `scores` of the kept items, lifted to begin 1 above all `others`, float32 (b, n_items)."""
    low = np.min(scores, axis=1, where=kept, initial=np.inf, keepdims=True).astype(np.float64)
    high = np.max(others, axis=1, where=~kept, initial=-np.inf, keepdims=True).astype(np.float64)
    lift = 1 - np.where(np.isfinite(low), low, 0) + np.where(np.isfinite(high), high, 0)
    return np.where(kept, scores + lift, others).astype(np.float32)
