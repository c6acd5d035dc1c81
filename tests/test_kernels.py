"""Kernels compile where nothing can be kept on disk, too."""

from types import FunctionType

import numba
import pytest

from recexp.kernels import jit


def test_without_a_place_for_the_cache_kernels_still_run() -> None:
    def more(x):
        return x + 1

    nowhere = FunctionType(more.__code__.replace(co_filename="/no/such/folder/file.py"), globals())
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(nowhere)
    assert jit(nowhere)(2) == 3
