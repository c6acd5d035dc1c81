"""LearningCurve: how good lists are after so many known interactions of a user."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field

from recexp.data import Queries, Split
from recexp.errors import EmptyPartError
from recexp.evaluation.evaluation import Evaluation, ascending
from recexp.params import NonNegativeInt, params

log = logging.getLogger(__name__)


@params
class LearningCurve(Evaluation):
    """An evaluation that asks every query again with the oldest rows of its history alone, as many as `known` says.

    Users, targets and what is kept out of lists are the same at each point: queries whose histories have fewer rows
    than the last point are left out. What a model has learned of users in training stays, so that curves of new users
    need users that are in no train, as with `split=user_holdout`.

    Parameters
    ----------
    known : numbers of interactions, ascending; 0 is a user of whom nothing is known.
    history : all: without some of the known rows, histories would be shorter than `known` says.
    """

    known: Annotated[list[NonNegativeInt], Field(min_length=1), AfterValidator(ascending)]
    history: Literal["all"]

    def rule(self) -> dict[str, Any]:
        return {**super().rule(), "known": self.known[-1]}

    def applied(self, split: Split) -> Split:
        split = super().applied(split)
        inner = split.validation and self._with_enough("validation", split.validation)
        return replace(self._with_enough("test", split), validation=inner)

    def points(self, queries: Queries) -> Iterator[tuple[int, Queries]]:
        for known in self.known:
            yield known, replace(queries, stop=np.minimum(queries.start + known, queries.stop))

    def _with_enough(self, name: str, split: Split) -> Split:
        """Return the split with the queries alone whose histories reach the last point."""
        lengths, needed = split.queries.lengths, self.known[-1]
        enough = np.flatnonzero(lengths >= needed)
        if not len(enough):
            raise EmptyPartError(
                f"evaluation.known: no {name} user is shown {needed} interactions, at most {lengths.max()}; "
                f"choose fewer, or a split that shows more, such as split=user_holdout split.given={needed}"
            )
        if short := len(lengths) - len(enough):
            told = name, short, len(lengths), needed
            log.info("%s: %d of %d users are shown fewer than %d interactions and are ignored", *told)
        queries = split.queries.take(enough)
        test = split.test.take(np.isin(split.test.users, queries.users))
        return replace(split, queries=queries, target=split.target[enough], test=test)
