"""The words of a command: what they search, and those that give the values found."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recexp import config
from recexp.config.building import build, imported
from recexp.errors import ConfigError
from recexp.tuning.space import Dimension

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


def overrides(values: Mapping[str, Any], subject: Sequence[str]) -> list[str]:
    """Return the words that give the components of a subject these values, by the names of a search space."""
    return [f"{'.'.join(place(name, subject))}={_word(value)}" for name, value in values.items()]


def subject_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the components that the runner of a command is about. Raises ConfigError."""
    runner = [word for word in words if word.startswith("runner=")]
    return imported(config.compose(runner).runner["_target_"], "runner").subject


def place(name: str, subject: Sequence[str]) -> tuple[str, str]:
    """Return the component that a name of a search space is of, and the field's: the first subject's have no prefix."""
    head, _, rest = name.partition(".")
    return (head, rest) if rest and head in subject[1:] else (subject[0], name)


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if not isinstance(value, str) or re.fullmatch(r"[A-Za-z]\w*", value) else f"'{value}'"


def ranges_and_jobs(words: Sequence[str], subject: Sequence[str]) -> "tuple[dict[str, Override], list[list[str]]]":
    """Return what is to be searched, by the names of a search space, and the words of each job."""
    if flags := [word for word in words if word.startswith("-")]:
        raise ConfigError(f"tuning takes key=value only (got {' '.join(flags)})")
    ranges: dict[str, Override] = {}
    forms: list[list[str]] = []
    for word, override in zip(words, config.parse(words)):
        key = override.get_key_element()
        if not override.is_sweep_override():
            forms.append([word])
        elif key.partition(".")[0] in subject and "." in key:
            ranges[key.removeprefix(f"{subject[0]}.")] = override
        elif override.is_discrete_sweep():
            forms.append([f"{key}={value}" for value in override.sweep_string_iterator()])
        else:
            raise ConfigError(f"{key}: only values of {' and '.join(subject)} can be searched in an interval")
    return ranges, [list(some) for some in itertools.product(*forms)]


def searched(name: str, override: "Override", default: Any) -> Dimension:
    """Return the dimension that a swept override stands for; an interval is of whole numbers where `default` is one."""
    from hydra.core.override_parser.types import IntervalSweep, RangeSweep

    sweep, target = override.value(), "recexp.tuning."
    log_scale = "log" in sweep.tags
    if isinstance(sweep, IntervalSweep):
        kind, name_of = (int, "Integer") if type(default) is int else (float, "Real")
        node = {"_target_": target + name_of, "low": kind(sweep.start), "high": kind(sweep.end), "log": log_scale}
    elif isinstance(sweep, RangeSweep) and sweep.step == 1 and type(sweep.start) is type(sweep.stop) is int:
        if sweep.stop - sweep.start < 2:
            typed = f"range({sweep.start},{sweep.stop})"
            raise ConfigError(f"{name}: {typed} has fewer than two values to search; it excludes its end")
        node = {"_target_": target + "Integer", "low": sweep.start, "high": sweep.stop - 1, "log": log_scale}
    else:
        node = {"_target_": target + "Choice", "values": [_plain(value) for value in override.sweep_iterator()]}
    return build(node, Dimension, name)


def _plain(value: Any) -> Any:
    return getattr(value, "text", value)  # of a quoted string
