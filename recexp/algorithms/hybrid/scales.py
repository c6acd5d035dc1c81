"""Scores of different algorithms made comparable, query by query."""

from typing import Literal

import numpy as np

from recexp import threads

Scale = Literal["none", "rank", "zscore", "minmax"]


def scaled(scores: np.ndarray, scale: Scale) -> np.ndarray:
    """Return float32 (b, n_items) scores, made comparable row by row (see `Hybrid`); `scores` is not changed.

    A score that is not finite (an item that is not for the list) becomes the row's lowest.
    """
    scores = np.require(scores, np.float32, "C")
    if not np.isfinite(scores).all():
        finite = np.isfinite(scores)
        lowest = np.where(finite, scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
        scores = np.where(finite, scores, np.where(np.isfinite(lowest), lowest, 0)).astype(np.float32)
    if scale == "none" or not scores.size:
        return scores
    out, function = np.empty_like(scores), {"rank": _rank, "zscore": _zscore, "minmax": _minmax}[scale]

    def rows(start: int, stop: int) -> None:
        out[start:stop] = function(scores[start:stop])

    threads.map_rows(rows, len(scores))
    return out


def _rank(scores: np.ndarray) -> np.ndarray:
    b, n = scores.shape
    order = np.argsort(scores, axis=1)
    ordered = np.take_along_axis(scores, order, axis=1)
    new = np.ones((b, n), bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.flatnonzero(new)
    size = np.diff(first, append=b * n)
    mean = (first % n + (size - 1) / 2) / max(n - 1, 1)
    ranks = np.empty((b, n), np.float32)
    np.put_along_axis(ranks, order, np.repeat(mean, size).astype(np.float32).reshape(b, n), axis=1)
    return ranks


def _zscore(scores: np.ndarray) -> np.ndarray:
    above = scores - scores.mean(axis=1, keepdims=True, dtype=np.float64)
    spread = np.sqrt(np.square(above).mean(axis=1, keepdims=True))
    flat = scores.min(axis=1, keepdims=True) == scores.max(axis=1, keepdims=True)
    return np.where(flat, 0, above / np.where(flat, 1, spread))


def _minmax(scores: np.ndarray) -> np.ndarray:
    low, high = (f(axis=1, keepdims=True).astype(np.float64) for f in (scores.min, scores.max))
    return (scores - low) / np.where(high > low, high - low, 1)
