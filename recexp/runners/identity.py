"""The identity of a run: the content that determines its results, and the tags by which it is found and compared."""

from typing import Any

from recexp.identity import code, digest
from recexp.params import classes, contents, describe, revisions
from recexp.runners.base import Experiment, Identity, Plan
from recexp.tracking.tags import BOUND, CODE, CONFIG, FINAL, HEADLINE, PROTOCOL, SETTING, SPLIT, SUBJECT, TEST, UNIT
from recexp.version import __version__


def content(experiment: Experiment) -> dict[str, Any]:
    """Return everything that determines an experiment's results and is known before loading data, as plain data.

    `protocol` holds what runs must share to be comparable, `code` the classes from outside recexp.
    """
    runner = experiment.runner
    user_code = code([runner, *experiment.components.values()])
    return {
        "recexp": __version__,
        "protocol": runner.protocol(experiment),
        "seed": experiment.seed,
        "runner": describe(runner),
        **runner.content(experiment),
        **({"code": user_code} if user_code else {}),
    }


def _counting(experiment: Experiment, subject: list[Any]) -> dict[str, int]:
    """Return a revision if the subject counts the chosen catalogue; in version 0.1.0 it counted all items."""
    narrow = "evaluation" in experiment.components and experiment["evaluation"].catalogue == "in_train"
    counts = any(getattr(cls, "counts_catalogue", False) for cls in classes(subject))
    return {"catalogue": 2} if narrow and counts else {}


def identify(experiment: Experiment, plan: Plan) -> Identity:
    """Return the identity of a run. Its digests are computed from content:

    `recexp.data` covers the filtered rows. `recexp.split` covers the exact split, or else protocol and seed; runs with
    equal values have the same units. `recexp.protocol` covers what two runs must share to be comparable (neither seed
    nor fold). `recexp.test` covers what determines the final part, independent of the rest. `recexp.code` covers the
    subject's classes from outside recexp, the revisions of recexp's own, and the files they read. `recexp.config`
    covers everything that can change a result.
    """
    runner, config_content = experiment.runner, content(experiment)
    protocol = {**config_content["protocol"], **plan.protocol}
    whole = {**config_content, "protocol": protocol, **plan.content}
    digests = {
        SPLIT: digest({"protocol": protocol, "seed": experiment.seed}),
        **plan.tags,
        PROTOCOL: digest(protocol),
        TEST: digest(runner.final_content(protocol)),
        CONFIG: digest(whole),
    }
    subject = [experiment[name] for name in runner.subject]
    if version := {**revisions(subject), **_counting(experiment, subject), **code(subject), **contents(subject)}:
        digests[CODE] = digest(version)
    chosen = {name: experiment.choices.get(name, "") for name in runner.components}
    reading = {  # how its metrics are read
        FINAL: runner.final,
        HEADLINE: runner.headline(experiment)[0],
        UNIT: runner.unit,
        SUBJECT: " ".join(runner.subject),
        SETTING: runner.setting,
        **({BOUND: "true"} if any(getattr(part, "upper_bound", False) for part in subject) else {}),
    }
    return Identity({**chosen, **experiment.tags, "seed": str(experiment.seed), **reading, **digests}, whole, digests)
