"""What the code was: the commit of the working directory, and what of code and yaml is not in it."""

import difflib
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from recexp import folders
from recexp.secrets import is_secret, mask_source

MAX_DIFF_BYTES = 1_000_000
DIRTY = "recexp.git_dirty"
KINDS = (".py", ".yaml", ".yml")
_SAFE = {"core.fsmonitor": "false", "core.hooksPath": os.devnull, "core.untrackedCache": "false"}
_NO_FETCH = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_OPTIONAL_LOCKS": "0"}
_DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")


def state(folder: Path) -> tuple[dict[str, str], str]:
    """Return tags of the commit that `folder` is at, and as a diff what is changed in code and yaml that git tracks.

    Outside of git they are those of the clone that recexp runs from, or empty. Files that usually hold secrets are left
    out. Nothing is run that the configuration of the repository names: it may have come from elsewhere.
    """
    clone = folders.PACKAGE.parent
    candidates = [folder, *([clone] if (clone / ".git").exists() else [])]
    heads = ((_run(path, ["rev-parse", "HEAD", "--abbrev-ref", "HEAD"], _SAFE).split(), path) for path in candidates)
    head, folder = next(((head, path) for head, path in heads if head), ([], folder))
    if not head:
        return {}, ""
    changed = ask(folder, *_DIFF, "--name-only", "-z", "HEAD").split("\0")[:-1]
    shown = [f":(top,literal){path}" for path in changed if path.endswith(KINDS) and not is_secret(path)]
    tags = {
        "mlflow.source.git.commit": head[0],
        "mlflow.source.git.branch": head[1],
        DIRTY: "true" if changed else "false",
    }
    return tags, ask(folder, *_DIFF, "HEAD", "--", *shown) if shown else ""


def untracked(folder: Path, files: Iterable[str]) -> str:
    """Return as a diff those of the files, code and yaml of a person's own, that git does not track in `folder`."""
    parts: list[str] = []
    for path in sorted({Path(name).absolute() for name in files}):
        inside = os.path.relpath(path, folder)
        if path.suffix not in KINDS or is_secret(inside if ".." not in inside else path.name) or not path.is_file():
            continue
        if ".." not in Path(inside).parts and ask(folder, "ls-files", "--", f":(literal){inside}"):
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        parts += difflib.unified_diff([], lines, "/dev/null", f"b/{inside}")
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def copies(folder: Path, files: Iterable[str]) -> dict[str, str]:
    """Return the text of the files, code and yaml of a person's own, by where it is kept; without secrets.

    They are called as in `folder`; those of another place are called after the folder that they are in.
    """
    kept = {}
    for path in sorted({Path(name).absolute() for name in files}):
        inside = os.path.relpath(path, folder)
        name = "/".join(path.parts[-2:]) if ".." in Path(inside).parts else Path(inside).as_posix()
        if path.suffix in KINDS and not is_secret(name) and path.is_file() and path.stat().st_size <= MAX_DIFF_BYTES:
            kept[name] = mask_source(path.read_text(encoding="utf-8", errors="replace"))
    return kept


def whole(folder: Path, diff: str, own_files: Sequence[str] | None) -> tuple[dict[str, str], str]:
    """Return the diff that a run keeps, and its tag where `own_files` change that; None: the diff is not wanted."""
    own = untracked(folder, own_files or ())
    return {DIRTY: "true"} if own else {}, "" if own_files is None else as_kept(diff + own)


def as_kept(diff: str) -> str:
    """Return a diff as it is kept: without secrets, and no longer than a megabyte."""
    diff = mask_source(diff)
    if len(diff) > MAX_DIFF_BYTES:
        diff = f"{diff[:MAX_DIFF_BYTES]}\n... cut: the whole diff has {len(diff)} characters\n"
    return diff


def ask(folder: Path, *arguments: str) -> str:
    """Return what git says, "" where it fails; commands in the repository's configuration are switched off."""
    known = _run(folder, ["config", "--list", "--name-only", "-z"], _SAFE)
    filters = {key.rpartition(".")[0] for key in known.split("\0") if key.startswith("filter.")}
    without = {f"{name}.{part}": "" for name in filters for part in ("clean", "smudge", "process")}
    return _run(folder, [*arguments], {**_SAFE, **without, **{f"{name}.required": "false" for name in filters}})


def _run(folder: Path, arguments: list[str], settings: Mapping[str, str]) -> str:
    given = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    try:
        result = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**os.environ, **_NO_FETCH, **given},
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.decode(errors="replace") if result.returncode == 0 else ""
