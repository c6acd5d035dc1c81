"""Random: any item with the same chance."""

import numpy as np

from recexp.environments.base import Environment, Observation
from recexp.environments.luck import Luck
from recexp.params import params
from recexp.policies.base import Policy
from recexp.policies.slates import Choice


@params
class Random(Policy):
    """Draws lists uniformly from what the visitor was not shown earlier in the visit; what all others must beat."""

    def fit(self, environment: Environment, seed: int) -> None:
        self.slate_, self.n_items_ = environment.slate, environment.dataset().n_items

    def act(self, observation: Observation, candidates: np.ndarray, rng: Luck) -> tuple[np.ndarray, np.ndarray]:
        return Choice(epsilon=1.0).lists(self._equal(observation), observation, candidates, rng, self.slate_)

    def probabilities(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        return Choice(epsilon=1.0).first(self._equal(observation), observation, candidates)

    def _equal(self, observation: Observation) -> np.ndarray:
        return np.zeros((len(observation), self.n_items_), np.float32)
