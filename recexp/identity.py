"""Fingerprints made of content: equal content gives equal digests on every machine."""

import hashlib
import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from recexp import own_code
from recexp.params import classes, ours


def digest(value: Any) -> str:
    """Return the sha256 of plain data (dicts, lists, strings, numbers, None), independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def code(components: Iterable[Any]) -> dict[str, str | None]:
    """Return the sha256 of the source files of all classes in `components` that are not recexp's, bases included.

    Under a class's name is its file, under that of a module one of the same project that such a file imports. None:
    there is no file to look at.
    """
    found: dict[str, str | None] = {}
    for cls in _others(components):
        shas = dict(_sources(cls))
        found[f"{cls.__module__}.{cls.__qualname__}"] = shas.pop(cls.__module__, None)
        found |= shas
    return dict(sorted(found.items()))


def code_files(components: Iterable[Any]) -> list[str]:
    """Return the source files of all classes in `components` that are not recexp's, and those that they import."""
    return sorted({str(path) for cls in _others(components) for path in _modules(cls).values()})


def _others(components: Iterable[Any]) -> list[type]:
    used = {base for component in components for cls in classes(component) for base in cls.__mro__}
    return [cls for cls in used if not ours(cls) and cls.__module__.partition(".")[0] not in sys.stdlib_module_names]


@cache  # by class, as it was when that was first asked for: a class that was imported anew is another
def _sources(cls: type) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in _modules(cls).items()}


def _modules(cls: type) -> dict[str, Path]:
    try:
        return own_code.modules(cls)
    except (OSError, TypeError):  # made in an interpreter: there is no file
        return {}


def digest_arrays(arrays: Iterable[np.ndarray | None]) -> str:
    """Return the sha256 of arrays: their types, shapes and values in order; None counts as absent."""
    sha = hashlib.sha256()
    for array in arrays:
        if array is None:
            sha.update(b"none;")
            continue
        if array.dtype == object:
            sha.update(f"str{array.shape};".encode())
            sha.update("\0".join(map(str, array)).encode())
        else:
            little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            sha.update(f"{little.dtype.str}{array.shape};".encode())
            sha.update(little.data)
    return sha.hexdigest()
