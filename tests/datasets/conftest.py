"""What tests of datasets share."""

from pathlib import Path

import pytest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no other data on this machine."""
    monkeypatch.delenv("RECEXP_DATA", raising=False)
    monkeypatch.setenv("RECEXP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"
