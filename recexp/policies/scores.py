"""What a fitted model says of the visitors of an observation."""

import numpy as np

from recexp.data import Interactions, Queries
from recexp.environments.base import Observation
from recexp.errors import DataError
from recexp.models.fitted import FittedModel


def scores(model: FittedModel, observation: Observation, *, demote_seen: bool) -> np.ndarray:
    """Return float32 (b, n_items), finite: the model's scores, its fallback's for whom it cannot answer.

    Items that the model never lists come after those that it does; with `demote_seen`, what the visitor clicked last
    comes after these. Raises DataError for NaN.
    """
    asked, n_items = queries(observation, len(model.user_ids), len(model.item_ids)), len(model.item_ids)
    found = np.empty((len(asked), n_items), np.float32)
    answered = model.can_answer(asked)
    for one, mask in ((model.model, answered), (model.fallback, ~answered)):
        if len(at := np.flatnonzero(mask)):
            found[at] = one.score(asked.take(at))
    if np.isnan(found).any():
        raise DataError(f"{type(model.model).__name__}.score gave NaN, which has no place in a list")
    listed = np.isfinite(found)
    lowest = np.min(found, axis=1, keepdims=True, where=listed, initial=0.0)
    spread = np.max(found, axis=1, keepdims=True, where=listed, initial=0.0) - lowest
    found = np.where(listed, found, lowest - 0.1 * spread - 1e-3)
    if demote_seen:
        rows, places = np.nonzero(observation.history >= 0)
        found[rows, observation.history[rows, places]] = (lowest - 0.2 * spread - 2e-3)[rows, 0]
    return found


def queries(observation: Observation, n_users: int, n_items: int) -> Queries:
    """Return a query a visitor, whose history is what was clicked last."""
    known = observation.history >= 0
    lengths = known.sum(axis=1)
    stop = np.cumsum(lengths)
    clicked = Interactions(
        users=np.repeat(observation.visitors, lengths),
        items=observation.history[known],
        values=np.ones(lengths.sum(), np.float32),
        n_users=n_users,
        n_items=n_items,
    )
    return Queries(
        observation.visitors,
        clicked,
        stop - lengths,
        stop,
        timestamps=observation.timestamps,
        context=observation.context,
    )
