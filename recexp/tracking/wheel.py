"""recexp as a wheel, made of what runs: logged models require it, for no package index has this very code."""

import base64
import hashlib
import io
import re
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

from recexp import folders
from recexp.version import __version__

NAME = f"recexp-{__version__}-py3-none-any.whl"
_TAGS = "Wheel-Version: 1.0\nGenerator: recexp\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The time of each file in it: equal code makes equal bytes."""


def write(folder: Path) -> bool:
    """Write the wheel into `folder` under its NAME; return False where recexp runs without having been installed."""
    try:
        (folder / NAME).write_bytes(content())
    except metadata.PackageNotFoundError:
        return False
    return True


@cache
def content() -> bytes:
    """Return the wheel: the package and its yaml as they lie on disk, and what its installation says of it."""
    installed = metadata.distribution("recexp")
    about = installed.read_text("METADATA") or ""
    info = f"recexp-{__version__}.dist-info"
    members = {**_package(), f"{info}/WHEEL": _TAGS.encode()}
    members[f"{info}/METADATA"] = re.sub(r"(?m)^Version: .*$", f"Version: {__version__}", about, count=1).encode()
    members[f"{info}/entry_points.txt"] = (installed.read_text("entry_points.txt") or "").encode()
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in members.items()]
    members[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _package() -> dict[str, bytes]:
    """Return the package's files by name; a checkout has its yaml beside it."""
    return {**_files(folders.PACKAGE, "recexp"), **_files(folders.conf_dir(), "recexp/conf")}


def _files(folder: Path, name: str) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
