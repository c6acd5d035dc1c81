"""Kernels compile where nothing can be kept on disk, too."""

import tempfile
from pathlib import Path
from types import FunctionType, SimpleNamespace

import numba
import pytest

from recexp import kernel_cache
from recexp.kernels import jit


def test_without_a_place_for_the_cache_kernels_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")

    def more(x):
        return x + 1

    nowhere = FunctionType(more.__code__.replace(co_filename="/no/such/folder/file.py"), globals())
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(nowhere)
    assert jit(nowhere)(2) == 3


def test_kernels_are_kept_where_nobody_else_can_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("RECEXP_CACHE", str(tmp_path / "cache"))
    use = kernel_cache.use_own_folder.__wrapped__
    assert use()
    assert str(tmp_path / "cache" / "kernels") == numba.config.CACHE_DIR
    (tmp_path / "cache" / "kernels").chmod(0o777)
    assert use()
    own = Path(numba.config.CACHE_DIR)
    assert own.parent == tmp_path and own.name.startswith("recexp-kernels")
    assert own.stat().st_mode & 0o777 == 0o700
    own.rmdir()
    own.symlink_to(tmp_path)  # put there by somebody else
    assert not use()


def test_that_kernels_are_compiled_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "recexp")
    told = kernel_cache._Told()
    kernel = SimpleNamespace(_cache=SimpleNamespace(cache_path="/kept/here"))
    for _ in range(2):
        told.on_start(SimpleNamespace(data={"dispatcher": kernel}))
    (message,) = caplog.messages
    assert "later runs reuse them from /kept/here" in message
