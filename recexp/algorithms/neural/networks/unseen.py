"""Items that users have not seen, drawn as whole tensors."""

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from recexp.errors import DataError


class Unseen:
    """Draws items uniformly from those that a user has no row with.

    Parameters
    ----------
    x : CSR (n_users, n_items) of what was seen, indices sorted.

    Attributes
    ----------
    users, items : int64 (m,): the seen pairs of users who have not seen all.
    """

    def __init__(self, x: sp.csr_array, generator: torch.Generator) -> None:
        self._n, self._generator = x.shape[1], generator
        users = np.repeat(np.arange(x.shape[0], dtype=np.int64), np.diff(x.indptr))
        keys = np.append(users * x.shape[1] + x.indices, np.iinfo(np.int64).max)
        self._seen = torch.from_numpy(keys).to(generator.device)
        some = (np.diff(x.indptr) < x.shape[1])[users]
        if not some.any():
            raise DataError("there is nothing to learn from: train's users have seen all items")
        self.users = torch.from_numpy(users[some]).to(generator.device)
        self.items = torch.from_numpy(x.indices[some].astype(np.int64)).to(generator.device)

    def draw(self, users: Tensor) -> Tensor:
        """Return int64 (b,): an unseen item for each user, (b,); no user may have seen all."""
        items = self._any(users)
        again = self._where_seen(users, items)
        while len(again):
            items[again] = self._any(users[again])
            again = again[self._where_seen(users[again], items[again])]
        return items

    def _any(self, users: Tensor) -> Tensor:
        return torch.randint(self._n, users.shape, generator=self._generator, device=users.device)

    def _where_seen(self, users: Tensor, items: Tensor) -> Tensor:
        keys = users * self._n + items
        return (self._seen[torch.searchsorted(self._seen, keys)] == keys).nonzero()[:, 0]
