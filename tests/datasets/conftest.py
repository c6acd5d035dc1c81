"""What tests of data sets share."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def shared() -> Path:
    """The folder of real data; tests of it are skipped where there is none."""
    if "RECEXP_DATA" not in os.environ:
        pytest.skip("RECEXP_DATA is not set")
    return Path(os.environ["RECEXP_DATA"])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no other data on this machine."""
    monkeypatch.delenv("RECEXP_DATA", raising=False)
    monkeypatch.setenv("RECEXP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"
