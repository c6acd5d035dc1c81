"""The overrides of a command: which of them define a search space, and how to write the values found as overrides."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from recexp import config
from recexp.config.building import build, imported
from recexp.config.overrides import Interval, Override, parse
from recexp.errors import ConfigError
from recexp.tuning.space import Dimension


def overrides(values: Mapping[str, Any], subject: Sequence[str]) -> list[str]:
    """Return the overrides that set these values, named as in a search space, in the components of a subject."""
    return [f"{'.'.join(component_and_field(name, subject))}={_word(value)}" for name, value in values.items()]


def subject_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the subject's components for the runner of a command. Raises ConfigError."""
    runner = [word for word in words if word.startswith("runner=")]
    names: tuple[str, ...] = imported(config.compose(runner).runner["_target_"], "runner").subject
    return names


def component_and_field(name: str, subject: Sequence[str]) -> tuple[str, str]:
    """Return component and field of a name in a search space; fields of the first subject have no prefix."""
    head, _, rest = name.partition(".")
    return (head, rest) if rest and head in subject[1:] else (subject[0], name)


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str) or re.fullmatch(r"[A-Za-z]\w*", value):
        return str(value)
    quoted = re.sub(r"(\\*)('|$)", lambda end: 2 * end[1] + ("\\'" if end[2] else ""), value)
    return f"'{quoted}'"


def ranges_and_jobs(words: Sequence[str], subject: Sequence[str]) -> tuple[dict[str, Override], list[list[str]]]:
    """Return the overrides to search over, named as in a search space, and the overrides of each job."""
    if flags := [word for word in words if word.startswith("-")]:
        raise ConfigError(f"tuning takes key=value only (got {' '.join(flags)})")
    ranges: dict[str, Override] = {}
    alternatives: list[list[str]] = []
    for word, override in zip(words, parse(words)):
        key, sweep = override.key, override.sweep
        if sweep is None:
            alternatives.append([word])
        elif key.partition(".")[0] in subject and "." in key:
            ranges[key.removeprefix(f"{subject[0]}.")] = override
        elif isinstance(sweep, Interval):
            raise ConfigError(f"{key}: only values of {', '.join(subject)} can be searched in an interval")
        else:
            alternatives.append([f"{key}={value}" for value in override.texts or sweep])
    return ranges, [list(job) for job in itertools.product(*alternatives)]


def dimension_of(name: str, override: Override, default: Any) -> Dimension:
    """Return the dimension of a swept override; an interval is of integers if `default` is an integer."""
    sweep = override.sweep
    if isinstance(sweep, Interval):
        kind = int if type(default) is int else float
        bounds = {"low": kind(sweep.low), "high": kind(sweep.high), "log": override.log}
        node: dict[str, Any] = {"_target_": f"recexp.tuning.{'Integer' if kind is int else 'Real'}", **bounds}
    elif isinstance(sweep, range):
        if len(sweep) < 2:
            typed = f"range({sweep.start},{sweep.stop})"
            raise ConfigError(f"{name}: {typed} has fewer than two values to search (the end is excluded)")
        bounds = {"low": sweep[0], "high": sweep[-1], "log": override.log}
        node = {"_target_": "recexp.tuning.Integer", **bounds}
    else:
        node = {"_target_": "recexp.tuning.Choice", "values": sweep}
    dimension: Dimension = build(node, Dimension, name)
    return dimension
