"""A saved model's folder: `model.json` and `arrays.npz`; plain data, no code, no pickle, checked by sha256."""

import dataclasses
import hashlib
import importlib
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from pydantic import ValidationError

from recexp.algorithms.base import Recommender
from recexp.class_names import current_name, stored_name
from recexp.errors import ModelError

FORMAT = 1


def write(folder: Path, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write the folder as a whole or not at all; an existing one is replaced."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        np.savez(
            staging / "arrays.npz", **{name: _storable(array) for name, array in arrays.items()}, allow_pickle=False
        )
        header = {"format": FORMAT, "sha256": {"arrays.npz": _sha256(staging / "arrays.npz")}, **header}
        (staging / "model.json").write_text(json.dumps(header, indent=1))
        staging.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the header and arrays of a folder; raises ModelError saying what is missing or damaged."""
    folder = Path(folder)
    for name in ("model.json", "arrays.npz"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} is not a saved model: {name} is missing")
    try:
        header = json.loads((folder / "model.json").read_text())
        if header.get("format") != FORMAT:
            raise ModelError(
                f"{folder}/model.json has format {header.get('format')}; this recexp reads format {FORMAT}"
            )
        if header["sha256"]["arrays.npz"] != _sha256(folder / "arrays.npz"):
            raise ModelError(f"{folder}/arrays.npz is corrupt: its checksum is not the one in model.json")
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (ValueError, KeyError, TypeError, AttributeError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{folder} is a corrupt model: {error}") from error
    return header, {name: array.astype(object) if array.dtype.kind == "U" else array for name, array in arrays.items()}


def pack(model: Recommender, prefix: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a model's class, fields and learned state as plain data, and its arrays by name under `prefix`.

    They may hold numbers, strings, None, arrays, sparse matrices, other models, and lists and dicts of them.
    """
    arrays: dict[str, np.ndarray] = {}
    cls = type(model)
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    own = {name: value for name, value in vars(model).items() if name not in fields and not name.startswith("_")}
    learned = {name: value for name, value in own.items() if name.endswith("_")}
    if lost := sorted(own.keys() - learned.keys()):
        raise ModelError(
            f"{cls.__qualname__}: {', '.join(lost)} would be lost when the model is saved; what fit learns is called "
            f"{lost[0]}_, what need not be kept _{lost[0]}"
        )
    header = {
        "class": ":".join(stored_name(cls).rsplit(".", 1)),
        "params": _pack(fields, f"{prefix}params", arrays),
        "learned": _pack(learned, f"{prefix}learned", arrays),
    }
    return header, arrays


def _pack(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, Recommender):
        header, more = pack(value, f"{name}/")
        arrays.update(more)
        return {"$model": header}
    if sp.issparse(value):
        matrix = sp.csr_array(value)
        parts = {part: getattr(matrix, part) for part in ("data", "indices", "indptr")}
        return {"$sparse": _pack(parts, name, arrays), "shape": list(matrix.shape)}
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"$array": name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: _pack(item, f"{name}/{key}", arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_pack(item, f"{name}/{i}", arrays) for i, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ModelError(f"{name} cannot be saved: it is a {type(value).__name__}, not an array, number, string or model")


def unpack(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Recommender:
    """Rebuild a packed model; only a Recommender that is already importable is accepted."""
    try:
        module, _, name = current_name(header["class"].replace(":", ".")).rpartition(".")
        cls = getattr(importlib.import_module(module), name)
        if not (isinstance(cls, type) and issubclass(cls, Recommender)):
            raise ModelError(f"the saved model's class {header['class']} is not a Recommender")
        model = cls(**_unpack(header["params"], arrays))
        for attribute, value in _unpack(header["learned"], arrays).items():
            setattr(model, attribute, value)
    except (ImportError, AttributeError) as error:
        raise ModelError(f"the saved model's class {header.get('class')} cannot be imported: {error}") from error
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise ModelError(f"the saved model is corrupt: {error}") from error
    return model


def _unpack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "$array" in value:
        return arrays[value["$array"]]
    if "$sparse" in value:
        parts = _unpack(value["$sparse"], arrays)
        return sp.csr_array((parts["data"], parts["indices"], parts["indptr"]), shape=tuple(value["shape"]))
    if "$model" in value:
        return unpack(value["$model"], arrays)
    return {key: _unpack(item, arrays) for key, item in value.items()}


def _storable(array: np.ndarray) -> np.ndarray:
    return array.astype("U") if array.dtype == object else array


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_savable(model: Recommender) -> None:
    """Raise ModelError when a fitted model holds what cannot be saved."""
    pack(model, "")
