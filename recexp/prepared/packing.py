"""Data types as plain data and arrays, and back."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from recexp.data import Column, Dataset, Interactions, Queries, Split
from recexp.filters.base import Effect

_TYPES = {cls.__name__: cls for cls in (Column, Dataset, Effect, Interactions, Queries, Split)}
_CSR = ("data", "indices", "indptr")


def pack(value: Any, shared: Sequence[Any] = ()) -> tuple[Any, dict[str, np.ndarray]]:
    """Return `value` as plain data, and the arrays that it names; what is in it twice, or in `shared`, is named once.

    Fingerprints go along, so that they need not be computed again. Raises ValueError for what cannot be packed.
    """
    packer = _Packer(shared)
    return packer.pack(value), packer.arrays


def unpack(node: Any, load: Callable[[str], np.ndarray], shared: Sequence[Any] = ()) -> Any:
    """Return the value that `pack` was given; `load` returns an array by name."""
    return _Unpacker(load, shared).unpack(node)


class _Packer:
    def __init__(self, shared: Sequence[Any]) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._seen = {_key(value): number for number, value in enumerate(shared)}
        self._count = len(shared)

    def pack(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, tuple | list):
            return {type(value).__name__: [self.pack(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": {name: self.pack(item) for name, item in value.items()}}
        if sp.issparse(value):
            return {"csr": [self.pack(getattr(value, part)) for part in _CSR], "shape": list(map(int, value.shape))}
        if not isinstance(value, np.ndarray) and type(value).__name__ not in _TYPES:
            raise ValueError(f"a {type(value).__name__} cannot be stored")
        if (key := _key(value)) in self._seen:
            return {"same": self._seen[key]}
        node = self._array(value) if isinstance(value, np.ndarray) else self._fields(value)
        self._seen[key] = self._count
        self._count += 1
        return node

    def _array(self, array: np.ndarray) -> Any:
        name = str(len(self.arrays))
        if array.dtype != object:
            self.arrays[name] = array
            return {"array": name}
        texts = array.tolist()
        joined = "\0".join(texts)
        if joined.count("\0") != max(len(texts) - 1, 0):
            raise ValueError("a text holds the character NUL")
        self.arrays[name] = np.frombuffer(joined.encode("utf-8", "surrogatepass"), np.uint8)
        return {"texts": name, "n": len(texts)}

    def _fields(self, value: Any) -> Any:
        fields = {field.name: self.pack(getattr(value, field.name)) for field in dataclasses.fields(value)}
        node = {"type": type(value).__name__, "fields": fields}
        return node | ({"fingerprint": value.fingerprint} if hasattr(value, "fingerprint") else {})


class _Unpacker:
    def __init__(self, load: Callable[[str], np.ndarray], shared: Sequence[Any]) -> None:
        self._load, self._seen = load, list(shared)

    def unpack(self, node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        if "same" in node:
            return self._seen[node["same"]]
        if "dict" in node:
            return {name: self.unpack(item) for name, item in node["dict"].items()}
        if "list" in node:
            return [self.unpack(item) for item in node["list"]]
        if "tuple" in node:
            return tuple(self.unpack(item) for item in node["tuple"])
        if "csr" in node:
            return self._sparse(node)
        value = self._fields(node) if "type" in node else self._array(node)
        self._seen.append(value)
        return value

    def _sparse(self, node: Any) -> sp.csr_array:
        parts = [self.unpack(part) for part in node["csr"]]
        matrix = sp.csr_array(tuple(node["shape"]), dtype=parts[0].dtype)
        for name, part in zip(_CSR, parts):  # the constructor might choose other types than they had
            setattr(matrix, name, part)
        return matrix

    def _array(self, node: Any) -> np.ndarray:
        if "array" in node:
            return self._load(node["array"])
        texts = np.empty(node["n"], object)
        if node["n"]:
            texts[:] = self._load(node["texts"]).tobytes().decode("utf-8", "surrogatepass").split("\0")
        return texts

    def _fields(self, node: Any) -> Any:
        value = _TYPES[node["type"]](**{name: self.unpack(item) for name, item in node["fields"].items()})
        if "fingerprint" in node:
            vars(value)["fingerprint"] = node["fingerprint"]
        return value


def _key(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return id(value)
    return value.__array_interface__["data"][0], value.dtype.str, value.shape, value.strides
