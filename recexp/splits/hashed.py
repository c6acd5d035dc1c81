"""A random split by ids only, for data that grows or arrives in any order."""

import hashlib
from collections.abc import Iterator

import numpy as np

from recexp.data import Dataset, Split
from recexp.errors import EmptyPartError
from recexp.params import Fraction, OpenFraction, params
from recexp.splits.base import TEST, TRAIN, VALIDATION, Splitter, divide
from recexp.splits.sizes import check_ratios


@params
class HashedRows(Splitter):
    """A hash of seed, user id and item id assigns each row to a part; shares of all rows are approximate.

    Other random splits change when rows are reordered or users are added; here each row stays in its part. Rows of the
    same user and item are in the same part. A user without a row in train is not queried.

    With test_ratio=0.4, validation_ratio=0.2, seed=1::

        time  1  2  3  4  5  6  7    |   1   2   3   4   5   6   7
        anna  p  q  r  s  t  .  .    |  [p]  q  [r] [s]  t   .   .
        ben   .  p  q  .  s  r  .    |   .  [p] [q]  .  [s]  r   .
        carl  .  .  .  .  .  p  t    |   .   .   .   .   .  (p)  t

    h(id) is BLAKE2b (RFC 7693) of the id's text with a digest of 8 bytes, read as a little-endian number, and the key
    "SEED user" or "SEED item": 7 counts as "7". A row's number is s(h(user) xor s(h(item))) / 2^64, s the output
    function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, figure 5): below `test_ratio` it is test, below
    `test_ratio` + `validation_ratio` validation.

    Parameters
    ----------
    test_ratio, validation_ratio : expected shares of all rows; 0 means no validation.
    """

    time = "mixed"

    test_ratio: OpenFraction
    validation_ratio: Fraction

    def __post_init__(self) -> None:
        check_ratios(self.test_ratio, self.validation_ratio)

    def split(self, dataset: Dataset) -> Iterator[Split]:
        rows = dataset.interactions
        users, items = self._hashes(dataset.user_ids, "user"), self._hashes(dataset.item_ids, "item")
        numbers = _mixed(users[rows.users] ^ _mixed(items)[rows.items]) * 2.0**-64
        labels = np.full(len(rows), TRAIN, np.int8)
        labels[numbers < self.test_ratio + self.validation_ratio] = VALIDATION
        labels[numbers < self.test_ratio] = TEST
        if self.validation_ratio and not (labels == VALIDATION).any():
            raise EmptyPartError(
                f"split.validation_ratio: {self.validation_ratio} of {len(rows)} rows leaves none for validation"
            )
        yield divide(dataset, labels, exclude_seen=self.exclude_seen)

    def _hashes(self, ids: np.ndarray, side: str) -> np.ndarray:
        """Return uint64 (n,): a hash of each id."""
        start = hashlib.blake2b(digest_size=8, key=f"{self.seed} {side}".encode())

        def hashed(text: str) -> bytes:
            hash_ = start.copy()
            hash_.update(text.encode("utf-8", "surrogatepass"))
            return hash_.digest()

        return np.frombuffer(b"".join(hashed(str(one)) for one in ids.tolist()), "<u8")


def _mixed(x: np.ndarray) -> np.ndarray:
    """Return SplitMix64's output function of uint64 (n,)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
