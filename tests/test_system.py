"""What differs between systems is in one file, copies of processes in another; recexp does without either."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recexp import system

PACKAGE = Path(system.__file__).parent
SOME_ONLY = re.compile(
    r"import (fcntl|resource|pwd|grp|termios|selectors)\b|/(proc|sys)/|EDQUOT|start_new_session|preexec_fn"
    r"|os\.(kill|killpg|fork|exec\w+|wait\w*|[gs]et\w*[ugs]id|sched_\w+|register_at_fork|fch\w+|nice|sysconf|statvfs)\b"
    r"|signal\.(SIG(?!INT\b|_)\w+|pthread_\w+|alarm|raise_signal)\b"
)
COMMANDS = """
import sys
from recexp import cli

quick = ["filter=all_positive", "split=random", "tracking.log_model=false", "evaluation.resamples=50", *sys.argv[1:]]
sweep = ["-m", "algorithm=popularity,random", "hydra/launcher=processes", "hydra.launcher.workers=1"]
print([cli.run(words) for words in ([*quick, "algorithm=popularity", "seed=2"], [*sweep, *quick], ["compare"])])
try:
    import fcntl
except ImportError:
    print("without")
"""


def test_no_other_file_names_what_only_some_systems_have() -> None:
    found = {
        str(path.relative_to(PACKAGE)): match[0]
        for path in PACKAGE.rglob("*.py")
        if (match := SOME_ONLY.search(path.read_text())) and path.name not in ("system.py", "forking.py")
    }
    assert found == {}
    assert SOME_ONLY.search((PACKAGE / "system.py").read_text())


def test_a_run_a_sweep_and_compare_without_what_only_posix_has(
    workplace: Path, shop_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("without")
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules.update(fcntl=None, resource=None)\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", COMMANDS, "dataset=files", f"dataset.interactions={shop_folder / 'ratings.csv'}"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=workplace)
    assert done.stdout.splitlines()[-2:] == ["[0, 0, 0]", "without"], done.stdout + done.stderr
    assert "2 of 2 jobs done (2 ran, 0 skipped, 0 failed)" in done.stdout
    assert re.search(r"popularity .* random ", done.stdout, re.DOTALL)


def test_a_process_is_alive_until_it_ends() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert system.is_alive(process.pid) and system.is_alive(os.getpid())
    assert system.began(process.pid) != system.began(os.getpid()) or system.began(os.getpid()) == ""
    process.communicate(b"\n")
    assert not system.is_alive(process.pid)


@pytest.mark.parametrize(("code", "name"), [(0, None), (3, None), (-9, "SIGKILL"), (-15, "SIGTERM")])
def test_what_killed_a_process_is_named(code: int, name: str | None) -> None:
    assert system.killed_by(code) == name
