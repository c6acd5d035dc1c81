"""Help on commands and options, without loading the code that they run."""

import ast
import inspect
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from recexp import config, trust
from recexp.class_names import current_name
from recexp.errors import ConfigError, unknown

USAGE = """\
recexp: experiments with recommender systems

  recexp algorithm=ease split=temporal seed=3     run one experiment
  recexp -m 'algorithm=glob(*)' seed=1,2,3        run all combinations
  recexp COMMAND --help                           every option of a command, e.g. recexp compare --help
  recexp GROUP --help                             all options of a group, e.g. recexp algorithm --help
  recexp algorithm=ease --help                    one option: what it does, and every value that can be set
  recexp algorithm=ease --cfg job                 the complete config, without running it
  --config-dir DIR                                your own configs; they override those of recexp with the same name
  --trust NAME                                    a package whose classes may be imported, e.g. for your own models
"""


def commands() -> dict[str, str]:
    """Return the first line of each command's file, by name."""
    folder = Path(__file__).parent / "commands"
    files = (path for path in sorted(folder.glob("*.py")) if path.stem != "__init__")
    return {path.stem.replace("_", "-"): path.read_text(encoding="utf-8").splitlines()[0].strip('"') for path in files}


def about(words: list[str]) -> Iterator[str]:
    """Yield lines about what was typed beside --help: nothing, a group, or options of groups.

    Raises ConfigError for another word.
    """
    if not words or words == ["run"]:
        yield from _everything()
    elif "=" in words[0]:
        for word in words:
            group, _, name = word.lstrip("+").partition("=")
            if (path := config.options(group).get(name)) is not None:
                yield from _option(group, name, path)
    else:
        yield from _group(words[0].lstrip("+"))


def chosen(words: list[str]) -> bool:
    """Return whether one of the words is an option of a group: `algorithm=ease`."""
    pairs = (word.lstrip("+").partition("=")[::2] for word in words if "=" in word)
    return any(name in config.options(group) for group, name in pairs)


def _everything() -> Iterator[str]:
    yield USAGE
    for name, line in commands().items():
        yield f"  recexp {name:<12} {line}"
    yield "\nOptions, in addition to seed=1 refit=true resume=false debug=false show=USER:"
    for name in config.groups():
        yield f"  {override(name, '|'.join(config.options(name)))}"


def _group(group: str) -> Iterator[str]:
    if not config.options(group):
        raise ConfigError(unknown("", group, [*config.groups(), *commands()]))
    for name, path in config.options(group).items():
        lines = [
            line.removeprefix("#").strip()
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[:3]
            if line.startswith("#")
        ]
        told = (line for line in lines if not line.startswith("@") and not line.endswith(".yaml"))
        yield f"  {override(group, name):<44} {next(told, '')}"


def _option(group: str, name: str, path: Path) -> Iterator[str]:
    """Yield what the class behind an option says of itself, and its yaml with the comments."""
    yield f"{override(group, name)}\n"
    text = path.read_text(encoding="utf-8", errors="replace")
    key = "  _target_:" if group == "runner" else "_target_:"  # a runner's yaml holds more than the runner
    target = next((line.removeprefix(key) for line in text.splitlines() if line.startswith(key)), "")
    target = target.partition("#")[0].strip()
    if target.startswith("recexp."):
        yield f"{_resolved(trust.load(current_name(target), f'{path}: _target_'))}\n"
    elif target:
        yield f"{_docstring(target) or target}\n"
    how = ""
    if group == "metric":
        how = ", for another value write a yaml with a new name"
    elif target:
        how = f", set a value with {group}.KEY=VALUE"
    yield f"{group}/{path.name}{how}:\n"
    yield text


def _resolved(cls: type) -> str:
    """Return what a class says of itself, with what it refers to.

    "see `Hybrid`" is followed by what its base, or a class beside it, says; another option is named by the command that
    documents it.
    """
    said = inspect.getdoc(cls) or ""
    for name in dict.fromkeys(re.findall(r"see `([A-Z]\w+)`", said)):
        here = [one for one in vars(sys.modules[cls.__module__]).values() if isinstance(one, type)]
        own = [*cls.__mro__[1:], *(one for one in here if one.__module__ == cls.__module__)]
        if (meant := next((one for one in own if one.__name__ == name), None)) is not None:
            said += f"\n\n{name}: {inspect.getdoc(meant)}"
        elif command := next(_commands_about(name), None):
            said = said.replace(f"see `{name}`", f"see `{command}`")
    return said


def _commands_about(cls: str) -> Iterator[str]:
    """Yield the commands that document the options of a class of ours."""
    for group in config.groups():
        for name, path in config.options(group).items():
            target = re.search(r"^ *_target_: *recexp\.[\w.]*\.(\w+)", path.read_text("utf-8", errors="replace"), re.M)
            if target and target[1] == cls:
                yield f"recexp {override(group, name)} --help"


def _docstring(target: str) -> str | None:
    """Return what a person's class says of itself: its file is read and not run; None: there is nothing to read."""
    *packages, cls = target.split(".")
    folders: Any = [*sys.path, os.getcwd()]
    spec = None
    for name in packages:
        spec = PathFinder.find_spec(name, folders) if folders else None
        folders = None if spec is None else spec.submodule_search_locations
    with suppress(OSError, SyntaxError, ValueError):
        text = Path((spec and spec.origin) or "").read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and node.name == cls:
                return ast.get_docstring(node)
    return None


def override(group: str, value: str) -> str:
    """Return the words that choose an option; presets are added, metrics listed."""
    forms = {
        "experiment": f"+experiment={value}",
        "metric": f"evaluation.metrics=[{value.replace('|', ',')}]",
        "search": f"tune search={value}",
        "tuning": f"tune tuning={value}",
    }
    return forms.get(group, f"{group}={value}")
