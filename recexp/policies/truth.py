"""Truth: what a store would show that knew its visitors."""

import numpy as np

from recexp.environments.base import Environment, Observation
from recexp.environments.luck import Luck
from recexp.params import params
from recexp.policies.base import Policy
from recexp.policies.slates import Choice


@params
class Truth(Policy):
    """Shows the items of the highest expected reward, which it asks the environment for: the yardstick of regret.

    For one list it is the best there is. It does not look ahead: what a list does to later visits is not weighed.
    """

    upper_bound = True

    def fit(self, environment: Environment, seed: int) -> None:
        self.environment_, self.n_items_ = environment, environment.dataset().n_items

    def act(self, observation: Observation, candidates: np.ndarray, rng: Luck) -> tuple[np.ndarray, np.ndarray]:
        scores = self._scores(observation, candidates)
        return Choice().lists(scores, observation, candidates, rng, self.environment_.slate)

    def probabilities(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        return Choice().first(self._scores(observation, candidates), observation, candidates)

    def _scores(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(observation), self.n_items_), np.float32)
        scores[:, candidates] = self.environment_.truth(observation, candidates)
        return scores
