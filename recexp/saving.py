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
        header = {"format": FORMAT, "sha256": _sha256(staging / "arrays.npz"), **header}
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
        if header["sha256"] != _sha256(folder / "arrays.npz"):
            raise ModelError(f"{folder}/arrays.npz is corrupt: its checksum is not the one in model.json")
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (ValueError, KeyError, AttributeError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{folder} is a corrupt model: {error}") from error
    return header, {name: array.astype(object) if array.dtype.kind == "U" else array for name, array in arrays.items()}


def pack(model: Recommender, prefix: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a model's class, parameters and learned numbers as plain data, and its learned arrays under `prefix`."""
    plain, arrays, sparse = {}, {}, {}
    for name, value in vars(model).items():
        if not name.endswith("_") or name.endswith("__"):
            continue
        if sp.issparse(value):
            sparse[name] = list(value.shape)
            matrix = sp.csr_array(value)
            for part in ("data", "indices", "indptr"):
                arrays[f"{prefix}{name}.{part}"] = getattr(matrix, part)
        elif isinstance(value, np.ndarray):
            arrays[f"{prefix}{name}"] = value
        else:
            plain[name] = value
    cls = type(model)
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    header = {"class": f"{cls.__module__}:{cls.__qualname__}", "params": fields, "plain": plain, "sparse": sparse}
    return header, arrays


def unpack(header: dict[str, Any], arrays: dict[str, np.ndarray], prefix: str) -> Recommender:
    """Rebuild a packed model; only a Recommender that is already importable is accepted."""
    try:
        module, _, name = header["class"].partition(":")
        cls = getattr(importlib.import_module(module), name)
        if not (isinstance(cls, type) and issubclass(cls, Recommender)):
            raise ModelError(f"the saved model's class {header['class']} is not a Recommender")
        model = cls(**header["params"])
        for attribute, value in header["plain"].items():
            setattr(model, attribute, value)
        for attribute, shape in header["sparse"].items():
            parts = tuple(arrays[f"{prefix}{attribute}.{part}"] for part in ("data", "indices", "indptr"))
            setattr(model, attribute, sp.csr_array(parts, shape=tuple(shape)))
        for key, array in arrays.items():
            attribute = key.removeprefix(prefix)
            if key.startswith(prefix) and "." not in attribute:
                setattr(model, attribute, array)
    except (ImportError, AttributeError) as error:
        raise ModelError(f"the saved model's class {header.get('class')} cannot be imported: {error}") from error
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise ModelError(f"the saved model is corrupt: {error}") from error
    return model


def _storable(array: np.ndarray) -> np.ndarray:
    return array.astype("U") if array.dtype == object else array


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
