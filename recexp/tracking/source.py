"""What the code was: the git state of the working directory, and the versions of what is installed."""

import re
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from recexp import folders

MAX_DIFF_BYTES = 1_000_000


def git_state(folder: Path) -> tuple[dict[str, str], str]:
    """Return tags of the commit that `folder` is at, and what is not committed as a diff.

    Outside of git they are those of the clone that recexp runs from, or empty. Files that git does not track count when
    they may be part of the experiment: code and yaml.
    """
    clone = folders.PACKAGE.parent
    candidates = [folder, *([clone] if (clone / ".git").exists() else [])]
    commits = ((commit, path) for path in candidates if (commit := _git(path, "rev-parse", "HEAD")))
    commit, folder = next(commits, ("", folder))
    if not commit:
        return {}, ""
    diff = _git(folder, "diff", "--no-color", "--no-ext-diff", "HEAD")
    for new in _git(folder, "ls-files", "--others", "--exclude-standard", "--", "*.py", "*.yaml", "*.yml").splitlines():
        diff += _git(folder, "diff", "--no-color", "--no-ext-diff", "--no-index", "--", "/dev/null", new)
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD").strip()
    tags = {
        "mlflow.source.git.commit": commit.strip(),
        "mlflow.source.git.branch": branch,
        "recexp.git_dirty": "true" if diff else "false",
    }
    if len(diff) > MAX_DIFF_BYTES:
        diff = f"{diff[:MAX_DIFF_BYTES]}\n... cut: the whole diff has {len(diff)} characters\n"
    return tags, diff


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


def write(folder: Path, diff: str) -> None:
    """Write what the code was into a run's files: what is installed, and what is not committed."""
    (folder / "requirements.txt").write_text("\n".join(requirements(deep=True)) + "\n")
    if diff:
        (folder / "git.diff").write_text(diff, encoding="utf-8")


def _git(folder: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(
            ["git", "--no-optional-locks", *arguments], cwd=folder, capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    differs = "--no-index" in arguments and result.returncode == 1
    return result.stdout.decode(errors="replace") if result.returncode == 0 or differs else ""
