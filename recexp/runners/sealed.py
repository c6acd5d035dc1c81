"""The seal on the test: data are read and split, and all that leaves here is the part made inside train."""

from dataclasses import dataclass
from itertools import islice

from recexp.data import Split
from recexp.errors import ConfigError
from recexp.filters.base import Effect
from recexp.runners.base import Experiment
from recexp.runners.identity import Data, Identity, identify
from recexp.runners.offline import Offline, refuse_misfits

FOLDS = (
    "tuning needs one split, and {} makes folds: the test rows of each are among the others' validation; "
    "tune with another split, then run the folds with the values found"
)


@dataclass(frozen=True)
class Sealed:
    """What may be seen before the test: no object that can be reached from here holds a test row, or makes one.

    The files of the data are where they were: who reads them anew, reads all of them.

    Attributes
    ----------
    split : the validation split; its train is smaller, its held-out rows are not those of the test.
    identity : who a run on the whole would be: digests of content.
    effects : what each filter step did.
    """

    split: Split
    identity: Identity
    effects: list[Effect]


def seal(x: Experiment, runner: Offline) -> Sealed:
    """Read, filter and split the data, and let go of all but the validation split.

    Raises ConfigError where there is no validation part, or folds; MisfitError where data and algorithm do not go
    together.
    """
    with runner.prepare(x) as prepared:
        loaded = prepared.load()
        refuse_misfits(x, loaded.dataset)
        splits = list(islice(prepared.splits(loaded), 2))
    name = x.choices.get("split", type(x.splitter).__name__)
    if len(splits) > 1:
        raise ConfigError(f"split: {FOLDS.format(name)}")
    split = x.evaluation.relevant(splits[0])
    if split.validation is None:
        raise ConfigError(f"split: {name} has no validation part to tune on; see `recexp split={name} --help`")
    data = Data(loaded.source, loaded.effects, loaded.dataset, split, x.audit.inspect(split, x.splitter.time))
    return Sealed(unsealed(split), identify(x, runner, data), loaded.effects)


def unsealed(split: Split) -> Split:
    """Return the part of a split that may be seen."""
    return split.validation
