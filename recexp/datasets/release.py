"""A dataset that its makers release as an archive."""

import logging
import os
from abc import abstractmethod
from pathlib import Path

from recexp.data import Dataset
from recexp.datasets.base import Source
from recexp.datasets.download import exclusive, fetch
from recexp.errors import DataError
from recexp.folders import cache_dir
from recexp.io import exists
from recexp.params import Location, params

log = logging.getLogger(__name__)


@params
class Release(Source):
    """Files released as an archive: found on this machine, or downloaded once into the cache.

    The first of these that holds the files is used, packed (zip) or not: `root`; the folder that the environment
    variable RECEXP_DATA names; the cache (RECEXP_CACHE, or the user's cache folder).

    Parameters
    ----------
    url, sha256 : where the archive is offered, and the checksum of what must arrive from there; null: nowhere.
    root : a folder, or archive, that holds the files; nothing else is looked at then. null: look as said.
    folder : what the folder and the archive are called.
    """

    url: Location | None
    sha256: str | None
    root: Location | None
    folder: str

    @property
    @abstractmethod
    def marker(self) -> str:
        """Name of the file by which the folder is known."""

    @property
    @abstractmethod
    def other_files(self) -> tuple[str, ...]:
        """Names of the other files that are read, where they are there."""

    @abstractmethod
    def read(self, base: Path) -> Dataset:
        """Read the files in `base`, a folder or a folder in an archive (`ml-1m.zip/ml-1m`)."""

    def check(self) -> None:
        if self.base() is not None:
            return
        if self.root is not None:
            raise DataError(f"dataset.root: {self.root} holds neither {self.marker} nor {self.folder}.zip")
        self._offer()

    def load(self) -> Dataset:
        self.check()
        base = self.base() or self.download()
        log.info("reading %s", base)
        try:
            return self.read(base)
        except ValueError as error:
            raise DataError(f"{base}: its files do not match {self.folder}: {error}") from error

    def location(self) -> Path | None:
        return self.base()

    def files(self) -> dict[str, Path] | None:
        base = self.base()
        if base is None:
            return None
        return {name: base / name for name in (self.marker, *self.other_files) if exists(base / name)}

    def base(self) -> Path | None:
        """Return the folder that holds the files, on disk or in an archive; None when there is none yet."""
        if self.root is not None:
            return self._within(Path(self.root).expanduser())
        shared = os.environ.get("RECEXP_DATA")
        if shared and not Path(shared).is_dir():
            raise DataError(f"the environment variable RECEXP_DATA names {shared}, which is not a folder")
        found = self._within(Path(shared)) if shared else None
        return found or self._within(cache_dir("datasets"))

    def _within(self, root: Path) -> Path | None:
        archive = f"{self.folder}.zip"
        candidates = [root, root / self.folder, root / archive, root / self.folder / archive]
        inside = [path / self.folder for path in (root, *candidates[2:]) if path.suffix == ".zip"]
        return next((path for path in candidates + inside if exists(path / self.marker)), None)

    def _offer(self) -> tuple[str, str]:
        """Return where the archive is offered, and its checksum. Raises DataError where that is nowhere."""
        if self.url is None or self.sha256 is None:
            raise DataError(
                f"dataset.root: {self.name} cannot be downloaded; say which folder or archive holds {self.marker}, or "
                f"put {self.folder}.zip into the folder that the environment variable RECEXP_DATA names"
            )
        return self.url, self.sha256

    def download(self) -> Path:
        """Download the archive into the cache, unless another process has just done so, and return the folder in it."""
        target, (url, sha256) = cache_dir("datasets") / f"{self.folder}.zip", self._offer()
        with exclusive(target):
            if not target.exists():
                log.info("downloading %s. Terms: %s", url, self.terms)
                fetch(url, target, sha256=sha256)
        found = self._within(target)
        if found is None:
            raise DataError(f"{target} has no {self.marker}; delete it to download it again")
        return found
