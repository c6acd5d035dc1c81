"""The file of a saved model's arrays: declared shapes are checked against its size before memory is allocated."""

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_LENGTHS = "lengths of "


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, list[int]]:
    """Write arrays by name; return the shapes of those of text (dtype object), which `read_arrays` is to be given.

    A text takes as many bytes as it has in UTF-8, however long another is.
    """
    texts = {name: list(array.shape) for name, array in arrays.items() if array.dtype == object}
    plain = dict(arrays)
    for name in texts:
        words = arrays[name].ravel().tolist()
        plain[name] = np.frombuffer("".join(words).encode("utf-8", "surrogatepass"), np.uint8)
        plain[_LENGTHS + name] = np.fromiter(map(len, words), np.int64, len(words))
    np.savez(path, allow_pickle=False, **plain)
    return texts


def read_arrays(path: Path, texts: Mapping[str, list[int]]) -> dict[str, np.ndarray]:
    """Return the arrays by name, those of text with dtype object. Raises ValueError or BadZipFile for a damaged file.

    No more memory is taken than a few times the size of the file, whatever shapes it declares.
    """
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > size:
            raise ValueError(f"its arrays would unpack to more than its {size} bytes")
        arrays = {}
        for member in members:
            with archive.open(member) as file:
                _check_size(file, member, size)
            with archive.open(member) as file:
                name = member.filename.removesuffix(".npy")
                arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    decoded = {name: _decoded(arrays[name], arrays.pop(_LENGTHS + name), shape) for name, shape in texts.items()}
    return {name: _as_text(decoded.get(name, array)) for name, array in arrays.items()}


def check_parts(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError or KeyError unless what is beside the models has the types and sizes that ranking relies on."""
    for name in ("user_ids", "item_ids"):
        if arrays[name].ndim != 1 or (arrays[name].dtype != object and arrays[name].dtype.kind not in "iu"):
            raise ValueError(f"{name} are {arrays[name].dtype} {arrays[name].shape}, not integers or text")
    n_users, n_items = len(arrays["user_ids"]), len(arrays["item_ids"])
    sizes = {"trained": (bool, n_users), "ties": (np.int32, n_items), "catalogue": (bool, n_items)}
    for name, (dtype, n) in sizes.items():
        if arrays[name].dtype != dtype or arrays[name].shape != (n,):
            raise ValueError(f"{name} is {arrays[name].dtype} {arrays[name].shape}, not {np.dtype(dtype)} ({n},)")
    for name in ("exclude_seen", "explicit"):
        if not isinstance(header[name], bool):
            raise ValueError(f"{name} must be true or false (got {header[name]!r:.50})")
    if type(header["block_mib"]) is not int or header["block_mib"] < 1:
        raise ValueError(f"block_mib must be a whole number from 1 (got {header['block_mib']!r:.50})")


def _check_size(file: IO[bytes], member: zipfile.ZipInfo, limit: int) -> None:
    """Raise ValueError unless an array declares the size that its member of the archive has."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"{member.filename} is of version {version}")
    shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject or not dtype.itemsize:
        raise ValueError(f"{member.filename} holds values of type {dtype}")
    if math.prod(shape) * dtype.itemsize != member.file_size - file.tell() or max(shape, default=0) > limit:
        raise ValueError(f"{member.filename} does not have the size of its declared type and shape, {dtype} {shape}")


def _decoded(data: np.ndarray, lengths: np.ndarray, shape: list[int]) -> np.ndarray:
    text = data.tobytes().decode("utf-8", "surrogatepass")
    if lengths.dtype != np.int64 or lengths.ndim != 1 or (lengths < 0).any() or lengths.sum() != len(text):
        raise ValueError("its texts do not have the declared lengths")
    ends = np.cumsum(lengths).tolist()
    words = np.empty(len(ends), object)
    words[:] = [text[begin:end] for begin, end in zip([0, *ends], ends)]
    return words.reshape(shape)


def _as_text(array: Any) -> np.ndarray:
    """Return an array of text, which formats 1 and 2 have as numpy's, with dtype object."""
    return array.astype(object) if array.dtype.kind == "U" else array
