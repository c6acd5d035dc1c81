"""Vectors of items that a person brings, in a file."""

import logging
import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.io import lookup

log = logging.getLogger(__name__)

NOT_READ = (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, zlib.error)
"""What NumPy raises for files that are not npz, are cut off, or hold something else."""


def item_vectors(path: Path, data: Dataset) -> np.ndarray:
    """Return float32 (n_items, d) from an npz file of `ids` (n,), item ids of the data, and `vectors` (n, d).

    Each is scaled to length 1; those of items that are not in the file are 0, and counted in a warning.

    Raises DataError where the file is not that, has an id twice, or names no item of the data.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            ids, vectors = file["ids"], file["vectors"]
    except NOT_READ as error:
        hint = "; text is saved by ids.astype(str)" if "Object arrays" in str(error) else ""
        raise DataError(
            f"algorithm.item_vectors: {path} is not an npz file with ids and vectors ({error}){hint}"
        ) from error
    if (
        vectors.ndim != 2
        or vectors.dtype.kind != "f"
        or ids.shape != vectors.shape[:1]
        or not np.isfinite(vectors).all()
    ):
        raise DataError(
            f"algorithm.item_vectors: {path} must have a finite float vector for each id; found ids {ids.shape} and "
            f"vectors {vectors.dtype} {vectors.shape}"
        )
    known = ids.astype(np.int64) if ids.dtype.kind in "iu" else ids.astype(str).astype(object)
    names, counts = np.unique(known, return_counts=True)
    if (counts > 1).any():
        raise DataError(f"algorithm.item_vectors: {path} has the id {names[counts > 1][0]} twice")
    place = lookup(data.item_ids, known)
    if not (place >= 0).any():
        few = [", ".join(map(str, some[:3])) for some in (known, data.item_ids)]
        raise DataError(
            f"algorithm.item_vectors: {path} has none of the items of {data.name}: its first ids are {few[0]}, those "
            f"of the data {few[1]}"
        )
    if missing := int((place < 0).sum()):
        log.warning("algorithm.item_vectors: %d of %d items have no vector", missing, data.n_items)
    vectors = vectors.astype(np.float64)  # squares of large numbers do not fit in less
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found = (vectors / np.where(lengths > 0, lengths, 1))[place] * (place >= 0)[:, None]
    return found.astype(np.float32)
