"""Original ids to codes."""

import numpy as np

from recexp.io.arrow import from_numpy, to_numpy


def encode(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int32 (m,) codes of `ids` (m,) and the distinct ids, ascending: a code is a position in them."""
    import pyarrow.compute as pc

    coded = from_numpy(ids).dictionary_encode()
    order = to_numpy(pc.sort_indices(coded.dictionary))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    codes = rank[to_numpy(coded.indices)]
    if ids.dtype == object:
        return codes, coded.dictionary.to_numpy(zero_copy_only=False)[order].astype(object)
    return codes, to_numpy(coded.dictionary)[order]


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
