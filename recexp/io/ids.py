"""Maps original ids to codes."""

from dataclasses import dataclass

import numpy as np

from recexp import threads
from recexp.io.arrow import from_numpy, texts, to_numpy


@dataclass(frozen=True)
class Ids:
    """The ids of m rows, each distinct one kept once.

    Attributes
    ----------
    codes : int32 (m,), the position of each row's id in `known`.
    known : (n,) distinct ids, int64 or object of str, ascending.
    """

    codes: np.ndarray
    known: np.ndarray

    @staticmethod
    def of(ids: np.ndarray) -> "Ids":
        """Code ids, int64 (m,) or object (m,) of str."""
        return Ids(*encode(ids))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> int | str:
        found: int | str = self.known[self.codes[row]]
        return found

    @property
    def values(self) -> np.ndarray:
        """The id of each row, (m,)."""
        values: np.ndarray = self.known[self.codes]
        return values

    def positions(self, vocabulary: np.ndarray) -> np.ndarray:
        """Return int32 (m,): where each row's id is in `vocabulary`, -1 for those not in it; see `lookup`."""
        return lookup(self.known, vocabulary)[self.codes]


def encode(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int32 (m,) codes of `ids` (m,) and the distinct ids, ascending: a code is a position in them."""
    if ids.dtype != object and len(ids):
        low, high, limit = int(ids.min()), int(ids.max()), 2 * len(ids) + 2**16
        if low >= 0 and high < limit:
            return _encode_dense(ids, high + 1)
        if high - low < limit:
            codes, known = _encode_dense(ids - low, high - low + 1)
            return codes, known + low
    import pyarrow.compute as pc

    coded = from_numpy(ids).dictionary_encode()
    order = to_numpy(pc.sort_indices(coded.dictionary))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    codes = rank[to_numpy(coded.indices)]
    if ids.dtype == object:
        return codes, texts(coded.dictionary)[order]
    return codes, to_numpy(coded.dictionary)[order]


def _encode_dense(ids: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Code integers of 0..n-1 that fill much of this range: a table of it is several times faster than hashing."""
    used, codes = np.zeros(n, bool), np.empty(len(ids), np.int32)

    def mark(start: int, stop: int) -> None:
        used[ids[start:stop]] = True

    def code(start: int, stop: int) -> None:
        rank.take(ids[start:stop], out=codes[start:stop], mode="clip")  # without checks it needs no copy

    threads.map_rows(mark, len(ids))
    rank = np.cumsum(used, dtype=np.int32)
    rank -= 1
    threads.map_rows(code, len(ids))
    return codes, np.flatnonzero(used)


def lookup(ids: np.ndarray, vocabulary: np.ndarray) -> np.ndarray:
    """Return int32 (m,): the position in `vocabulary` (n,) of each of `ids` (m,), -1 for those not in it.

    Integers and text compare as text, since one file may hold only such ids of another as look like integers.
    """
    if vocabulary.dtype != object and ids.dtype != object and len(vocabulary):
        order = np.argsort(vocabulary, kind="stable")
        positions = order[np.minimum(np.searchsorted(vocabulary, ids, sorter=order), len(vocabulary) - 1)]
        return np.where(vocabulary[positions] == ids, positions, -1).astype(np.int32)
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted, among = from_numpy(ids), from_numpy(vocabulary)
    if wanted.type != among.type:
        wanted, among = wanted.cast(pa.string()), among.cast(pa.string())
    positions = pc.fill_null(pc.index_in(wanted, value_set=among), -1)
    return to_numpy(positions).astype(np.int32)
