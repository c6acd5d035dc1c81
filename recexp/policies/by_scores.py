"""Policies that rank by scores: all that is left to them is what the scores are."""

from abc import abstractmethod

import numpy as np

from recexp.environments.base import Observation
from recexp.environments.luck import Luck
from recexp.params import PositiveFloat, Share
from recexp.policies.base import Policy
from recexp.policies.slates import Choice


class ByScores(Policy):
    """Shows the items of the highest scores, and explores as `Choice` says.

    A subclass has the fields `epsilon` and `temperature`, implements `_scores`, and sets `slate_` in `fit`.
    """

    epsilon: Share
    temperature: PositiveFloat | None
    slate_: int

    @abstractmethod
    def _scores(self, observation: Observation) -> np.ndarray:
        """Return float (b, n_items), finite; higher is better."""

    def act(self, observation: Observation, candidates: np.ndarray, rng: Luck) -> tuple[np.ndarray, np.ndarray]:
        choice = Choice(self.epsilon, self.temperature)
        return choice.lists(self._scores(observation), observation, candidates, rng, self.slate_)

    def probabilities(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        choice = Choice(self.epsilon, self.temperature)
        return choice.first(self._scores(observation), observation, candidates)

    def _k(self, observation: Observation) -> int:
        """Return how many of the best items a list may be made of: those of a list, and what was shown before it."""
        return self.slate_ + observation.shown.shape[1]
