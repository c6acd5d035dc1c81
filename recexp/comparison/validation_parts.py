"""Tuning holds out a validation part, which is another protocol: the command that makes untuned models comparable."""

from collections.abc import Mapping, Sequence

from recexp.comparison.commands import merged
from recexp.history.archive import StoredRun

_PREFIX = "split.validation"
_NONE = {"0", "0.0", "null", "None"}


def advice(
    left_out: Sequence[StoredRun], content: Mapping[str, str], shown: Sequence[StoredRun], reference: Mapping[str, str]
) -> str | None:
    """Return the command that repeats the runs without the validation part with it; None if more differs.

    `content` and `reference` are the protocols of the excluded and the shown runs, by dotted names.
    """
    keys = [key for key in dict.fromkeys([*reference, *content]) if content.get(key) != reference.get(key)]
    if any(not key.startswith(_PREFIX) or key not in content or key not in reference for key in keys):
        return None
    without = {key for key in keys if content[key] in _NONE} == {*keys}
    lacking, wanted = (shown, content) if {reference[key] for key in keys} <= _NONE else (left_out, reference)
    commands = merged(lacking, [f"{key}={wanted[key]}" for key in keys], without=_PREFIX)
    if not commands:
        return None
    what = (
        "without a validation part, so not comparable with tuned models" if without else "with another validation part"
    )
    more = f" (and {len(commands) - 1} more commands)" if len(commands) > 1 else ""
    return f"{what}; to compare all, run: {commands[0]}{more}"
