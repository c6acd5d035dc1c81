"""Conversions between numpy and Arrow; Arrow's own import pandas, which takes half a second."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def to_numpy(column: "pa.ChunkedArray | pa.Array") -> np.ndarray:
    """Return a column of numbers, none of them null, as one array (m,) of its own type; it may be read-only."""
    chunks = getattr(column, "chunks", [column])  # an Array has none
    arrays = [np.from_dlpack(chunk) for chunk in chunks]
    if not arrays:
        return np.empty(0, column.type.to_pandas_dtype())
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def mask(column: "pa.ChunkedArray | pa.Array") -> np.ndarray:
    """Return a column of booleans as bool (m,), null as False."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return to_numpy(pc.fill_null(column, False).cast(pa.uint8())).view(bool)


def texts(column: "pa.ChunkedArray | pa.Array") -> np.ndarray:
    """Return a column of text as object (m,) of str, null as None."""
    out = np.empty(len(column), dtype=object)
    out[:] = column.to_pylist()
    return out


def from_numpy(values: np.ndarray, null: np.ndarray | None = None) -> "pa.Array":
    """Return numbers, booleans or an object array of str (m,) as an Arrow array, null where `null`, bool (m,), is."""
    import pyarrow as pa

    if values.dtype == object:
        return pa.array(values, pa.string(), mask=null)
    bits = np.packbits(values, bitorder="little") if values.dtype == bool else np.ascontiguousarray(values)
    known = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [known, pa.py_buffer(bits)])
