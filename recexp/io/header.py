"""Finds columns by name, else ignoring case, blanks and punctuation; ignored columns are logged."""

import difflib
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

from recexp.errors import DataError

log = logging.getLogger(__name__)

Role = Literal["user", "item", "rating", "quantity", "timestamp", "event", "session", "fold", "candidates"]

Columns = Mapping[Role, str | int | None]

COLUMNS: Mapping[Role, str] = {
    "user": "user_id",
    "item": "item_id",
    "rating": "rating",
    "timestamp": "timestamp",
    "event": "event",
    "session": "session_id",
    "fold": "fold",
    "candidates": "candidates",
}
"""Where each thing is looked for unless told otherwise; all but user and item may be absent under these names.

A quantity has no such name: a column is read as one where it is named.
"""

_NEAR = 0.85  # of difflib's ratio: "ratings" and "timestmp" are near enough, "stars" and "time" are not


def listed(names: Collection[str], most: int = 20) -> str:
    """Return names as text for a message; of many, only the first."""
    shown = ", ".join(list(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def find_column(names: Sequence[str], wanted: str, where: str) -> str | None:
    """Return the column called `wanted`, ignoring case, blanks and punctuation if none matches exactly; None if absent.

    Raises DataError, which begins with `where`, if several columns match.
    """
    if wanted in names:
        return wanted
    near = [name for name in names if letters(name) == letters(wanted)]
    if len(near) > 1:
        raise DataError(f"{where}: columns {' and '.join(map(repr, near))} may both be {wanted}; rename the right one")
    if near:
        log.info("%s: column %r is read as %s", where, near[0], wanted)
    return near[0] if near else None


def letters(name: str) -> str:
    """Return a column's name in lower case, without blanks and punctuation."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def find_columns(
    names: Sequence[str],
    columns: Columns,
    where: Path | str,
    others: Collection[str] = (),
    *,
    key: str = "set dataset.columns.{role}=...",
) -> dict[Role, str]:
    """Return the column of each role that `names`, a table's columns, have.

    Parameters
    ----------
    columns : what each column is called; None: the log has none.
    where : the file, for messages.
    others : columns that are read for something else.
    key : how a person says which column has a role.

    Raises
    ------
    DataError : a column that must be there is not: user, item and any that has not its default name; or there are
        both ratings and quantities.
    """
    every = {role: _find(names, where, role, wanted, key.format(role=role)) for role, wanted in columns.items()}
    found = {role: name for role, name in every.items() if name is not None}
    unread = [name for name in names if name not in (*found.values(), *others)]
    for role, wanted in columns.items():
        if role not in found and wanted is not None and wanted == COLUMNS.get(role):
            _tell_near_miss(unread, wanted, where, key.format(role=role))
    if {"rating", "quantity"} <= {*found}:
        raise DataError(
            f"{where}: {found['rating']!r} is read as rating and {found['quantity']!r} as quantity, but a row has one "
            "value; set columns.rating or columns.quantity to null"
        )
    if "rating" not in found and "quantity" not in found:
        beside = f"; ignored columns: {listed(unread)}" if unread else ""
        asked = columns.get("rating") is not None
        absent = f"there is no column {columns['rating']}" if asked else "no rating column is configured"
        level = logging.WARNING if asked and unread else logging.INFO
        log.log(level, "%s: %s; every row counts as 1%s", where, absent, beside)
    return found


def _find(names: Sequence[str], where: Path | str, role: Role, wanted: str | int | None, key: str) -> str | None:
    by_default = wanted is not None and wanted == COLUMNS.get(role)
    if wanted is not None:
        exact = str(wanted) if str(wanted) in names else None
        if found := find_column(names, COLUMNS[role], str(where)) if by_default else exact:
            return found
    if role not in ("user", "item") and (wanted is None or by_default):
        return None
    raise DataError(f"{where}: no {role} column {wanted!r}; its columns are {listed(names)} ({key})")


def _tell_near_miss(unread: Sequence[str], wanted: str, where: Path | str, key: str) -> None:
    """Warn of a column whose name is nearly that of one that was not found."""
    by_letters = {letters(name): name for name in unread}
    for near in difflib.get_close_matches(letters(wanted), by_letters, n=1, cutoff=_NEAR):
        said = "%s: column %r is ignored, but its name is close to %s (%s)"
        log.warning(said, where, by_letters[near], wanted, key)
