"""Who a run is: the content that decides its results, and the tags by which it is found and compared."""

from dataclasses import dataclass
from typing import Any

from recexp.audit import Report
from recexp.data import Dataset, Split
from recexp.filters.base import Effect
from recexp.identity import code, digest
from recexp.params import describe
from recexp.runners.base import Experiment, Runner
from recexp.tracking.names import CODE, CONFIG, PROTOCOL, SPLIT, TEST
from recexp.version import __version__


@dataclass(frozen=True)
class Data:
    """What a fold works on: `loaded`, the fingerprint before filters, what these did and left, the split, its audit."""

    loaded: str
    effects: list[Effect]
    filtered: Dataset
    split: Split
    audit: Report


@dataclass(frozen=True)
class Identity:
    """The tags by which a run is found and compared, and the plain content of the digests among them."""

    tags: dict[str, str]
    content: dict[str, Any]


def content(x: Experiment, runner: Runner) -> dict[str, Any]:
    """Return all that decides an experiment's results beside its data, as plain data: what is known before these are.

    Under `protocol` is what runs must share to be compared, under `code` the classes that are not recexp's.
    """
    evaluation = x.evaluation
    components = [runner, x.source, x.filters, x.splitter, x.algorithm, x.fallback, evaluation]
    own, rules = code(components), {key: rule for key, rule in describe(runner).items() if key != "class"}
    return {
        "recexp": __version__,
        "protocol": {
            "runner": {type(runner).__name__: rules} if rules else type(runner).__name__,
            "filters": describe(x.filters),
            "split": x.splitter.rule(),
            "catalogue": evaluation.catalogue,
            "relevant_from": evaluation.relevant_from,
            "history": evaluation.history,
            "refit": x.refit,
        },
        "seed": x.seed,
        "runner": describe(runner),
        "algorithm": describe(x.algorithm),
        "fallback": describe(x.fallback),
        "evaluation": {**describe(evaluation), "headline": evaluation.headline},
        **({"code": own} if own else {}),
    }


def identify(x: Experiment, runner: Runner, data: Data) -> Identity:
    """Return who a run is, of the data's fingerprints and the fold. Its digests are made of content:

    `recexp.data` of the filtered rows, `recexp.split` of the very split, `recexp.protocol` of what two runs must share
    to be compared (neither seed nor fold), `recexp.test` of what the test part is made by, whatever is done with the
    rest, `recexp.code` of a model's classes that are not ours, `recexp.config` of everything that can change a result.
    """
    known = content(x, runner)
    protocol = {**known["protocol"], "data": data.loaded}
    whole = {**known, "protocol": protocol, "split": data.split.fingerprint}
    tested = {name: protocol[name] for name in ("data", "filters")}
    tested["split"] = {name: part for name, part in protocol["split"].items() if not name.startswith("validation")}
    names = {key: x.choices.get(key, "") for key in ("dataset", "filter", "split", "algorithm")}
    fold = {} if data.split.fold is None else {"fold": str(data.split.fold)}
    digests = {
        "recexp.data": data.filtered.fingerprint,
        SPLIT: data.split.fingerprint,
        PROTOCOL: digest(protocol),
        TEST: digest(tested),
        CONFIG: digest(whole),
    }
    if own := code([x.algorithm, x.fallback]):
        digests[CODE] = digest(own)
    return Identity({**names, **x.tags, **fold, "seed": str(x.seed), **digests}, whole)
