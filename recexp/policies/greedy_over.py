"""GreedyOver: lists by the scores of a fitted algorithm, with some exploration."""

import copy

import numpy as np

from recexp.algorithms.base import Recommender
from recexp.algorithms.fit_context import FitContext
from recexp.environments.base import Environment, Observation
from recexp.errors import IncompatibleError
from recexp.models.fitted import FittedModel
from recexp.params import PositiveFloat, Share, params
from recexp.policies.by_scores import ByScores
from recexp.policies.scores import scores
from recexp.ranking import Ranking
from recexp.rng import generator

BLOCK_MIB = 32
"""Memory that a block of scores may take where the model is used outside simulations."""


@params
class GreedyOver(ByScores):
    """Shows the items of the highest scores of an algorithm that learned from the store's log, and explores.

    With `epsilon` a place has a uniformly drawn item, else the best; with a `temperature` T it is drawn in proportion
    to exp(z / T), z being the visitor's scores of mean 0 and standard deviation 1 (see `Choice`). Both may be given. It
    is the logging policy, too: every list comes with its propensities. Learns `model_`, a `FittedModel`.

    Parameters
    ----------
    algorithm : any.
    fallback : answers for visitors for whom the algorithm cannot, those without history or unknown.
    epsilon : share of places that are drawn uniformly, from 0 to 1.
    temperature : of the softmax, or None: the best.
    demote_seen : what the visitor clicked last comes after all else.
    """

    algorithm: Recommender
    fallback: Recommender
    epsilon: Share
    temperature: PositiveFloat | None
    demote_seen: bool

    def check(self) -> None:
        for one in (self.algorithm, self.fallback):
            one.check()
            one.check_device(FitContext().device)

    def fit(self, environment: Environment, seed: int) -> None:
        self.check()  # in tunings it is another policy than the one that the runner has checked
        train, self.slate_ = environment.dataset(), environment.slate
        for role, one in (("algorithm", self.algorithm), ("fallback", self.fallback)):
            if missing := one.missing_requirements(train):
                raise IncompatibleError(f"policy.{role}: {missing}")
        algorithm, fallback = (
            copy.deepcopy(one).fit(train, FitContext(rng=generator(seed, stream)))
            for one, stream in ((self.algorithm, "fit"), (self.fallback, "fallback"))
        )
        ranking = Ranking.draw(train.n_items, None, rng=generator(seed, "ties"))
        self.model_ = FittedModel.of(
            algorithm, fallback, ranking, train, exclude_seen=self.demote_seen, block_mib=BLOCK_MIB
        )

    def _scores(self, observation: Observation) -> np.ndarray:
        return scores(self.model_, observation, k=self._k(observation), demote_seen=self.demote_seen)
