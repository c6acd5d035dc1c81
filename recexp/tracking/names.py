"""Names and values as MLflow takes them."""

import json
import re
from collections.abc import Mapping
from typing import Any

MAX_NAME = 250
MAX_VALUE = 6000
COMPLETE = "recexp.complete"
"""The tag that is set last; a run without it is not to be trusted."""
TUNING = "tuning"
"""The tag of a run whose values a study found: the study's name."""
STUDY = "recexp.study"
"""With it: the digest of all that the study's trials depend on, its space included."""
SEARCH = "recexp.search"
"""With it: a digest of how the study searches, the same for all data, splits and seeds."""
STUDY_TRIALS = "recexp.study_trials"
"""With it: how many trials had ended."""
IMPORTED = "recexp.imported_from"
"""Marks a run that came from another store, where it has the id that the tag holds."""
DATA, SPLIT = "recexp.data", "recexp.split"
CONFIG, PROTOCOL, CODE = "recexp.config", "recexp.protocol", "recexp.code"
"""The tags of digests; see `runners.identity.identify`."""
TEST = "recexp.test"
"""The tag of a run that says what its test part is made of."""
FINAL, HEADLINE, UNIT = "recexp.final", "recexp.headline", "recexp.unit"
"""The tags of a run that say how its metrics are read: the part whose metrics count, the first of them, and what the
values behind them are of. Runs without them are tested on users' lists."""
SUBJECT, SETTING = "recexp.subject", "recexp.setting"
"""The tags that name components: those that the run is about, the first of which names it, and what they work on."""
EVALUATIONS = "recexp.test_looks"
"""The tag of a run that evaluated a test set: how many have by then, this one included; set as it happens."""
REPRODUCES = "recexp.reproduces"
"""The tag of a run that was made to repeat another, whose id it holds; it counts no evaluation."""
JOB = "recexp.job"
"""The tag, set when all runs of a job are complete, by which they are found before its data are loaded."""
JOB_RUNS = "recexp.job_runs"
HOST = "recexp.host"
"""The tag that says on which machine a run was made."""


def clean(name: str) -> str:
    """Return a name that MLflow accepts for a metric, param or tag."""
    return re.sub(r"[^\w\-. :/]", "_", name, flags=re.ASCII)[:MAX_NAME]


def search_terms(tags: Mapping[str, str]) -> str:
    """Return MLflow's filter for the runs that carry all of `tags`."""
    marks = {key: '"' if "'" in value else "'" for key, value in tags.items()}
    return " and ".join(f"tags.`{key}` = {marks[key]}{value}{marks[key]}" for key, value in tags.items())


def mask(text: str) -> str:
    """Return `text` without the credentials of the addresses in it: `postgresql://me:secret@host` loses `me:secret`."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)


def flatten(node: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested params under dotted names; items of a list of mappings are numbered from 0.

    Values other than text are written as in yaml: `null`, `true`, `[5, 10]`.
    """
    flat: dict[str, str] = {}
    for key, value in node.items():
        name = f"{prefix}{key}"
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            value = {str(number): item for number, item in enumerate(value)}
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{name}."))
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            flat[clean(name)] = mask(text)[:MAX_VALUE]
    return flat
