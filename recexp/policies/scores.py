"""What a fitted model says of the visitors of an observation."""

import numpy as np
import scipy.sparse as sp

from recexp.data import Interactions, Queries
from recexp.environments.base import Observation
from recexp.errors import DataError
from recexp.models.fitted import FittedModel


def scores(model: FittedModel, observation: Observation, *, k: int, demote_seen: bool) -> np.ndarray:
    """Return float32 (b, n_items), finite: scores by which the k best items are those that the model would list.

    Items that the model never lists come after those that it does; with `demote_seen`, what the visitor clicked last
    comes after these. Raises DataError for NaN.
    """
    found = model.scores(queries(observation, model, exclude_seen=demote_seen), k)
    if np.isnan(found).any():
        raise DataError(f"{type(model.model).__name__}.score gave NaN, which has no place in a list")
    listed = np.isfinite(found)
    lowest = np.min(found, axis=1, keepdims=True, where=listed, initial=np.inf)
    lowest = np.where(np.isfinite(lowest), lowest, np.float32(0))
    highest = np.max(found, axis=1, keepdims=True, where=listed, initial=-np.inf)
    step = np.maximum(0.1 * (np.maximum(highest, lowest) - lowest), 1e-6 * np.abs(lowest))  # which float32 can tell
    step = np.where(step > 0, step, np.float32(1e-3))
    found = np.where(listed, found, lowest - step)
    if demote_seen:
        rows, places = np.nonzero(observation.history >= 0)
        found[rows, observation.history[rows, places]] = (lowest - 2 * step)[rows, 0]
    return found


def queries(observation: Observation, model: FittedModel, *, exclude_seen: bool) -> Queries:
    """Return a query a visitor, whose history is what was clicked last."""
    known, n_items = observation.history >= 0, len(model.item_ids)
    lengths = known.sum(axis=1)
    stop = np.cumsum(lengths)
    clicked = Interactions(
        users=np.repeat(np.maximum(observation.visitors, 0), lengths),  # -1: unknown to the model
        items=observation.history[known],
        values=np.ones(lengths.sum(), np.float32),
        n_users=len(model.user_ids),
        n_items=n_items,
    )
    pattern = clicked.values, clicked.items, np.append(0, stop)
    return Queries(
        observation.visitors,
        clicked,
        stop - lengths,
        stop,
        exclude=sp.csr_array(pattern, shape=(len(lengths), n_items)) if exclude_seen else None,
        timestamps=observation.timestamps,
        context=observation.context,
    )
