"""Who a run is: the content that decides its results, and the tags by which it is found and compared."""

from typing import Any

from recexp.identity import code, digest
from recexp.params import classes, contents, describe, revisions
from recexp.runners.base import Experiment, Identity, Plan
from recexp.tracking.tags import BOUND, CODE, CONFIG, FINAL, HEADLINE, PROTOCOL, SETTING, SPLIT, SUBJECT, TEST, UNIT
from recexp.version import __version__


def content(experiment: Experiment) -> dict[str, Any]:
    """Return all that decides an experiment's results and is known before its data, as plain data.

    Under `protocol` is what runs must share to be compared, under `code` the classes that are not recexp's.
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
    """Return a revision of the subject where it counts the chosen catalogue, which in version 0.1.0 were all items."""
    narrow = "evaluation" in experiment.components and experiment["evaluation"].catalogue == "in_train"
    counts = any(getattr(cls, "counts_catalogue", False) for cls in classes(subject))
    return {"catalogue": 2} if narrow and counts else {}


def identify(experiment: Experiment, plan: Plan) -> Identity:
    """Return who a run is. Its digests are made of content:

    `recexp.data` of the filtered rows, `recexp.split` of the very split, or else of the protocol and the seed: units of
    runs that have it in common are the same. `recexp.protocol` is of what two runs must share to be compared (neither
    seed nor fold), `recexp.test` of what the final part is made by, whatever is done with the rest, `recexp.code` of
    the subject's classes that are not ours, of the revisions of those that are, and of the files that they read,
    `recexp.config` of everything that can change a result.
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
