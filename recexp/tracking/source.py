"""The versions of what is installed."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from recexp import file_names


@cache
def requirements(*, deep: bool) -> list[str]:
    """Return `name==version` of recexp and of what it requires; with `deep` also of what those require, and so on."""
    found: dict[str, str] = {}
    queue = ["recexp"]
    while queue:
        name = queue.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # needed on another platform only
            continue
        found[key] = f"{key}=={distribution.version}"
        if deep or name == "recexp":
            needs = [line for line in distribution.requires or [] if not re.search(r"extra\s*==", line)]
            queue += [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in needs]
    return sorted(found.values())


def write(folder: Path, diff: str, copies: Mapping[str, str]) -> None:
    """Write what the code was into a run's files: what is installed, what is not committed, and the person's own."""
    (folder / file_names.REQUIREMENTS).write_text("\n".join(requirements(deep=True)) + "\n")
    if diff:
        (folder / file_names.DIFF).write_text(diff, encoding="utf-8")
    for name, text in copies.items():
        file = folder / file_names.CODE / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
