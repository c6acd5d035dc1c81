"""The beginning of a run's description: the headline, its values by user activity, and the lists of three users.

MLflow shows 100 pixels of a description and folds the rest behind "Show more". The overview is five lines of 20 pixels,
about 550 pixels wide: the room beside the run's details in a window of 1,280 pixels. MLflow removes all styles, so only
`&nbsp;` and `&emsp;` hold words together and apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from recexp.data import Split
from recexp.evidence.plots import by_activity
from recexp.metric_names import headlines, pretty
from recexp.ranking import PAD, Lists

if TYPE_CHECKING:
    from recexp.evidence.recommendations import PartResult

USERS, ITEMS = 3, 4
"""Lists that fit, and items of each."""
_LETTERS, _BLOCKS = 15, 5
"""Letters of a title that fit, and blocks of the longest bar."""


@dataclass(frozen=True)
class SampleList:
    """The best items recommended to one user: their titles, or ids, and whether each was held out."""

    user: int | str
    items: Sequence[tuple[str, bool]]


def overview(part: "PartResult", titles: np.ndarray | None) -> str:
    """Return one row of an HTML table: the headline with bars, then sample lists; empty where nobody has a list.

    Parameters
    ----------
    part : the final part of the run.
    titles : object (n_items,), empty where unknown; None: items are named by their ids.
    """
    lists = sample_lists(part.split, part.lists, part.results.hits, titles)
    if not lists:
        return ""
    bars = bar_lines([(row.group, row.value) for row in by_activity(part.results.slices)])
    first = [f"<b>{_unbroken(headline(part.metrics, part.intervals, part.name))}</b>", *bars]
    return f"<table><tr>{''.join(map(_cell, (first, *map(_lines, lists))))}</tr></table>"


def sample_lists(split: Split, lists: Lists, hits: np.ndarray, titles: np.ndarray | None) -> list[SampleList]:
    """Return the lists of three users with a history, evenly spaced among the queries.

    Parameters
    ----------
    lists : of the b queries of the split.
    hits : bool (b, k), which items were held out.
    titles : object (n_items,), empty where unknown; None: items are named by their ids.
    """
    queries, train = split.queries, split.train
    rows = np.flatnonzero((queries.users >= 0) & (queries.lengths > 0) & (lists.items[:, 0] != PAD))
    if not len(rows):
        return []
    chosen = np.unique(np.linspace(0, len(rows) - 1, 2 * USERS + 1).astype(int)[1::2])
    return [
        SampleList(
            train.user_ids[queries.users[row]],
            [
                ((titles is not None and titles[code]) or str(train.item_ids[code]), bool(hit))
                for code, hit in zip(lists.items[row, :ITEMS], hits[row, :ITEMS])
                if code != PAD
            ],
        )
        for row in rows[chosen]
    ]


def headline(metrics: Mapping[str, float], intervals: Mapping[str, tuple[float, float]], final: str) -> str:
    """Return the headline metric of a part, its value and the half-width of its interval."""
    name = next(iter(headlines(metrics, final)), None)
    if name is None:
        return ""
    low, high = intervals.get(name, (0.0, 0.0))
    return f"{pretty(name)} {metrics[name]:.4f}" + (f" ±{(high - low) / 2:.4f}" if name in intervals else "")


def bar_lines(rows: Sequence[tuple[str, float]]) -> list[str]:
    """Return a line per (label, value): the value, a bar of blocks and the label."""
    longest = max((value for _, value in rows), default=0.0)
    blocks = ["▇" * round(_BLOCKS * max(value, 0.0) / longest) if longest > 0 else "" for _, value in rows]
    return [_unbroken(f"{value:.3f} {bar} {label}") for (label, value), bar in zip(rows, blocks)]


def _lines(shown: SampleList) -> list[str]:
    """Return the lines of one list: whose it is, and its items, marked where they were held out."""
    items = (_unbroken(_short(f"{'✓ ' if hit else ''}{title}")) for title, hit in shown.items)
    return [f"<b>{_unbroken(_short(f'user {shown.user}'))}</b>", *items]


def _unbroken(words: str) -> str:
    """Return words as HTML that stays on one line and in which Markdown finds no signs of its own."""
    plain = escape(" ".join(words.split()))
    signs = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]~|:@"}
    return plain.translate({**signs, ord(" "): "&nbsp;", ord("-"): "&#8209;"})


def _short(words: str) -> str:
    """Return the beginning of words, as much as fits."""
    return words if len(words) <= _LETTERS else words[: _LETTERS - 1] + "…"


def _cell(lines: Sequence[str]) -> str:
    return f"<td>{'<br>'.join(f'{line}&emsp;' for line in lines)}</td>"
