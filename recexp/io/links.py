"""Files of links: a pair of users a row."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recexp.errors import DataError
from recexp.io.id_cells import ids
from recexp.io.ids import Ids, lookup
from recexp.io.tables import TableFile, open_table, readable

log = logging.getLogger(__name__)


def read_links(
    path: Path, users: np.ndarray, *, separator: str | None, quotes: bool = True, encoding: str | None = None
) -> np.ndarray:
    """Return int32 (l, 2): the pairs of a file as codes of `users`, in ascending order, each once.

    The first two columns of the table are read: the first user trusts, follows or knows the second. The first line of
    text names the columns, unless one of the two names is a user's id. Links of others than `users`, links that come
    again, and links of a user to itself are left out, and counted in a warning.

    Parameters
    ----------
    path : the file, as `open_table` reads it.
    users : (n_users,) the original ids of those who have interactions; a code is a position in them.
    separator, quotes, encoding : see `open_table`.

    Raises
    ------
    DataError : the file cannot be read, has fewer than two columns or empty ids, or none of its links is left.
    """
    file = _opened(path, users, separator, quotes, encoding)
    if len(file.names) < 2:
        raise DataError(f"{path}: links are pairs of users in the first two columns; its only one is {file.names[0]}")
    pair = [*file.names[:2]]
    table = file.read(pair, whole=pair)
    with readable(path):
        ends = [ids(table[name], f"{path}: column {name}") for name in pair]
    return linked(ends, users, str(path))


def linked(ends: Sequence[Ids], users: np.ndarray, label: str) -> np.ndarray:
    """Return the links whose first and second users are given, as `read_links` does; `label` names where they are."""
    links = np.stack([end.positions(users) for end in ends], axis=1)
    known = (links >= 0).all(axis=1)
    apart = np.unique(links[known & (links[:, 0] != links[:, 1])], axis=0)
    if not len(apart):
        first = f"{ends[0][0]} and {ends[1][0]}"
        raise DataError(
            f"{label}: none of its {len(links)} links joins two users with interactions; the first: {first}"
        )
    if len(apart) < len(links):
        strange, again = len(links) - known.sum(), known.sum() - len(apart)
        reasons = [f"{strange} are of users without interactions"] * bool(strange)
        reasons += [f"{again} come again or lead from a user to itself"] * bool(again)
        log.warning("%s: %d of %d links are left out: %s", label, strange + again, len(links), ", ".join(reasons))
    return apart


def _opened(path: Path, users: np.ndarray, separator: str | None, quotes: bool, encoding: str | None) -> TableFile:
    """Return the table, whose first line may be a link, too."""
    file = open_table(path, separator=separator, quotes=quotes, encoding=encoding)
    names = np.array([name.strip() for name in file.names[:2]], object)
    if file.separator is None or (lookup(names, users) < 0).all():
        return file
    return open_table(path, separator=separator, header=False, quotes=quotes, encoding=encoding)
