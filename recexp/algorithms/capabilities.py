"""Capabilities: what a model can do, and what it needs for it."""

from dataclasses import dataclass
from typing import Literal, get_args

from recexp.errors import ConfigError

Feedback = Literal["binary", "value"]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a model can do; asked by name, before any data is fitted.

    Attributes
    ----------
    feedback : whether the values of interactions weigh ("value") or only that they happened ("binary").
    needs_history : a query without history cannot be answered (it gets the run's fallback).
    reads_history : what a query's history holds can change the answer.
    known_users_only : only users seen in training can be answered, whatever their history.
    needs : what a dataset must carry, see `Dataset.has`.
    predicts : `predict` estimates the value that a user would give.
    vectors : has vectors of users and items, see `FactorModel`.
    users_by_features : users without any row are answered by what the users table says of them.
    partial : lists may be shorter than asked for, or empty: items that the model never recommends score -inf.
    """

    feedback: Feedback = "binary"
    needs_history: bool = True
    reads_history: bool = True
    known_users_only: bool = False
    needs: frozenset[str] = frozenset()
    predicts: bool = False
    vectors: bool = False
    users_by_features: bool = False
    partial: bool = False

    def __post_init__(self) -> None:
        if self.feedback not in get_args(Feedback):
            raise ConfigError(f"Capabilities.feedback: must be binary or value (got {self.feedback!r})")
