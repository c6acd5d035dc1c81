"""Values as plain data for JSON with arrays beside it, and back: saved models and prepared data are made of them.

Numbers, text and None stand for themselves, lists and dicts for what is in them. An array is {"$array": name}, a sparse
matrix {"$sparse": {data, indices, indptr}, "shape": [...]}, a tuple {"$tuple": [...]}; an object is what its kind says,
and {"$same": number} where it, or something shared, has been before. Keys of a dict that begin with $ get one more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

_CSR = ("data", "indices", "indptr")
_PLAIN = bool | int | float | str


@dataclass(frozen=True)
class Kind:
    """The objects that may be among the values.

    Attributes
    ----------
    key : what they stand under, `$model`.
    base : their class or classes.
    parts : returns what is kept of an object, values by name.
    make : returns an object of what was kept.
    """

    key: str
    base: type | tuple[type, ...]
    parts: Callable[[Any], dict[str, Any]]
    make: Callable[[dict[str, Any]], Any]


class PackError(ValueError):
    """A value cannot be packed: `what` it is, `owner`, the object that it is part of, and the `path` in it."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{what} cannot be stored ({path or 'the value itself'})")
        self.path, self.what, self.owner = path, what, None


def pack(value: Any, kind: Kind, *, name: str = "", shared: Sequence[Any] = ()) -> tuple[Any, dict[str, np.ndarray]]:
    """Return `value` as plain data, and the arrays that it names, each once; no array is copied.

    Raises PackError.

    Parameters
    ----------
    value : numbers, text, None, arrays (of text: dtype object), sparse matrices, objects of the kind, and lists, tuples
        and dicts with text as keys of them.
    kind : the objects.
    name : what the names of arrays begin with.
    shared : arrays and objects that need not be packed, for `unpack` gets equal ones in the same order.
    """
    packer = _Packer(kind, shared, check=False)
    return packer.pack(value, name), packer.arrays


def check(value: Any, kind: Kind) -> dict[str, np.ndarray]:
    """Raise PackError where `pack` would; arrays are not touched but for those of text, which are read.

    Returns the arrays that `pack` would, but for those of sparse matrices that it would convert.
    """
    packer = _Packer(kind, (), check=True)
    packer.pack(value, "")
    return packer.arrays


def unpack(
    node: Any, load: Callable[[str], np.ndarray], kind: Kind, *, shared: Sequence[Any] = (), check: bool = False
) -> Any:
    """Return the value that `pack` was given; `load` returns an array by name. Sparse matrices come back as CSR.

    With `check`, a sparse matrix whose indices lie outside of it raises ValueError: kernels would read what lies there.
    """
    return _Unpacker(load, kind, shared, check=check).unpack(node)


