"""Fingerprints made of content: equal content gives equal digests on every machine."""

import hashlib
import inspect
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from recexp.params import classes, ours


def digest(value: Any) -> str:
    """Return the sha256 of plain data (dicts, lists, strings, numbers, None), independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def code(components: Iterable[Any]) -> dict[str, str | None]:
    """Return the sha256 of the source files of all classes in `components` that are not recexp's, bases included.

    None: there is no file to look at. What such a file imports is not looked at.
    """
    others = _others(components)
    return {name: sha for name, sha in sorted((f"{cls.__module__}.{cls.__qualname__}", _source(cls)) for cls in others)}


def code_files(components: Iterable[Any]) -> list[str]:
    """Return the source files of all classes in `components` that are not recexp's, bases included."""
    files = set()
    for cls in _others(components):
        with suppress(OSError, TypeError):
            files.add(inspect.getfile(cls))
    return sorted(files)


def _others(components: Iterable[Any]) -> list[type]:
    used = {base for component in components for cls in classes(component) for base in cls.__mro__}
    return [cls for cls in used if not ours(cls) and cls.__module__.partition(".")[0] not in sys.stdlib_module_names]


@cache  # by class: one that was imported anew is another
def _source(cls: type) -> str | None:
    try:
        return hashlib.sha256(Path(inspect.getfile(cls)).read_bytes()).hexdigest()
    except (OSError, TypeError):
        return None


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
