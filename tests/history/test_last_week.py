"""What ran last week: found, made again to the last bit, and, when its code has changed, told what changed."""

import re
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from small_store import SMALL

WEEK = 7 * 86_400_000
PAGE_CHANGE = ("1 / (users + self.damping)", "1 / (users + 2 * self.damping)")


def test_last_weeks_run_is_reproduced_and_changed_code_is_named(
    page: Callable, inside: Callable, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the file changes faster than compiled ones tell
    written = page("add_an_algorithm")
    written.write(workplace)
    (first, *_) = written.commands
    done = inside(*[word for word in first if word != "-m" and "," not in word], *SMALL[1:])
    assert done.returncode == 0, done.stderr
    with sqlite3.connect("mlflow.db") as store:
        store.execute("UPDATE runs SET start_time = start_time - ?", [WEEK])
    store.close()
    (row,) = [line for line in inside("runs").stdout.splitlines() if "also_took" in line]
    run = row.split()[0]
    assert "damping" in inside("show", run).stdout

    again = inside("--trust", "also_took", "reproduce", run)
    assert again.returncode == 0, again.stderr
    assert re.search(r"run \w+ reproduces \w+: bit-equal: (\d+) of \1 metrics bit-equal", again.stdout)

    code = workplace / "also_took.py"
    code.write_text(code.read_text().replace(*PAGE_CHANGE))
    del sys.modules["also_took"]
    other = inside("--trust", "also_took", "reproduce", run)
    assert other.returncode == 1 and "does not reproduce" in other.stderr
    newest = inside("runs").stdout.splitlines()[1].split()[0]
    shown = inside("--trust", "also_took", "show", newest).stdout
    for text, sign, line in zip([other.stdout, shown] * 2, "--++", [*PAGE_CHANGE[:1] * 2, *PAGE_CHANGE[1:] * 2]):
        part = text.partition("also_took.AlsoTook, changed since run ")[2].splitlines()
        assert any(one.startswith(f"  {sign}") and line in one for one in part), text
    kept = re.search(r"the code of then is in (\S+): put it back", other.stdout)[1]
    shutil.copy(Path(kept) / "also_took.py", code)
    del sys.modules["also_took"]
    assert inside("--trust", "also_took", "reproduce", run).returncode == 0
