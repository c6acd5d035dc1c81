"""What can stand at the end of a half-typed command line: commands, groups, options, keys, and commands' own words."""

import importlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from recexp import config
from recexp.cli import help

FLAGS = ("-m", "--help", "--cfg", "--config-dir", "--trust", "--version")
SHARED = ("seed=", "resume=true", "debug=true", "refit=", "tracking.uri=", "tracking.experiment=")


def candidates(words: list[str]) -> list[str]:
    """Return how the last of the words, which may be empty, can be completed; the words do not have `recexp` itself."""
    *before, last = words or [""]
    command = next((word for word in before if word in help.commands()), None)
    offered = [*_words(before, last), *(_options(command) if command else FLAGS)]
    if not before:
        offered += [*help.commands(), *config.groups()]
    return sorted({word for word in offered if word.startswith(last) and word != last})


def _options(command: str) -> Iterator[str]:
    """Yield the words with a dash that a command takes."""
    parser = importlib.import_module(f"recexp.cli.commands.{command.replace('-', '_')}").parser()
    for action in parser._actions:
        yield from (name for name in action.option_strings if name.startswith("--"))


def _words(before: list[str], last: str) -> Iterator[str]:
    """Yield overrides: groups, the options of one, and the keys of what is chosen."""
    plus = "+" if last.startswith("+") else ""
    group, equals, value = last.lstrip("+").partition("=")
    if equals:
        head = last[: len(last) - len(value.rpartition(",")[2])]  # of a list, algorithm=ease,item, the last is typed
        yield from (f"{head}{name}" for name in config.options(group))
    elif "." in group:
        yield from (f"{plus}{key}=" for key in _keys(group.partition(".")[0], before))
    else:
        yield from (help.override(name, "") for name in config.groups() if " " not in help.override(name, ""))
        yield from (f"{name}." for name in config.groups())
        yield from SHARED


def _keys(group: str, before: Iterable[str]) -> Iterator[str]:
    """Yield the keys of the option chosen for a group, or of all that it has."""
    chosen = [word.partition("=")[2] for word in before if word.startswith(f"{group}=")]
    for name, path in config.options(group).items():
        if name in chosen or not chosen:
            with suppress(OSError):
                text = path.read_text(encoding="utf-8", errors="replace")
                yield from (f"{group}.{key}" for key in re.findall(r"^(\w+):", text, re.MULTILINE) if key[0] != "_")
