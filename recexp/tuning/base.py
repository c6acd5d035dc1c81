"""Tuning: how a search goes."""

from typing import Annotated

from pydantic import AfterValidator, Field

from recexp.params import NonNegativeInt, OpenFraction, PositiveFloat, PositiveInt, params
from recexp.tuning import samplers


@params
class Tuning:
    """How the values of an algorithm are searched for.

    Parameters
    ----------
    trials : how many are tried in all, those of earlier commands on the same study included.
    sampler : `tpe` (tree-structured Parzen estimators, Bergstra et al., NIPS 2011), `random`, or `grid`: points of a
        grid in random order, after the yaml's values.
    grid_points : how many values of each number a grid has.
    pruning : whether a trial ends early that is worse than the median of the others at the same step; only for models
        that report a validation value while they learn.
    pruning_after : so many trials are never pruned.
    timeout : seconds after which no further trial begins, or None.
    study : a name of one's own, or None: the algorithm, and a digest of all that the trials depend on.
    validation_ratio, validation_n : what a split that is told of no validation part is given, as it counts in shares or
        in rows of each user.
    """

    trials: PositiveInt
    sampler: Annotated[str, AfterValidator(samplers.known)]
    grid_points: Annotated[int, Field(ge=2)]
    pruning: bool
    pruning_after: NonNegativeInt
    timeout: PositiveFloat | None
    study: Annotated[str, Field(min_length=1)] | None
    validation_ratio: OpenFraction
    validation_n: PositiveInt
