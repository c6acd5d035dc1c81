"""Models that recommend by the last item alone, and the counts that they learn."""

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms.foresight import SCATTERED, foresee
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.sparse_products import compact
from recexp.data import Interactions, Queries
from recexp.data.ordering import by_code, row_numbers


class LastItem(ItemItem):
    """score(u, j) = W_ij, where i is the last item of u's history."""

    def matrix(self, source: Interactions | Queries) -> sp.csr_array:
        """Return the last items of histories as ones, float32 CSR (b, n_items); of training rows, all."""
        if isinstance(source, Interactions):
            return super().matrix(source)
        asked = np.flatnonzero(source.lengths > 0)
        indptr = np.append(0, np.cumsum(source.lengths > 0))
        items = source.log.items[source.stop[asked] - 1]
        return sp.csr_array((np.ones(len(asked), np.float32), items, indptr), shape=(len(source), source.n_items))


def nearby(rows: Interactions, begin: np.ndarray, weights: np.ndarray, *, both: bool, k: int | None) -> sp.csr_array:
    """Return N as float64 CSR (n_items, n_items): N_ij sums weights[d - 1] over rows of j that are d behind one of i.

    `rows` come session by session, each beginning where `begin`, int (n_sessions + 1,), says; rows of two sessions are
    not near each other. With `both`, rows before count as well. The k largest of each row are kept (None: all), among
    equals the lower codes.
    """
    from recexp.algorithms.kernels.successors import near

    n, steps, lengths = rows.n_items, len(weights), np.diff(begin)
    m = len(rows)
    session = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    place = np.arange(m) - np.repeat(begin[:-1], lengths)
    reach = np.minimum(steps, np.repeat(lengths, lengths) - 1 - place)
    reach += np.minimum(steps, place) if both else 0
    pairs = np.bincount(rows.items, reach, minlength=n)
    room = np.minimum(pairs, n if k is None else min(k, n)).astype(np.int64)
    slots = np.append(0, np.cumsum(room))
    foresee("counts of what is near", f"{m:,} rows", memory=12.0 * slots[-1], operations=SCATTERED * float(pairs.sum()))
    places, of_item = by_code(row_numbers(rows.items), rows.items, n)
    found, values, sizes = np.empty(slots[-1], np.int32), np.empty(slots[-1]), np.zeros(n, np.int64)
    given = of_item, places, rows.items, session, begin, weights, both, np.arange(n, dtype=np.int32)
    threads.map_rows(lambda start, stop: near(start, stop, *given, slots, found, values, sizes), n)
    kept = np.arange(slots[-1]) < np.repeat(slots[:-1] + sizes, room)
    indptr = np.append(0, np.cumsum(sizes))
    matrix = compact(sp.csr_array((values[kept], found[kept], indptr), shape=(n, n)))
    matrix.sort_indices()
    return matrix
