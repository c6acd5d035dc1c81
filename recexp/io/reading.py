"""Reads the bytes of files, also gzipped, and of members of zip archives."""

import gzip
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

from recexp import limits
from recexp.errors import DataError

_BLOCK = 16 << 20


def _member(path: Path) -> tuple[Path, str] | None:
    """Split `archive.zip/folder/file` into the archive and the name of its member; None when there is no archive."""
    for parent in path.parents:
        if parent.is_file():
            return (parent, path.relative_to(parent).as_posix()) if zipfile.is_zipfile(parent) else None
    return None


def located(path: Path) -> tuple[Path, str]:
    """Return the file on disk that holds `path`, itself or its archive, and the name of `path` in there."""
    inside = None if path.is_file() else _member(path)
    return inside or (path, path.name)


def exists(path: Path) -> bool:
    """Whether `path` is a file, or a member of a zip archive (`archive.zip/folder/file`)."""
    inside = None if path.is_file() else _member(path)
    if inside is None:
        return path.is_file()
    with zipfile.ZipFile(inside[0]) as archive:
        return inside[1] in archive.namelist()


def check_file(path: Path, label: str) -> None:
    """Raise DataError, which begins with `label`, where there is no such file."""
    if not exists(path):
        raise DataError(f"{label}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, unpacked when it ends in .gz; `archive.zip/folder/file` is a member of an archive.

    Raises DataError when there is no such file, it cannot be read, or what is unpacked goes beyond the limits.
    """
    try:
        if path.is_file():
            data = path.read_bytes()
            size = len(data)
        elif (inside := _member(path)) is not None:
            with zipfile.ZipFile(inside[0]) as archive:
                if inside[1] not in archive.namelist():
                    members = ", ".join(archive.namelist()[:20])
                    raise DataError(f"{inside[0]} does not contain {inside[1]}; it contains {members}")
                member = archive.getinfo(inside[1])
                size = member.compress_size
                check_unpacked(path, size, member.file_size)
                data = archive.read(member)
        else:
            raise DataError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")
        return _gunzipped(path, data, size) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _gunzipped(path: Path, data: bytes, packed: int) -> bytes:
    """Return what is in a gzipped file that takes so many bytes on disk, while that is within limits."""
    blocks, size = [], 0
    with gzip.open(BytesIO(data)) as file:
        while block := file.read(_BLOCK):
            blocks.append(block)
            size += len(block)
            check_unpacked(path, packed, size)
    return b"".join(blocks)


def check_unpacked(path: Path, packed: int, unpacked: int) -> None:
    """Raise DataError if a packed file unpacks to more bytes than the limits allow."""
    if excess := limits.excess("data_mib", packed, unpacked):
        raise DataError(f"{path}: {excess}")
