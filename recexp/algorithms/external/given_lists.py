"""GivenLists: recommendations of another system, read from a file."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset, Queries
from recexp.data.id_codes import IdCodes
from recexp.data.overlap import overlap
from recexp.errors import DataError, IncompatibleError
from recexp.io import Ids, check_file, numbers, read_bytes
from recexp.io.header import find_column, listed
from recexp.io.id_cells import ids
from recexp.io.tables import open_table
from recexp.params import Location, params

NAMES = {"user": ("user_id", "user"), "item": ("item_id", "item"), "order": ("rank", "score")}
"""What the columns of a file may be called; of two that are there the first is read."""


@params
class GivenLists(Recommender):
    """score(u, i) = -(place of item i in the list that a file has for user u), -inf for items that are not in it.

    The file has one row per item of a list: columns user (or user_id) and item (or item_id), ids as in the data, and
    rank (1 is best) or score (higher is better). csv, tsv, parquet, json lines, also as .gz. Equal ranks or scores of a
    user are ties. Nothing is learned from train. A user without a list gets an empty list, so all held-out items of
    that user are misses; items that may not be recommended to a user are removed. Both are counted.

    The file's content is part of a run's identity, wherever the file lies. Lists should be as long as the largest
    cut-off. Time O(m log m) for m rows, memory O(m). Answers the users of the file. Learns `starts_` int64
    (n_users + 1,), `items_` int32 and `scores_` float32 (m,), the counts `unknown_`, and `zeros_`, of an id that lost
    its leading zeros. `fit` raises DataError where no row has a user and an item of train.

    Parameters
    ----------
    file : the lists.
    """

    file: Location | None

    capabilities = Capabilities(needs_history=False, reads_history=False, partial=True)

    def check(self) -> None:
        if self.file is None:
            raise IncompatibleError(
                "algorithm.file: is missing; evaluate the lists in FILE with algorithm=lists algorithm.file=FILE"
            )
        check_file(self._path, f"algorithm.file: {self.file}")

    def contents(self) -> dict[str, str]:
        if self.file is None:
            return {}
        about = self._path.stat() if self._path.is_file() else None
        return {"file": _sha256(self._path, about and (about.st_mtime_ns, about.st_size))}

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        users, items, scores = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0)
        self.unknown_, self.zeros_ = {"rows": 0, "users": 0, "items": 0}, ""
        if self.file is not None:
            user_ids, item_ids, scores = _read(self._path)
            users, items = user_ids.positions(train.user_ids), item_ids.positions(train.item_ids)
            known = np.flatnonzero((users >= 0) & (items >= 0))
            unknown_users, unknown_items = (
                len(np.unique(some.codes[at < 0])) for some, at in ((user_ids, users), (item_ids, items))
            )
            self.unknown_ = {"rows": len(users) - len(known), "users": unknown_users, "items": unknown_items}
            if len(known) < len(users):
                self.zeros_ = _lost_zeros(user_ids, train.user_ids) or _lost_zeros(item_ids, train.item_ids)
            if not len(known):
                first = f"the first has user {user_ids[0]} and item {item_ids[0]}"
                raise DataError(f"{self._path}: no row has a user and an item of the data; {self.zeros_ or first}")
            users, items, scores = users[known], items[known], scores[known]
        order = np.lexsort((-scores, users))
        users, scores = users[order], scores[order]
        self.starts_ = np.append(0, np.cumsum(np.bincount(users, minlength=train.n_users))).astype(np.int64)
        self.items_ = items[order].astype(np.int32)
        self.scores_ = -_places(users, scores)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        rows = self._lists(queries)
        scores = np.full(rows.shape, -np.inf, np.float32)
        scores[np.repeat(np.arange(len(queries)), np.diff(rows.indptr)), rows.indices] = rows.data
        return scores

    def remarks(self, queries: Queries) -> list[str]:
        name, unknown, rows = self._path.name, self.unknown_, self._lists(queries)
        without = int((np.diff(rows.indptr) == 0).sum())
        seen = 0 if queries.exclude is None else int(overlap(queries.exclude, rows).sum())
        lines = []
        if unknown["rows"]:
            lines.append(
                f"{name}: {unknown['rows']:,} rows are ignored: {unknown['users']:,} users and {unknown['items']:,} "
                f"items are not in the data{self.zeros_ and '; '}{self.zeros_}"
            )
        if without:
            lines.append(
                f"{name}: {without:,} of {len(queries):,} evaluated users have no list; without another model these "
                "count as misses"
            )
        if seen:
            lines.append(
                f"{name}: {seen:,} of {rows.nnz:,} listed items are removed, as they are in the users' histories; "
                "if these are many, the lists may be for another split"
            )
        return lines

    @property
    def _path(self) -> Path:
        return Path(self.file or "").expanduser()

    def _lists(self, queries: Queries) -> sp.csr_array:
        """Return the lists of the queries' users, float32 (b, n_items)."""
        known = queries.users >= 0
        begin, end = (np.where(known, ends[queries.users], 0) for ends in (self.starts_[:-1], self.starts_[1:]))
        lengths = end - begin
        indptr = np.append(0, np.cumsum(lengths))
        at = np.arange(indptr[-1]) + np.repeat(begin - indptr[:-1], lengths)
        return sp.csr_array((self.scores_[at], self.items_[at], indptr), shape=(len(queries), queries.n_items))


