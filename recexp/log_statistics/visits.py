"""What people click in a visit, and how fast."""

import numpy as np

from recexp.data import Interactions
from recexp.data.ordering import distinct
from recexp.log_statistics.times import seconds


def visit_codes(rows: Interactions) -> np.ndarray:
    """Return a number for each row, int64 (m,), the same for rows of one user and session; needs sessions."""
    if rows.sessions is None:
        raise ValueError("visits need sessions")
    return rows.users.astype(np.int64) * 2**32 + rows.sessions


def visits(views: Interactions) -> dict[str, float]:
    """Return the clicks of a visit, how many repeat, and seconds, over visits of two clicks or more.

    clicks_mean, clicks_median, clicks_p90, clicks_p99 : clicks a visit.
    repeats, repeats_last : share of a visit's clicks on an item that was clicked before in it, or just before; the mean
        over visits.
    gap_median, gap_p90 : seconds between clicks; length_median : from a visit's first to its last. Where times are.
    """
    _, codes, lengths = np.unique(visit_codes(views), return_inverse=True, return_counts=True)
    several = lengths[codes] > 1
    if not several.any():
        return {}
    rows = views.take(several)
    _, codes, lengths = np.unique(codes[several], return_inverse=True, return_counts=True)
    order, begin = rows.grouped(codes, len(lengths))
    items, codes = rows.items[order], codes[order]
    first = np.zeros(len(order), bool)
    first[begin[:-1]] = True
    seen = np.ones(len(order), bool)
    seen[np.unique(codes * rows.n_items + items, return_index=True)[1]] = False
    last = ~first & (np.diff(items, prepend=-1) == 0)
    found = {"clicks_mean": float(lengths.mean())}
    for name, level in (("median", 0.5), ("p90", 0.9), ("p99", 0.99)):
        found[f"clicks_{name}"] = float(np.quantile(lengths, level))
    for name, repeats in (("repeats", seen), ("repeats_last", last)):
        found[name] = float((np.bincount(codes, repeats) / lengths).mean())
    when = seconds(rows)
    if when is not None:
        times = when[order]
        gaps = np.diff(times)[~first[1:]]
        found["gap_median"], found["gap_p90"] = (float(np.quantile(gaps, level)) for level in (0.5, 0.9))
        found["length_median"] = float(np.median(times[begin[1:] - 1] - times[begin[:-1]]))
    return found


def share_with(views: Interactions, purchases: Interactions) -> float:
    """Return the share of visits, those with a view or a purchase, that have a purchase."""
    seen, bought = (distinct(visit_codes(rows)) for rows in (views, purchases))
    return len(bought) / len(distinct(np.append(seen, bought)))
