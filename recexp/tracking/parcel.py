"""The form in which a run leaves a store, or is kept while it cannot get into one: a zip file of plain data."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

from recexp.checksums import sha256
from recexp.version import __version__

KIND, FORMAT = "recexp run", 1
MANIFEST, RECORD, FILES, MODEL = "manifest.json", "record.json", "files", "model"


def write(folder: Path, record: dict[str, Any], file: Path) -> None:
    """Write a run to `file`, as a whole or not at all: its record, and what lies in `folder` below FILES and MODEL.

    The manifest holds the checksum of each member. Raises OSError.
    """
    (folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    members = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {path.relative_to(folder).as_posix(): sha256(path) for path in members}
    manifest = {"kind": KIND, "format": FORMAT, "recexp": __version__, "run": record["id"], "sha256": sums}
    part = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
            for name in sums:
                archive.write(folder / name, name)
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
