"""Transfer: infers the factors of new items from other data."""

import copy
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from recexp import checksums
from recexp.algorithms.cold_start.new_items import NewItems
from recexp.algorithms.cold_start.ridge import centered
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset
from recexp.errors import DataError, IncompatibleError
from recexp.io import check_file, code_log, lookup, read_log
from recexp.io.header import Role
from recexp.params import Location, PositiveFloat, params

log = logging.getLogger(__name__)


@params
class Transfer(NewItems):
    """score(u, i) = w_u . h_i, with h_i = mean + (s_i - mean of s) W for new items that are also in the source.

    The base is fitted twice, on train and on the rows of the source; s are the vectors of the source's items. W
    minimizes, over the items that both have and that are not new in train,

        sum of |h_i - mean - (s_i - mean of s) W|^2 + l2 |W|^2

    a linear map between two domains by what they share (Man et al., IJCAI 2017, "Cross-domain recommendation: an
    embedding and mapping approach", whose maps are of users; here of items). The means are over these items. Items are
    the same where their ids are written alike. New items that the source does not have are at the mean of the others.

    The source is a file of a row for each user and item (columns user_id, item_id, and rating if train has ratings), as
    `recexp export-split` writes it. Its content is part of a run's identity, wherever it lies.

    Time and memory: those of the base, twice. Learns what `NewItems` does.

    Parameters
    ----------
    base, below : see `NewItems`.
    source : the file; a run with None fails.
    l2 : weight of the squared norm of W.
    """

    source: Location | None
    l2: PositiveFloat

    def check(self) -> None:
        super().check()
        if self.source is None:
            raise IncompatibleError(
                "algorithm.source: is missing; name a file of other data with the same items: algorithm.source=FILE"
            )
        check_file(self._path, f"algorithm.source: {self.source}")

    def contents(self) -> dict[str, str]:
        return {"source": checksums.sha256(self._path)} if self.source and self._path.is_file() else {}

    def suggested(self, train: Dataset, vectors: np.ndarray, known: np.ndarray, context: FitContext) -> np.ndarray:
        mean = np.broadcast_to(vectors[known].mean(axis=0), (int((~known).sum()), vectors.shape[1]))
        if self.source is None:
            return mean
        source = self._rows(explicit=train.interactions.explicit)
        if train.interactions.explicit and not source.interactions.explicit:
            raise DataError(
                f"algorithm.source: {self.source} has no column of ratings, and {train.name} has; add one "
                "called rating, or do without ratings: filter=all_positive"
            )
        (rng,) = context.rng.spawn(1)
        alone = replace(context.of_part("source", rng), validate=None, catalogue=None)  # both are of train's items
        theirs = copy.deepcopy(self.base_).fit(source, alone).item_vectors()
        place = lookup(train.item_ids, source.item_ids)
        shared = known & (place >= 0)
        if not shared.any():
            few = [", ".join(map(str, ids[:3])) for ids in (source.item_ids, train.item_ids)]
            raise DataError(
                f"algorithm.source: {self.source} shares no item id with {train.name}: the first are {few[0]} "
                f"and {few[1]}"
            )
        found = (place >= 0)[~known]
        log.info(
            "transfer: %d items are shared, %d of %d new items are in the source",
            *(shared.sum(), found.sum(), len(found)),
        )
        origin, here = theirs[place[shared]].mean(axis=0), vectors[shared].mean(axis=0)
        weights = centered(theirs[place[shared]] - origin, vectors[shared] - here, self.l2)
        suggested = mean.copy()
        suggested[found] = here + (theirs[place[~known][found]] - origin) @ weights
        return suggested

    def _rows(self, *, explicit: bool) -> Dataset:
        """Return the source's rows, each counted as one unless they are `explicit` ratings."""
        columns: dict[Role, str | int | None] = {"timestamp": None, "event": None, "session": None}
        columns |= {} if explicit else {"rating": None}
        raw = read_log(self._path, columns=columns, separator=None, time_format=None, format="auto")
        coded = code_log(raw, explicit=explicit)
        return Dataset(self._path.name, coded.interactions, coded.user_ids, coded.item_ids)

    @property
    def _path(self) -> Path:
        return Path(self.source or "").expanduser()
