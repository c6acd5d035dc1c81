"""Tuning holds out a validation part, another protocol: what to type to set untuned models beside tuned ones."""

import shlex
from collections.abc import Mapping, Sequence

from recexp.history.archive import StoredRun
from recexp.tracking.tags import COMMAND

_PREFIX = "split.validation"
_NONE = {"0", "0.0", "null", "None"}


def advice(
    left_out: Sequence[StoredRun], content: Mapping[str, str], shown: Sequence[StoredRun], reference: Mapping[str, str]
) -> str | None:
    """Return the command that runs those without the validation part again, with it; None where more differs.

    `content` and `reference` are the protocols of what is left out and of what is shown, by dotted names.
    """
    keys = [key for key in dict.fromkeys([*reference, *content]) if content.get(key) != reference.get(key)]
    if any(not key.startswith(_PREFIX) or key not in content or key not in reference for key in keys):
        return None
    without = {key for key in keys if content[key] in _NONE} == {*keys}
    lacking, wanted = (shown, content) if {reference[key] for key in keys} <= _NONE else (left_out, reference)
    commands = _merged([run for run in lacking if COMMAND in run.tags], [f"{key}={wanted[key]}" for key in keys])
    if not commands:
        return None
    what = (
        "without a validation part, so not comparable with tuned models" if without else "with another validation part"
    )
    more = f" (and {len(commands) - 1} more commands)" if len(commands) > 1 else ""
    return f"{what}; to compare all, run: {commands[0]}{more}"


def _merged(runs: Sequence[StoredRun], values: Sequence[str]) -> list[str]:
    """Return the fewest commands that repeat the runs with these values; the one for most runs comes first."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[dict[str, str]]] = {}
    for run in runs:
        words = shlex.split(run.tags[COMMAND])[1:]
        pairs = [word.partition("=") for word in words if "=" in word and not word.startswith("-")]
        given = {key: value for key, _, value in pairs if not key.startswith(_PREFIX)}
        others = tuple(word for word in words if "=" not in word or word.startswith("-"))
        alike.setdefault((others, tuple(given)), []).append(given)
    merged = []
    for (others, keys), found in sorted(alike.items(), key=lambda pair: -len(pair[1])):
        by_key = {key: list(dict.fromkeys(given[key] for given in found)) for key in keys}
        several = ["-m"] if any(len(texts) > 1 for texts in by_key.values()) else []
        words = [f"{key}={','.join(sorted(texts))}" for key, texts in by_key.items()]
        merged.append(shlex.join(["recexp", *others, *several, *words, *values]))
    return merged
