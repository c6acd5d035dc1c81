"""SavedModel: lists by a model that was fitted and saved before, without its training data."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from recexp import checksums
from recexp.data import Dataset
from recexp.data.id_codes import IdCodes
from recexp.environments.base import Environment, Observation
from recexp.errors import ConfigError
from recexp.models.fitted import FittedModel
from recexp.params import Location, PositiveFloat, Share, params
from recexp.policies.by_scores import ByScores
from recexp.policies.scores import scores

log = logging.getLogger(__name__)


@params
class SavedModel(ByScores):
    """Shows the items of the highest scores of a saved model, and explores as `GreedyOver` does.

    The model must know users and items by the ids of the environment's dataset; it is not fitted again. What is in the
    model's folder is part of a run's identity, wherever it lies.

    Parameters
    ----------
    path : the folder of the model, as `FittedModel.save` writes it.
    epsilon, temperature, demote_seen : see `GreedyOver`.
    """

    path: Location
    epsilon: Share
    temperature: PositiveFloat | None
    demote_seen: bool

    def contents(self) -> dict[str, str]:
        """Return the digest of the model's header, which has those of all its arrays."""
        return {"path": checksums.sha256(self._header)} if self._header.is_file() else {}

    def check(self) -> None:
        if not self._header.is_file():
            raise ConfigError(f"policy.path: {self.path}: there is no saved model; it would have a file model.json")

    def fit(self, environment: Environment, seed: int) -> None:
        data, self.slate_ = environment.dataset(), environment.slate
        self.model_ = FittedModel.load(Path(self.path).expanduser())
        self.users_ = IdCodes(self.model_.user_ids).codes(data.user_ids)
        self.items_ = IdCodes(self.model_.item_ids).codes(data.item_ids)
        if (known := (self.items_ >= 0).sum()) < self.slate_:
            raise ConfigError(f"policy.path: {self.path} knows {known} of the environment's items by their ids")
        self._warn_of_strangers(data)

    def _warn_of_strangers(self, data: Dataset) -> None:
        """Warn where the histories that the model learned from are not those of the environment's visitors."""
        of_model, rows = self.model_.histories, data.interactions
        users, items = (
            IdCodes(theirs).codes(ours)
            for theirs, ours in ((data.user_ids, self.model_.user_ids), (data.item_ids, self.model_.item_ids))
        )
        users, items = users[of_model.users].astype(np.int64), items[of_model.items]
        known = (users >= 0) & (items >= 0)
        shared = np.isin((users * rows.n_items + items)[known], rows.users.astype(np.int64) * rows.n_items + rows.items)
        if 2 * shared.sum() < len(of_model):
            log.warning(
                "policy.path: %d of the %d rows that %s learned from are in the log of %s: it is a model of other "
                "people, whose ids mean others here",
                *(shared.sum(), len(of_model), self.path, data.name),
            )

    def _scores(self, observation: Observation) -> np.ndarray:
        """Return float32 (b, n_items), with the model's ids; items that it does not know come last."""
        users, items = self.users_.astype(np.int32), np.append(self.items_, -1).astype(np.int32)
        asked = replace(observation, visitors=users[observation.visitors], history=items[observation.history])
        found = scores(self.model_, asked, k=self._k(observation), demote_seen=self.demote_seen)
        given = np.append(found, found.min(axis=1, keepdims=True) - 1, axis=1)
        return given[:, self.items_]

    @property
    def _header(self) -> Path:
        return Path(self.path).expanduser() / "model.json"
