"""HybridFeatures: a collaborative model that also learns from features of items and users."""

import copy
from dataclasses import replace
from typing import Self

import numpy as np
from pydantic import ValidationInfo, field_validator

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.hybrid.base import Hybrid
from recexp.algorithms.hybrid.feature_interactions import augmented, categories, copies, widened
from recexp.algorithms.hybrid.scales import scaled
from recexp.algorithms.ratings import unique_queries
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import IncompatibleError
from recexp.params import Size, params


@params
class HybridFeatures(Hybrid):
    """score(u, i) = the part's score of item i for a history to which u's features were added.

    The feature combination of Burke (UMUAI 2002, section 3.4): each category of an item is a pseudo-user who has all
    items of it, each category of a user a pseudo-item that all users of it have, and the part, any collaborative model,
    learns from

        [ X             w_u U ]   X (n_users, n_items) interactions, U (n_users, g) categories of users,
        [ w_i T^T             ]   T (n_items, f) categories of items, w equal rows or columns for each of them.

    With EASE and item features this is collective EASE of Jeunen, Van Balen and Goethals (RecSys 2020):
    w_i rows of T^T are T^T weighed by sqrt(w_i), for any model of squared errors. Pseudo-rows are older than all others
    and have the mean value of train, so that ratings stay what they are. Only the scores of real items come out.

    Serves whom the part serves, and with user features users without history; where neither is known, items are ranked
    by popularity. Items without interactions are scored by their features, mostly behind those that have some: lists
    of new items are the business of `HybridSwitching`. Several parts are averaged. The part is shown no sessions,
    events and context.

    Time and memory: those of the part on the larger matrix. Learns `user_features_` as float32 CSR (n_users, g),
    `value_` and `counts_`, float32 (n_items,), besides the parts.

    Parameters
    ----------
    parts, scale, on_failure : see `Hybrid`.
    item_columns, user_columns : category columns to use. None: all. Empty: none.
    item_weight, user_weight : number of pseudo-users per item category, and of pseudo-items per user category.
    """

    item_columns: list[str] | None
    user_columns: list[str] | None
    item_weight: Size
    user_weight: Size

    @field_validator("user_columns")
    @classmethod
    def _some_features(cls, user_columns: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if user_columns == [] and info.data.get("item_columns") == []:
            raise ValueError("item_columns and user_columns cannot both be empty")
        return user_columns

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        parts, features = super().capabilities, vars(self).get("user_features_")
        sides = (("item", self.item_columns, self.user_columns), ("user", self.user_columns, self.item_columns))
        own = {f"{side}_categories" for side, columns, others in sides if columns or (columns is None and others == [])}
        nothing_else = self.user_columns == [] if features is None else not features.nnz
        return replace(
            parts,
            needs=parts.needs | own,
            needs_history=parts.needs_history and nothing_else,
            users_by_features=parts.users_by_features or not nothing_else,
        )

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        items = categories(train.items, self.item_columns, train.n_items, "item")
        users = categories(train.users, self.user_columns, train.n_users, "user")
        if not items.shape[1] + users.shape[1]:
            raise IncompatibleError(
                f"{type(self).__name__} needs item_categories or user_categories; {train.name} has none"
            )
        self.counts_ = np.bincount(train.interactions.csr(values=False).indices, minlength=train.n_items)
        self.counts_ = self.counts_.astype(np.float32)
        values = train.interactions.values[np.isfinite(train.interactions.values)]
        self.value_ = float(values.mean(dtype=np.float64)) if len(values) else 1.0
        self.user_features_ = copies(users, self.user_weight)
        larger = augmented(train, copies(items, self.item_weight), self.user_features_, self.value_)
        if context.catalogue is not None:  # pseudo-items are items to the parts
            pseudo = np.ones(self.user_features_.shape[1], bool)
            context = replace(context, catalogue=np.concatenate([context.catalogue, pseudo]))
        if validate := context.validate:
            context = replace(context, validate=lambda model: validate(self._with(model)))
        self.fit_parts(larger, context)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        equal = dict.fromkeys(self.models_, 1.0)
        scores = self.blended(equal, queries)
        if self.user_features_.nnz:  # else a history is needed
            scores[sum(self.shares(equal, queries).values()) == 0] = self.counts_
        return scores

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        return self.blended_ratings(dict.fromkeys(self.models_, 1.0), rows, history)

    def part_can_answer(self, name: str, queries: Queries) -> np.ndarray:
        return super().part_can_answer(name, self._widened(queries))

    def scaled(self, name: str, queries: Queries) -> np.ndarray:
        scores = self.models_[name].score(self._widened(queries))
        return scaled(scores[:, : queries.n_items], self.scale)

    def rated(self, name: str, rows: Interactions, history: Queries) -> np.ndarray:
        asked, at = unique_queries(history)
        wide = self._widened(asked)
        history = replace(wide.take(at), timestamps=history.timestamps, context=history.context)
        return super().rated(name, replace(rows, n_items=wide.n_items), history)

    def _widened(self, queries: Queries) -> Queries:
        return widened(queries, self.user_features_, self.value_)

    def _with(self, model: Recommender) -> Self:
        """Return this hybrid with one fitted part alone, for that part to be rated."""
        alone = copy.copy(self)
        alone.models_ = {"alone": model}
        return alone
