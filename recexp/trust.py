"""Whose code may run: recexp's own, and what the person who types the command trusts.

Saved models, stored and imported runs and folders of yaml name classes, and may come from elsewhere; to import a module
is to run it. A class that is not trusted is refused by its name, before anything is imported.
"""

import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from recexp import yaml_files
from recexp.errors import ConfigError, error_message

VARIABLE = "RECEXP_TRUST"
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


@dataclass(frozen=True)
class Trust:
    """What a command trusts beside recexp and the variable RECEXP_TRUST.

    Attributes
    ----------
    packages : top packages (`--trust`): all classes in them.
    folders : config folders (`--config-dir`): each class that a yaml in them names.
    """

    packages: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


_given = Trust()


def given() -> Trust:
    """Return what is trusted now."""
    return _given


def use(trust: Trust) -> None:
    """Trust this, and no longer what was trusted before. Raises ConfigError for what is no name of a top package."""
    global _given
    folders = tuple(str(Path(folder).absolute()) for folder in trust.folders)
    _given = Trust(_checked(trust.packages, "--trust"), folders)
    _named_in.cache_clear()


@contextmanager
def also(classes: Iterable[type]) -> Iterator[None]:
    """Return a block in which the top packages of classes that are here already are trusted, too."""
    before = _given
    use(Trust((*before.packages, *(cls.__module__.partition(".")[0] for cls in classes)), before.folders))
    try:
        yield
    finally:
        use(before)


def packages() -> tuple[str, ...]:
    """Return the trusted top packages beside recexp; raises ConfigError where RECEXP_TRUST holds other words."""
    return (*_given.packages, *_checked(os.environ.get(VARIABLE, "").split(","), VARIABLE))


def check(name: str, where: str, *, named: bool = True) -> None:
    """Raise ConfigError for what is no dotted name of a class, or is not trusted; nothing is imported.

    `named`: that a yaml of the folders names it is enough.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: must be the dotted name of a class, such as package.module.Class (got {name!r})")
    top = name.partition(".")[0]
    if top == "recexp" or top in packages():
        return
    if named and any(name in _named_in(folder) for folder in _given.folders):
        return
    raise ConfigError(
        f"{where}: {name} is not part of recexp and its code is not trusted; if you trust it, add --trust {top} or set "
        f"{VARIABLE}={top}"
    )


def load(name: str, where: str) -> Any:
    """Return what a dotted name names, where it is trusted; raises ConfigError.

    Code that is not recexp's may lie in the working directory, which comes last on the path.
    """
    check(name, where)
    here = os.getcwd()
    if not name.startswith("recexp.") and not {"", here} & {*sys.path}:
        sys.path.append(here)
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{where}: cannot import {name}: {error}") from error
    except Exception as error:  # whatever a person's own file raises when it is imported
        raise ConfigError(f"{where}: cannot import {name}: {error_message(error)}") from error


def _checked(names: Iterable[str], where: str) -> tuple[str, ...]:
    words = [word.strip() for name in names for word in name.split(",") if word.strip()]
    for word in words:
        if not word.isidentifier():
            top = word.partition(".")[0]
            hint = f"; the top package is {top}" if top.isidentifier() else ""
            raise ConfigError(f"{where}: must name top packages, such as shop,lab (got {word}){hint}")
    return tuple(words)


@cache
def _named_in(folder: str) -> frozenset[str]:
    """Return the classes that the yaml of a folder names; a file that cannot be read names none."""
    found: set[str] = set()
    for path in yaml_files.below(Path(folder)):
        with suppress(ConfigError, OSError):
            scalars = [
                getattr(event, "value", None) for event in yaml_files.events(yaml_files.read_text(path), str(path))
            ]
            found |= {value for key, value in pairwise(scalars) if key == "_target_" and value is not None}
    return frozenset(found)
