"""HybridSwitching: one of several algorithms answers, chosen by rules."""

from typing import Literal, Required, Self

import numpy as np
from pydantic import ConfigDict, ValidationInfo, field_validator, with_config
from typing_extensions import TypedDict  # pydantic reads typing's own only from Python 3.12 on

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.hybrid.base import Hybrid, allowed, take_queries
from recexp.algorithms.ratings import unique_queries
from recexp.data import Dataset, Interactions, Queries
from recexp.params import PositiveInt, params

BLOCK = 2**24
"""Scores held at once while confidence is looked at: 64 MiB."""


@with_config(ConfigDict(extra="forbid", strict=True))
class Rule(TypedDict, total=False):
    """`part` answers the queries that meet all conditions.

    history_at_least, history_below : limits on the number of rows in the history.
    user : known: had rows in train; unknown: had none.
    confidence_at_least : the part's best score, as it is, of an item that may be recommended.
    """

    part: Required[str]
    history_at_least: PositiveInt
    history_below: PositiveInt
    user: Literal["known", "unknown"]
    confidence_at_least: float


@with_config(ConfigDict(extra="forbid", strict=True))
class ColdItems(TypedDict):
    """`part` scores the items with fewer than `below` train users."""

    part: str
    below: PositiveInt


@params
class HybridSwitching(Hybrid):
    """score(u, i) = s_p(u, i), p the part of the first rule that holds for u; that of another part for a cold item i.

    The switching hybrid of Burke (UMUAI 2002, section 3.2). A rule is skipped where its part does not answer the
    query (see `Hybrid`); where no rule is left, the first part answers that does. A rating is predicted by the same
    rules, those of parts that predict.

    Time: each part scores its own queries; those asked by a rule of confidence are scored once more. Memory: blocks of
    dense scores. Learns `cold_`, bool (n_items,), the cold items, besides the parts.

    Parameters
    ----------
    parts, on_failure : see `Hybrid`. The rules of parts that are left out go with them.
    scale : see `Hybrid`; it matters where the scores of two parts meet in a list: with cold items.
    cold_items : which part scores items that few have, see `ColdItems`, where it answers the query; None: no other.
    rules : tried in order, see `Rule`; the last is the default and has no condition.
    """

    cold_items: ColdItems | None
    rules: list[Rule]

    @field_validator("cold_items")
    @classmethod
    def _there(cls, cold_items: ColdItems | None, info: ValidationInfo) -> ColdItems | None:
        _refuse_unknown([] if cold_items is None else [cold_items["part"]], info)
        return cold_items

    @field_validator("rules")
    @classmethod
    def _in_order(cls, rules: list[Rule], info: ValidationInfo) -> list[Rule]:
        if not rules or len(rules[-1]) > 1:
            raise ValueError("the last rule is the default: it must have a part and no condition")
        if early := [rule["part"] for rule in rules[:-1] if len(rule) == 1]:
            raise ValueError(f"the rule of {early[0]} has no condition, so the rules after it are never reached")
        used = [rule["part"] for rule in rules]
        _refuse_unknown(used, info)
        cold = info.data.get("cold_items")
        if idle := [name for name in info.data.get("parts", ()) if name not in (*used, *(cold or {}).values())]:
            raise ValueError(f"no rule selects part {idle[0]}")
        return rules

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        self.fit_parts(train, context or FitContext())
        cold = self.cold_items
        below = 0 if cold is None or cold["part"] not in self.models_ else cold["below"]
        users = np.bincount(train.interactions.csr(values=False).indices, minlength=train.n_items)
        self.cold_ = users < below
        return self

    def score(self, queries: Queries) -> np.ndarray:
        chosen = self._chosen(list(self.models_), queries)
        scores = np.zeros((len(queries), queries.n_items), np.float32)
        for index, name in enumerate(self.models_):
            if len(at := np.flatnonzero(chosen == index)):
                scores[at] = self.scaled(name, take_queries(queries, at))
        if self.cold_items is not None and self.cold_.any():
            name = self.cold_items["part"]
            if len(at := np.flatnonzero(self.part_can_answer(name, queries))):
                scores[np.ix_(at, self.cold_)] = self.scaled(name, take_queries(queries, at))[:, self.cold_]
        return scores

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        able = [name for name, model in self.models_.items() if model.capabilities.predicts]
        if not able:
            return super().predict(rows, history)
        unique, index = unique_queries(history)
        chosen = self._chosen(able, unique)[index]
        chosen[chosen < 0] = self._index(able[0])
        if self.cold_items is not None and self.cold_.any() and (name := self.cold_items["part"]) in able:
            chosen[self.cold_[rows.items] & self.part_can_answer(name, history)] = self._index(name)
        return self.chosen_ratings(chosen, rows, history)

    def _index(self, name: str) -> int:
        return list(self.models_).index(name)

    def _chosen(self, names: list[str], queries: Queries) -> np.ndarray:
        """Return int (b,): the index in `models_` of the part that answers each query, of those named; -1: none."""
        chosen = np.full(len(queries), -1)
        default = [Rule(part=name) for name in names]
        for rule in [rule for rule in [*self.rules, *default] if rule["part"] in names]:
            name = rule["part"]
            at = np.flatnonzero((chosen < 0) & self.part_can_answer(name, queries) & self._holds(rule, queries))
            if "confidence_at_least" in rule:
                at = at[self._confidence(name, queries.take(at)) >= rule["confidence_at_least"]]
            chosen[at] = self._index(name)
        return chosen

    def _holds(self, rule: Rule, queries: Queries) -> np.ndarray:
        """Return bool (b,): for which queries the rule's conditions hold, but for confidence."""
        holds = queries.lengths >= rule.get("history_at_least", 0)
        if "history_below" in rule:
            holds &= queries.lengths < rule["history_below"]
        if "user" in rule:
            known = (queries.users >= 0) & self.trained_[queries.users]
            holds &= known == (rule["user"] == "known")
        return holds

    def _confidence(self, name: str, queries: Queries) -> np.ndarray:
        """Return float32 (b,): the part's best score of an item that each query allows."""
        best = np.full(len(queries), -np.inf, np.float32)
        step = max(1, BLOCK // max(1, queries.n_items))
        for start in range(0, len(best), step):
            block = queries.take(slice(start, start + step))
            scores = np.where(allowed(block), self.models_[name].score(block), -np.inf)
            best[start : start + step] = scores.max(axis=1, initial=-np.inf)
        return best


def _refuse_unknown(names: list[str], info: ValidationInfo) -> None:
    parts = info.data.get("parts", names)
    if strange := [name for name in names if name not in parts]:
        raise ValueError(f"there is no part {strange[0]}; available: {', '.join(parts)}")
