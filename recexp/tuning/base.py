"""Tuning: the settings of a hyperparameter search."""

from typing import Annotated

from pydantic import AfterValidator, Field

from recexp.params import NonNegativeInt, OpenFraction, PositiveFloat, PositiveInt, params
from recexp.tuning import samplers


@params
class Tuning:
    """Settings of the hyperparameter search of an algorithm.

    Parameters
    ----------
    trials : total number of trials, including those of earlier commands on the same study.
    sampler : `tpe` (tree-structured Parzen estimators, Bergstra et al., NIPS 2011), `random`, or `grid`: points of a
        grid in random order, after the yaml's values.
    grid_points : number of grid values of each numeric hyperparameter.
    pruning : whether to stop trials that are worse than the median of the others at the same step; only for models
        that report a validation value during training.
    pruning_after : the first so many trials are never pruned.
    timeout : seconds after which no further trial starts, or None.
    study : name of the study; None: the algorithm and a digest of everything the trials depend on.
    validation_ratio, validation_n : size of the validation part if the split defines none, as a share or as a number of
        rows per user, depending on the split.
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
