"""A saved model's folder: `model.json` and `arrays.npz`; plain data, no code, no pickle, checked by sha256."""

import dataclasses
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from pydantic import ValidationError

from recexp import serialization, trust
from recexp.algorithms.base import Recommender
from recexp.checksums import sha256
from recexp.class_names import current_name, stored_name
from recexp.errors import ConfigError, ModelError, one_line
from recexp.models.arrays import read_arrays, write_arrays
from recexp.rerankers.base import Reranker
from recexp.serialization import Kind, PackError

FORMAT = 4
READABLE = (1, 2, 3, 4)
"""Format 1 had neither tuples nor the same object twice; before 3 all texts were as long as the longest; before 4 there
was no reranker."""
Saved = Recommender | Reranker
"""What has hyperparameters and learned attributes, which are saved."""


def write(folder: Path, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write the folder as a whole or not at all; an existing one is replaced. Raises ModelError for a number NaN."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}")
    staging.mkdir()  # for all whom the umask and the folder around it let in
    try:
        texts = write_arrays(staging / "arrays.npz", arrays)
        sums = {"arrays.npz": sha256(staging / "arrays.npz")}
        header = {"format": FORMAT, "sha256": sums, "texts": texts, **header}
        text = json.dumps(header, indent=1)
        json.loads(text, parse_constant=_constant)
        (staging / "model.json").write_text(text, encoding="utf-8")
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
        header = json.loads((folder / "model.json").read_text(encoding="utf-8"), parse_constant=_constant)
        if header.get("format") not in READABLE:
            raise ModelError(
                f"{folder}/model.json has format {header.get('format')}; this recexp reads formats 1 to {FORMAT}"
            )
        if header["sha256"]["arrays.npz"] != sha256(folder / "arrays.npz"):
            raise ModelError(f"{folder}/arrays.npz is corrupt: its checksum differs from that in model.json")
        return header, read_arrays(folder / "arrays.npz", header.get("texts", {}))
    except (*_DAMAGE, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{folder} is a corrupt model: {_explanation(error)}") from error


def check_savable(model: Saved) -> None:
    """Raise ModelError if a fitted model has attributes that cannot be saved or would be lost; nothing is written.

    Called right after `fit`, so that a long evaluation does not end in this error. Takes as long as reading all learned
    arrays once.
    """
    with _explained(model):
        _refuse_nan(serialization.check(model, _KIND), type(model).__qualname__)


def pack(model: Saved, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a model's class, fields and learned state as plain data, and its arrays by names that begin with `name`.

    Raises ModelError.
    """
    with _explained(model):
        node, arrays = serialization.pack(model, _KIND, name=name)
    _refuse_nan(arrays, type(model).__qualname__)
    return node["$model"], arrays


def unpack(header: dict[str, Any], arrays: Mapping[str, np.ndarray], base: type = Recommender) -> Any:
    """Rebuild what was packed, a `base`: a Recommender or a Reranker, of recexp's or of a trusted package."""
    used = {}

    def load(name: str) -> np.ndarray:
        used[name] = arrays[name]
        return used[name]

    try:
        model = serialization.unpack({"$model": header}, load, _KIND, check=True)
    except _DAMAGE as error:
        raise ModelError(f"the saved model is corrupt: {_explanation(error)}") from error
    if not isinstance(model, base):
        raise ModelError(f"the saved model is corrupt: a {type(model).__name__} is not a {base.__name__}")
    _refuse_nan(used, "the saved model is corrupt")
    return model


def _parts(model: Saved) -> dict[str, Any]:
    cls = type(model)
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    own = {name: value for name, value in vars(model).items() if name not in fields and not name.startswith("_")}
    learned = {name: value for name, value in own.items() if name.endswith("_")}
    if lost := sorted(own.keys() - learned.keys()):
        raise ModelError(
            f"{cls.__qualname__}: {', '.join(lost)} would be lost when the model is saved; name it {lost[0]}_ if fit "
            f"learns it, or _{lost[0]} if it need not be saved"
        )
    return {"class": ":".join(stored_name(cls).rsplit(".", 1)), "params": fields, "learned": learned}


def _make(parts: dict[str, Any]) -> Saved:
    try:
        cls = trust.load(current_name(parts["class"].replace(":", ".")), "the saved model's class")
    except ConfigError as error:
        raise ModelError(str(error)) from error
    if not (isinstance(cls, type) and issubclass(cls, Saved)):
        raise ModelError(f"the saved model's class {parts['class']} is not a Recommender or Reranker")
    model: Saved = cls(**parts["params"])
    for attribute, value in parts["learned"].items():
        if attribute[:1] == "_" or attribute[-1:] != "_":
            raise ValueError(f"{attribute} is not the name of a learned attribute")
        setattr(model, attribute, value)
    return model


_DAMAGE = (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError, OverflowError, MemoryError)
"""What comes of content that is no saved model's, whatever its checksum."""
_KIND = Kind("$model", (Recommender, Reranker), _parts, _make)


@contextmanager
def _explained(model: Saved) -> Iterator[None]:
    """Name the attribute that cannot be saved as a person wrote it."""
    try:
        yield
    except PackError as error:
        _, name, *inside = error.path.split("/")
        where = f"{type(error.owner).__qualname__}.{name}{''.join(f'[{key}]' for key in inside)}"
        raise ModelError(
            f"{where}: {error.what} cannot be saved; numbers, text, arrays, sparse matrices, other models, and lists, "
            f"tuples and dicts of them by text can; name it _{name.strip('_')} if it need not be saved"
        ) from error
    except RecursionError:
        raise ModelError(f"{type(model).__qualname__} cannot be saved: it contains a circular reference") from None


def _refuse_nan(arrays: Mapping[str, np.ndarray], what: str) -> None:
    """Raise ModelError for an array of learned numbers that holds NaN: such a model lists nothing, without a word."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and array.size:
            numbers = array[tuple(slice(0, 1) if step == 0 else slice(None) for step in array.strides)]
            if np.isnan(np.min(numbers)):  # which passes NaN on, without an array of its own
                raise ModelError(f"{what}: {name.partition('learned/')[2] or name} holds NaN, so the model cannot rank")


def _constant(name: str) -> float:
    if name == "NaN":
        raise ModelError("a model that learned NaN cannot rank; it is neither saved nor loaded")
    return float(name)


def _explanation(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
    return one_line(error)[:200] or type(error).__name__
