"""Fingerprints made of content: equal content gives equal digests on every machine."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np


def digest(value: Any) -> str:
    """Return the sha256 of plain data (dicts, lists, strings, numbers, None), independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


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
