"""Data types as plain data and arrays, and back."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recexp import serialization
from recexp.data import Column, Dataset, Interactions, Listed, Queries, Split
from recexp.filters.base import Effect
from recexp.serialization import Kind

_TYPES = {cls.__name__: cls for cls in (Column, Dataset, Effect, Interactions, Listed, Queries, Split)}


def pack(value: Any, shared: Sequence[Any] = ()) -> tuple[Any, dict[str, np.ndarray]]:
    """Return `value` as plain data, and the arrays that it names; what is in it twice, or in `shared`, is named once.

    Arrays of text become bytes, which can be mapped. Fingerprints go along, so that they need not be computed again.
    Raises ValueError for what cannot be packed.
    """
    node, arrays = serialization.pack(value, _KIND, shared=shared)
    texts = {name: len(array) for name, array in arrays.items() if array.dtype == object}
    return {"value": node, "texts": texts}, {**arrays, **{name: _encoded(arrays[name]) for name in texts}}


def unpack(node: Any, load: Callable[[str], np.ndarray], shared: Sequence[Any] = ()) -> Any:
    """Return the value that `pack` was given; `load` returns an array by name."""
    texts = {name: _decoded(load(name), n) for name, n in node["texts"].items()}
    return serialization.unpack(
        node["value"], lambda name: texts[name] if name in texts else load(name), _KIND, shared=shared
    )


def _parts(value: Any) -> dict[str, Any]:
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    fingerprint = {"fingerprint": value.fingerprint} if hasattr(value, "fingerprint") else {}
    return {"type": type(value).__name__, "fields": fields, **fingerprint}


def _make(parts: dict[str, Any]) -> Any:
    value = _TYPES[parts["type"]](**parts["fields"])
    if "fingerprint" in parts:
        vars(value)["fingerprint"] = parts["fingerprint"]
    return value


_KIND = Kind("$data", tuple(_TYPES.values()), _parts, _make)


def _encoded(texts: np.ndarray) -> np.ndarray:
    joined = "\0".join(texts.tolist())
    if joined.count("\0") != max(len(texts) - 1, 0):
        raise ValueError("a text contains the character NUL")
    return np.frombuffer(joined.encode("utf-8", "surrogatepass"), np.uint8)


def _decoded(data: np.ndarray, n: int) -> np.ndarray:
    texts = np.empty(n, object)
    if n:
        texts[:] = data.tobytes().decode("utf-8", "surrogatepass").split("\0")
    return texts
