"""Where recexp is installed, and where it caches what it can compute or download again."""

import os
import sys
from pathlib import Path

from platformdirs import user_cache_dir

PACKAGE = Path(__file__).parent
"""The folder of this very recexp; it is imported from the one around it."""


def command_of(module: str, *numbers: int) -> list[str]:
    """Return the command of a process that calls `main` of one of our modules with whole numbers.

    It takes this very recexp; else neither its folder nor the working directory comes before the standard library.
    """
    start = (
        f"import sys; sys.path.insert(0, sys.argv[1]); import recexp; sys.path.append(sys.path.pop(0)); "
        f"import {module}; {module}.main(*map(int, sys.argv[2:]))"
    )
    return [sys.executable, "-P", "-c", start, str(PACKAGE.parent), *map(str, numbers)]


def conf_dir() -> Path:
    """Return the folder of our own yaml: inside the installed package, or beside it in a checkout."""
    inside = PACKAGE / "conf"
    return inside if inside.is_dir() else PACKAGE.parent / "conf"


def cache_dir(name: str) -> Path:
    """Return one of the folders in that which RECEXP_CACHE names, or in the user's cache folder: datasets, prepared."""
    return Path(os.environ.get("RECEXP_CACHE") or user_cache_dir("recexp")) / name
