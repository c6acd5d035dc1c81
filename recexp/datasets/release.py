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
    url, sha256 : where the archive is offered, and the checksum of what must arrive from there.
    root : a folder, or archive, that holds the files; nothing else is looked at then. null: look as said.
    folder : what the folder and the archive are called.
    """

    url: Location
    sha256: str
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
        if self.root is not None and self.base() is None:
            raise DataError(f"dataset.root: {self.root} holds neither {self.marker} nor {self.folder}.zip")

    def load(self) -> Dataset:
        self.check()
        base = self.base() or self.download()
        log.info("reading %s", base)
        try:
            return self.read(base)
        except ValueError as error:
            raise DataError(f"{base}: its files are not those of {self.folder}: {error}") from error

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

    def download(self) -> Path:
        """Download the archive into the cache, unless another process has just done so, and return the folder in it."""
        target = cache_dir("datasets") / f"{self.folder}.zip"
        with exclusive(target):
            if not target.exists():
                log.info("downloading %s. Terms: %s", self.url, self.terms)
                fetch(self.url, target, sha256=self.sha256)
        found = self._within(target)
        if found is None:
            raise DataError(f"{target} has no {self.marker}; delete it to download it again")
        return found