def _read(path: Path) -> tuple[Ids, Ids, np.ndarray]:
    """Return users, items and scores, float64 (m,), of the rows of a file. Raises DataError."""
    file = open_table(path, separator=None, of_data=False)
    user, item, order = (_column(file.names, role, path) for role in NAMES)
    table = file.read([user, item, order], whole=[user, item], real=[order])
    users, items = (ids(table[name], f"{path}: column {name}") for name in (user, item))
    scores = numbers(table[order], f"{path}: column {order}")
    if np.isnan(scores).any():
        raise DataError(f"{path}: column {order}: row {int(np.argmax(np.isnan(scores))) + 1} is empty")
    pairs = users.codes.astype(np.int64) * len(items.known) + items.codes
    first = np.unique(pairs, return_index=True)[1]
    if len(first) < len(pairs):
        row = int(np.setdiff1d(np.arange(len(pairs)), first)[0])
        raise DataError(f"{path}: row {row + 1}: item {items[row]} is listed twice for user {users[row]}")
    return users, items, scores if order == find_column(file.names, "score", str(path)) else -scores


def _lost_zeros(given: Ids, data: np.ndarray) -> str:
    """Return that an id of the file is one of the data but for leading zeros; empty where none is."""
    codes = IdCodes(data)
    for one in given.known.tolist():
        near = codes.near(one) if codes.code(one) < 0 else None
        if near is not None and str(near) != str(one):
            if str(near).endswith(str(one)):
                return f"{one} is not {near}: ids are text; did they lose their leading zeros?"
            if str(one).endswith(str(near)):
                return f"{one} is not {near}: did the ids of the data lose their leading zeros?"
    return ""


def _column(names: Sequence[str], role: str, path: Path) -> str:
    found = [name for wanted in NAMES[role] if (name := find_column(names, wanted, str(path))) is not None]
    if not found:
        what = "rank or score" if role == "order" else f"{role} or {role}_id"
        raise DataError(f"{path}: needs a column {what}; its columns are {listed(names)}")
    return found[0]


def _places(users: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return float32 (m,): the place, from 1, of each of sorted rows in its user's list; equal scores share one."""
    if not len(users):
        return np.empty(0, np.float32)
    begins = np.append(True, users[1:] != users[:-1])
    rises = np.cumsum(begins | np.append(True, scores[1:] != scores[:-1]))
    return (rises - rises[begins][np.cumsum(begins) - 1] + 1).astype(np.float32)


@lru_cache(maxsize=8)
def _sha256(path: Path, changed: tuple[int, int] | None) -> str:
    """Return the digest of a file; `changed`, its time and size, tells when it has to be made again."""
    return hashlib.sha256(read_bytes(path)).hexdigest()
