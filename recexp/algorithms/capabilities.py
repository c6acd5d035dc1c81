"""Capabilities: what a model can do and what it requires."""

from dataclasses import dataclass
from typing import Literal, get_args

from recexp.errors import ConfigError

Feedback = Literal["binary", "value"]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a model can do; known before any data is fitted.

    Attributes
    ----------
    feedback : whether the model uses the values of interactions ("value") or only their occurrence ("binary").
    needs_history : the model cannot answer a query without history (it gets the run's fallback).
    reads_history : the content of a query's history can change the answer.
    known_users_only : the model answers only users seen in training, whatever their history.
    needs : what a dataset must have, see `Dataset.has`.
    predicts : `predict` estimates a user's value for an item.
    vectors : the model has vectors of users and items, see `FactorModel`.
    users_by_features : the model answers users without rows, based on the users table.
    partial : lists may be shorter than requested, or empty: items that the model never recommends score -inf.
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
