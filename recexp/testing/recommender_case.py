"""An algorithm, and what it is tried on."""

import copy
import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recexp.algorithms import Recommender
from recexp.algorithms.baselines.popularity import Popularity
from recexp.data import Dataset, Queries
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking


@dataclass(frozen=True)
class Case:
    """An algorithm, and what it is tried on."""

    unfitted: Recommender
    data: Dataset

    @cached_property
    def queries(self) -> Queries:
        """One query for each user with a history."""
        rows = self.data.interactions
        return Queries.of_users(np.unique(rows.users), rows, exclude_seen=True)

    @cached_property
    def ranking(self) -> Ranking:
        return Ranking.draw(self.data.n_items, None, rng=np.random.default_rng(1))

    def fresh(self) -> Recommender:
        """Return an unfitted copy of the algorithm."""
        fields = {field.name: getattr(self.unfitted, field.name) for field in dataclasses.fields(self.unfitted)}
        return type(self.unfitted)(**copy.deepcopy(fields))

    @cached_property
    def model(self) -> Recommender:
        """The algorithm fitted on the data; checks must not change it."""
        return self.fresh().fit(self.data)

    @cached_property
    def scores(self) -> np.ndarray:
        return self.model.score(self.queries)

    def wrapped(self) -> FittedModel:
        popularity = Popularity(half_life_days=None).fit(self.data)
        return FittedModel.of(self.model, popularity, self.ranking, self.data, exclude_seen=True, block_mib=1)
