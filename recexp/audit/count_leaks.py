"""Does a column tell how many test rows a user or an item has?"""

from collections.abc import Mapping

import numpy as np

from recexp.audit.report import Claim

MIXED = 0.1
"""Share of what train leaves open about test counts that no honest column tells where times are mixed: what is open is
little but the chance of the split."""
LATER = 0.25
"""The same where the test is later, or nothing is known: an honest column, such as age, may tell what was to come."""
CLEAR = 25.0
"""Times the mean of what a shuffled column tells, 1 / degrees of freedom: by chance less than once in a million."""
ALIKE = 20
"""So many users or items, at least, whose train counts are neighbors, are looked at together."""
FREE = 0.5
"""Least variance of test counts over their mean (1 by chance): below, the rule of the split sets them."""


def telling_columns(
    columns: Mapping[str, np.ndarray], train: np.ndarray, test: np.ndarray, n: int, claim: Claim
) -> dict[str, float]:
    """Return the columns, (n,) by name, that tell test counts beyond what train counts do, and how much they tell.

    `train` and `test` are the codes of the rows. The column, as it is and by rank, is compared with the number of test
    rows, both less what follows from that of train rows: the squared partial correlation. It is large for a count of
    test rows alone, for whether there are any, and for a count of all in steps or with noise. Of counts roots are
    taken, so that chance is alike for all; users or items that train does not know are left out.
    """
    known, asked = (np.bincount(codes, minlength=n).astype(float) for codes in (train, test))
    limit, found = MIXED if claim == "mixed" else LATER, {}
    for name, values in columns.items():
        used = np.isfinite(values) & (known > 0)
        if used.sum() < ALIKE:
            continue
        column, counts, rest = values[used].astype(float), asked[used], _Rest(np.sqrt(known[used]))
        if not counts.any() or np.sum(rest(counts) ** 2) < FREE * counts.sum():
            continue
        ranks = np.unique(column, return_inverse=True)[1].astype(float)
        left = rest(np.sqrt(counts + 3 / 8))  # Anscombe, 1948
        correlation = max(_shared(rest(view), left) for view in (column, ranks))
        if correlation > max(limit, CLEAR / rest.freedom):
            found[name] = correlation
    return found


class _Rest:
    """What is left of values when a line for each group of neighboring `known` is taken off."""

    def __init__(self, known: np.ndarray) -> None:
        self.groups = _alike(known)
        self.x = self._centered(known)
        self.freedom = max(1, len(known) - 2 * (self.groups.max() + 1))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        y = self._centered(values)
        slopes = np.bincount(self.groups, self.x * y) / np.maximum(np.bincount(self.groups, self.x**2), 1e-12)
        return y - slopes[self.groups] * self.x

    def _centered(self, values: np.ndarray) -> np.ndarray:
        return values - (np.bincount(self.groups, values) / np.bincount(self.groups))[self.groups]


def _alike(known: np.ndarray) -> np.ndarray:
    """Return the group of each, int (m,): `ALIKE` or more of neighboring counts, equal ones together."""
    values, index, sizes = np.unique(known, return_inverse=True, return_counts=True)
    groups, group, size = np.empty(len(values), int), 0, 0
    for value, more in enumerate(sizes.tolist()):
        if size >= ALIKE:
            group, size = group + 1, 0
        groups[value], size = group, size + more
    return groups[index]


def _shared(a: np.ndarray, b: np.ndarray) -> float:
    spread = (a @ a) * (b @ b)
    return float((a @ b) ** 2 / spread) if spread > 0 else 0.0
