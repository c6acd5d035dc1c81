"""The cache folder of compiled kernels, the log line that explains a slow first run, and the time spent compiling."""

import gc
import logging
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import event

from recexp import system
from recexp.cost import OVERHEAD
from recexp.folders import cache_dir

log = logging.getLogger(__name__)

for _name in ("CACHE_DIR", "CACHE_LOCATOR_CLASSES"):  # numba runs what it finds there; the working directory may say it
    setattr(numba.config, _name, os.environ.get(f"NUMBA_{_name}", ""))


@cache
def use_own_folder() -> bool:
    """Let numba keep kernels in a folder that nobody else can write to, for it runs what it finds there.

    Return whether there is one: below RECEXP_CACHE or the user's cache folder, else among the temporary files.
    """
    for folder in (cache_dir("kernels"), Path(tempfile.gettempdir()) / f"recexp-kernels{system.user_suffix()}"):
        if system.make_private(folder):
            numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
            return True
    return False


class _Told(event.Listener):
    """Says once that kernels are compiled."""

    announced = False

    def on_start(self, event: Any) -> None:
        if not self.announced:
            self.announced = True
            kept = getattr(event.data["dispatcher"], "_cache", None)
            where = getattr(kept, "cache_path", None)
            again = (
                f"later runs reuse them from {where}"
                if where
                else "no cache folder is writable, so later runs compile them again"
            )
            log.info("compiling kernels for this machine, which takes a few seconds; %s", again)

    def on_end(self, event: Any) -> None:
        """Nothing is said of the end."""


class _Uncollected(event.Listener):
    """Keeps the garbage collector out of compiling, which makes many objects that live on: a tenth of its time."""

    depth = 0
    collecting = False

    def on_start(self, event: Any) -> None:
        if not self.depth:
            self.collecting = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if not self.depth and self.collecting:
            gc.enable()


class _Timed(event.Listener):
    """Counts the time of compiling as overhead."""

    def on_start(self, event: Any) -> None:
        OVERHEAD.begin()

    def on_end(self, event: Any) -> None:
        OVERHEAD.end()


for listener in (_Told(), _Uncollected(), _Timed()):
    event.register("numba:compile", listener)
