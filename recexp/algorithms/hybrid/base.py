"""Base of hybrids: fits the parts, queries each only for what it can answer, and makes scores comparable."""

import copy
import logging
from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import field_validator

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.hybrid.scales import Scale, scaled
from recexp.data import Dataset, Interactions, Queries, Split
from recexp.errors import DataError, IncompatibleError, RecexpError, StoreError
from recexp.params import params

log = logging.getLogger(__name__)


@params
class Hybrid(Recommender):
    """Base of the hybrids, made of any algorithms, hybrids too. It reads, needs and answers what its parts do.

    A part answers the queries that it would answer alone: none without history if it needs one, none of users outside
    train if it knows users only. Those it does not answer are left to the other parts; a query that none answers gets
    the run's fallback. Every part draws from an independent random stream, whatever the others do.

    Learns `models_`, the fitted parts by name, and `trained_`, bool (n_users,), who had rows in train.

    Parameters
    ----------
    parts : the algorithms by name, in order.
    scale : how a part's scores of a query are made comparable. none: as they are. rank: 0 for the lowest to 1 for the
        highest, equal ones share their mean. zscore: mean 0, standard deviation 1. minmax: 0 to 1. Each is over all
        items, those that the query has seen and those outside the catalogue too: a score depends on the history alone.
    on_failure : of a part that cannot be fitted. error: nor can the hybrid. skip: a warning, and the others do it.
    """

    parts: dict[str, Recommender]
    scale: Scale
    on_failure: Literal["error", "skip"]

    @field_validator("parts")
    @classmethod
    def _not_empty(cls, parts: dict[str, Recommender]) -> dict[str, Recommender]:
        if not parts:
            raise ValueError("a hybrid needs at least one part; add one with +algorithm@algorithm.parts.NAME=ease")
        return parts

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """The combined capabilities of the parts.

        A history is needed if no part answers without one; if some parts need known users and others a history, the
        hybrid needs a history. Data must have what any part needs or, if failing parts are skipped, what all need.
        """
        asked = [part.capabilities for part in vars(self).get("models_", self.parts).values()]
        needs = [part.capabilities.needs for part in self.parts.values()]
        alone = all(part.known_users_only for part in asked)
        return Capabilities(
            feedback="value" if any(part.feedback == "value" for part in asked) else "binary",
            needs_history=all(part.needs_history or (part.known_users_only and not alone) for part in asked),
            reads_history=any(part.reads_history for part in asked),
            known_users_only=alone,
            needs=frozenset.intersection(*needs) if self.on_failure == "skip" else frozenset.union(*needs),
            predicts=any(part.predicts for part in asked),
            users_by_features=any(part.users_by_features for part in asked),
        )

    def check(self) -> None:
        for part in self.parts.values():
            part.check()

    def check_device(self, device: str) -> None:
        for part in self.parts.values():
            part.check_device(device)

    def check_split(self, split: Split) -> None:
        for model in self.models_.values():
            model.check_split(split)

    def remarks(self, queries: Queries) -> list[str]:
        return [said for model in self.models_.values() for said in model.remarks(queries)]

    def fit_parts(self, train: Dataset, context: FitContext) -> None:
        """Fit each part on `train`; one fitted before keeps its `fitted_params_`.

        Raises the error of a part that fails, its key that of the part; with `on_failure` skip a DataError when all do.
        """
        self.trained_ = train.interactions.known_users
        before, models, failures = vars(self).get("models_", {}), {}, []
        for (name, part), rng in zip(self.parts.items(), context.rng.spawn(len(self.parts))):
            model = before[name] if name in before else copy.deepcopy(part)
            try:
                if missing := model.missing_requirements(train):
                    raise IncompatibleError(missing)
                models[name] = model.fit(train, context.of_part(name, rng))
            except StoreError:
                raise  # the run's own trouble, met in `log_step`
            except Exception as error:
                if isinstance(error, RecexpError):
                    error.args = (_with_key(str(error), name),)
                if self.on_failure == "error":
                    raise
                failures.append(str(error))
                log.warning("part skipped: %s: %s", type(error).__name__, error)
        if not models:
            raise DataError("algorithm.parts: none could be fitted: " + "; ".join(failures))
        self.models_ = models

    def part_can_answer(self, name: str, queries: Queries) -> np.ndarray:
        """Return bool (b,): which queries the part can answer."""
        return self.models_[name].can_answer(queries, self.trained_)

    def scaled(self, name: str, queries: Queries) -> np.ndarray:
        """Return the part's scores under `scale`, float32 (b, n_items); do not modify them."""
        return scaled(self.models_[name].score(queries), self.scale)

    def rated(self, name: str, rows: Interactions, history: Queries) -> np.ndarray:
        """Return the part's predictions, float32 (m,)."""
        return self.models_[name].predict(rows, history)

    def shares(self, weights: Mapping[str, float], queries: Queries) -> dict[str, np.ndarray]:
        """Return each part's share in the answer of each query, float64 (b,): of those that can answer it, by weight.

        Where only parts of weight 0 can answer a query they share equally; all are 0 where none can.
        """
        answering = np.array([self.part_can_answer(name, queries) for name in weights])
        found = answering * np.array([*weights.values()])[:, None]
        found = np.where(found.any(axis=0), found, answering)
        return dict(zip(weights, found / np.maximum(found.sum(axis=0), np.finfo(float).tiny)))

    def blended(self, weights: Mapping[str, float], queries: Queries) -> np.ndarray:
        """Return the mean of the parts' scaled scores by their `shares`, float32 (b, n_items); 0 where all are 0."""
        scores = np.zeros((len(queries), queries.n_items), np.float32)
        for name, share in self.shares(weights, queries).items():
            if len(at := np.flatnonzero(share)):
                scores[at] += self.scaled(name, take_queries(queries, at)) * share[at, None].astype(np.float32)
        return scores

    def blended_ratings(self, weights: Mapping[str, float], rows: Interactions, history: Queries) -> np.ndarray:
        """Return the mean of the predictions, float32 (m,), of all predicting parts where none can answer."""
        able = {name: weights[name] for name, model in self.models_.items() if model.capabilities.predicts}
        if not able:
            return super().predict(rows, history)
        shares, ratings = self.shares(able, history), np.zeros(len(rows))
        nobody = sum(shares.values()) == 0
        for name, share in shares.items():
            share[nobody] = 1 / len(shares)
            if len(at := np.flatnonzero(share)):
                ratings[at] += share[at] * self.rated(name, rows.take(at), take_queries(history, at))
        return ratings.astype(np.float32)

    def chosen_ratings(self, chosen: np.ndarray, rows: Interactions, history: Queries) -> np.ndarray:
        """Return the predictions, float32 (m,), each by the part whose index in `models_` is given, int (m,)."""
        ratings = np.empty(len(rows), np.float32)
        for index, name in enumerate(self.models_):
            if len(at := np.flatnonzero(chosen == index)):
                ratings[at] = self.rated(name, rows.take(at), take_queries(history, at))
        return ratings


def take_queries(queries: Queries, index: np.ndarray) -> Queries:
    """Return the queries at the given positions, int (a,) in order; returns `queries` itself if all are selected."""
    return queries if len(index) == len(queries) else queries.take(index)


def allowed(queries: Queries) -> np.ndarray:
    """Return bool (b, n_items): the items that each query allows in its list."""
    may = np.full((len(queries), queries.n_items), queries.candidates is None)
    for matrix, value in ((queries.candidates, True), (queries.exclude, False)):
        if matrix is not None:
            may[np.repeat(np.arange(len(may)), np.diff(matrix.indptr)), matrix.indices] = value
    return may


def _with_key(message: str, name: str) -> str:
    """Return a part's error message with the part's full key: algorithm.l2 becomes algorithm.parts.cf.l2."""
    if message.startswith("algorithm."):
        return f"algorithm.parts.{name}.{message.removeprefix('algorithm.')}"
    return f"algorithm.parts.{name}: {message}"