class _Packer:
    def __init__(self, kind: Kind, shared: Sequence[Any], *, check: bool) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._kind, self._check = kind, check
        self._seen: dict[Any, Any] = {_key(value): {"$same": number} for number, value in enumerate(shared)}
        self._count = len(shared)

    def pack(self, value: Any, name: str) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, _PLAIN):
            return value
        if isinstance(value, list | tuple):
            items = [self.pack(item, f"{name}/{number}") for number, item in enumerate(value)]
            return items if isinstance(value, list) else {"$tuple": items}
        if isinstance(value, dict):
            return self._dict(value, name)
        if sp.issparse(value):
            return self._sparse(value, name)
        is_array = isinstance(value, np.ndarray)
        if not is_array and not isinstance(value, self._kind.base):
            raise PackError(name, f"a {type(value).__name__}")
        if (key := _key(value)) in self._seen:
            return self._seen[key]
        return self._array(value, name) if is_array else self._object(value, name)

    def _dict(self, value: dict[Any, Any], name: str) -> Any:
        wrong = next((key for key in value if not isinstance(key, str)), "")
        if wrong != "":
            raise PackError(name, f"a dict with {type(wrong).__name__} keys")
        return {f"${key}" if key[:1] == "$" else key: self.pack(item, f"{name}/{key}") for key, item in value.items()}

    def _sparse(self, matrix: Any, name: str) -> Any:
        if matrix.ndim != 2 or matrix.format not in ("csr", "csc", "coo", "bsr", "dia"):
            raise PackError(
                name, f"a sparse {matrix.ndim}-d {matrix.format} array, not a matrix such as .tocsr() gives,"
            )
        if matrix.format != "csr":
            if self._check:
                return None
            matrix = matrix.tocsr()
        parts = {part: self.pack(getattr(matrix, part), f"{name}/{part}") for part in _CSR}
        return {"$sparse": parts, "shape": [int(size) for size in matrix.shape]}

    def _array(self, array: np.ndarray, name: str) -> Any:
        if isinstance(array, np.ma.MaskedArray):
            raise PackError(name, "a masked array")
        if array.dtype.hasobject and not (array.dtype == object and all(isinstance(item, str) for item in array.flat)):
            raise PackError(name, "an array of objects other than text")
        while name in self.arrays:  # {"a/b": ...} beside {"a": {"b": ...}}
            name += "'"
        self.arrays[name] = array
        self._seen[_key(array)] = {"$array": name}
        return {"$array": name}

    def _object(self, value: Any, name: str) -> Any:
        try:
            parts = {part: self.pack(item, f"{name}/{part}") for part, item in self._kind.parts(value).items()}
        except PackError as error:
            if error.owner is None:
                error.owner, error.path = value, error.path.removeprefix(f"{name}/")
            raise
        self._seen[_key(value)] = {"$same": self._count}
        self._count += 1
        return {self._kind.key: parts}


class _Unpacker:
    def __init__(self, load: Callable[[str], np.ndarray], kind: Kind, shared: Sequence[Any], *, check: bool) -> None:
        self._load, self._kind, self._seen, self._check = load, kind, list(shared), check

    def unpack(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.unpack(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$array" in node:
            return self._load(node["$array"])
        if "$sparse" in node:
            matrix = _csr(self.unpack(node["$sparse"]), tuple(node["shape"]))
            if self._check:
                _refuse_outside(matrix)
            return matrix
        if "$tuple" in node:
            return tuple(self.unpack(node["$tuple"]))
        if "$same" in node:
            return self._seen[node["$same"]]
        if self._kind.key in node:
            value = self._kind.make(self.unpack(node[self._kind.key]))
            self._seen.append(value)
            return value
        return {key.removeprefix("$"): self.unpack(item) for key, item in node.items()}


def _csr(parts: dict[str, np.ndarray], shape: tuple[int, int]) -> sp.csr_array:
    data, indices, indptr = (parts[name] for name in _CSR)
    if len(data) != len(indices) or len(indptr) != shape[0] + 1:
        raise ValueError(f"{len(data)} values, {len(indices)} indices and {shape[0]} rows do not form a sparse matrix")
    matrix = sp.csr_array(shape, dtype=data.dtype)
    matrix.data, matrix.indices, matrix.indptr = data, indices, indptr  # the constructor might choose other types
    return matrix


def _refuse_outside(matrix: sp.csr_array) -> None:
    indices, indptr = matrix.indices, matrix.indptr
    ends = indptr[0] == 0 and indptr[-1] == len(indices) and (indptr[1:] >= indptr[:-1]).all()
    if (
        indices.dtype.kind + indptr.dtype.kind != "ii"
        or not ends
        or (len(indices) and not 0 <= indices.min() <= indices.max() < matrix.shape[1])
    ):
        raise ValueError(f"a sparse matrix of {matrix.shape} has entries outside of it")


def _key(value: Any) -> Any:
    """Return what is the same for the same memory: of an array, or of an object."""
    if not isinstance(value, np.ndarray):
        return id(value)
    return value.__array_interface__["data"][0], value.dtype.str, value.shape, value.strides
