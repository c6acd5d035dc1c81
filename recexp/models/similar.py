"""Similarities between items according to a fitted model."""

import numpy as np

from recexp.algorithms.base import Recommender
from recexp.algorithms.factors import BiasedFactorModel, FactorModel
from recexp.algorithms.item_item import ItemItem
from recexp.data import Interactions, Queries
from recexp.errors import DataError


def similarities(model: Recommender, item: int, histories: Interactions) -> np.ndarray:
    """Return float32 (n_items,): the similarity of each item to `item`, -inf where the model knows of none.

    Of a model with vectors, the cosine of the items' vectors, without biases. Of others, the score that somebody would
    get whose history is this item alone, liked best: for EASE or SLIM these are the weights of the item. Items with the
    lowest of all scores are not similar, nor are those without a positive weight, nor those without a row, unless the
    model looks at what items are.

    Raises DataError for a model that does not learn similarities between items.
    """
    if isinstance(model, FactorModel):
        scores = _cosines(model.items_ if isinstance(model, BiasedFactorModel) else model.item_vectors(), item)
    else:
        scores = _scores_alone(model, item, histories)
    lowest = max(scores.min(), 0) if isinstance(model, ItemItem) else scores.min()
    known = scores > lowest
    if not any(need.startswith("item") for need in model.capabilities.needs):
        has_rows = np.bincount(histories.items, minlength=histories.n_items) > 0
        known &= has_rows & has_rows[item]  # of others it has learned nothing
    return np.where(known, scores, -np.inf).astype(np.float32)


def _cosines(vectors: np.ndarray, item: int) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1)
    products: np.ndarray = vectors @ vectors[item]
    return products / np.maximum(lengths * lengths[item], np.finfo(np.float32).tiny)


def _scores_alone(model: Recommender, item: int, histories: Interactions) -> np.ndarray:
    counts = np.bincount(histories.items, minlength=histories.n_items)
    counts[item] = -1
    items = np.array([item, counts.argmax()], np.int32)  # beside it an item that the model has learned much of
    best = float(histories.values.max(initial=1.0)) if histories.explicit else 1.0
    rows = Interactions(
        np.arange(2, dtype=np.int32),
        items,
        np.full(2, best, np.float32),
        2,
        histories.n_items,
        explicit=histories.explicit,
    )
    alone = Queries(np.full(2, -1, np.int32), rows, np.arange(2), np.arange(1, 3))
    if model.can_answer(alone, np.zeros(1, bool)).all():
        one, other = np.asarray(model.score(alone), np.float32)
        if np.ptp(one - other) > 1e-5 * max(np.ptp(one), np.ptp(other)):
            return one
    raise DataError(
        f"{type(model).__name__} does not learn similar items; ease, item_knn, als and all models with item vectors "
        "or that answer a history of one item do"
    )
