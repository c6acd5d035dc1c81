"""The commands that made runs, as few as can be: what to type to make them again with other values."""

import shlex
from collections.abc import Sequence

from recexp.history.archive import StoredRun
from recexp.tracking.tags import COMMAND


def merged(runs: Sequence[StoredRun], values: Sequence[str], *, without: str | None = None) -> list[str]:
    """Return the fewest commands that repeat the runs with `values`, key=value each; the one for most runs comes first.

    Words that set the keys of `values`, or keys that begin with `without`, are left out. Runs that do not say which
    command made them are, too.
    """
    replaced = {value.partition("=")[0] for value in values}
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[dict[str, str]]] = {}
    for run in (run for run in runs if COMMAND in run.tags):
        words = shlex.split(run.tags[COMMAND])[1:]
        pairs = [word.partition("=") for word in words if "=" in word and not word.startswith("-")]
        given = {
            key: value
            for key, _, value in pairs
            if key not in replaced and (without is None or not key.startswith(without))
        }
        others = tuple(word for word in words if "=" not in word or word.startswith("-"))
        alike.setdefault((others, tuple(given)), []).append(given)
    found = []
    for (others, keys), sets in sorted(alike.items(), key=lambda pair: -len(pair[1])):
        by_key = {key: list(dict.fromkeys(given[key] for given in sets)) for key in keys}
        several = any(len(texts) > 1 for texts in by_key.values()) or any("," in value for value in values)
        words = [f"{key}={','.join(sorted(texts))}" for key, texts in by_key.items()]
        found.append(shlex.join(["recexp", *others, *(["-m"] if several else []), *words, *values]))
    return found
