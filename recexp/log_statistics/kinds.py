"""What the rows of a log are: views, carts, purchases, returns, ratings."""

import numpy as np

from recexp.data import Dataset, Interactions
from recexp.data.event_kinds import KINDS, Kind, kind_of


def by_kind(dataset: Dataset) -> dict[Kind, Dataset]:
    """Return the rows of each kind that the data have, in file order.

    A column of events names the kinds. Without one, rows with ratings are ratings; those with quantities or prices
    purchases, returns where the quantity is below 0; and others views.
    """
    rows = dataset.interactions
    kinds = _of_events(rows) if rows.events is not None else _of_values(rows)
    return {kind: dataset if chosen.all() else dataset.take(chosen) for kind, chosen in kinds.items() if chosen.any()}


def _of_events(rows: Interactions) -> dict[Kind, np.ndarray]:
    assigned = [kind_of(name) for name in rows.events.categories] if rows.events is not None else []
    codes = {kind: [code for code, found in enumerate(assigned) if found == kind] for kind in KINDS}
    return {kind: np.isin(rows.events.values, own) for kind, own in codes.items() if rows.events is not None}


def _of_values(rows: Interactions) -> dict[Kind, np.ndarray]:
    if rows.explicit:
        return {"rating": ~np.isnan(rows.values)}
    priced = any(column.kind == "price" for column in rows.context.values())
    if not priced and (rows.values == 1).all():
        return {"view": np.ones(len(rows), bool)}
    return {"purchase": rows.values > 0, "return": rows.values < 0}
