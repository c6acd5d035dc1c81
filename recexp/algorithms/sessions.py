"""Training sessions."""

import numpy as np

from recexp.data import Dataset, Interactions
from recexp.errors import DataError


def training_sessions(train: Dataset) -> tuple[Interactions, np.ndarray]:
    """Return the rows session by session in time order, and the session offsets, int (n_sessions + 1,).

    Without sessions in the data, all rows of a user form one. Raises DataError if no session has two rows.
    """
    rows, begin = train.interactions.sessions_in_order()
    if (np.diff(begin) > 1).any():
        return rows, begin
    n, name = len(begin) - 1, train.name
    if train.interactions.sessions is None:
        raise DataError(f"none of the {n} users of {name} has two rows; what follows what cannot be learned from them")
    raise DataError(
        f"none of the {n} sessions of {name} has two rows; what follows what cannot be learned from them; "
        "dataset.columns.session=null takes all rows of a user as one session"
    )
