"""The wheel holds what an installed recexp needs, and no more."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from recexp.tracking import wheel as of_this_process

ROOT = Path(__file__).parent.parent


def test_wheel_holds_code_and_all_yaml(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "build", "--outdir", tmp_path, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    yaml = {f"recexp/conf/{path.relative_to(ROOT / 'conf')}" for path in (ROOT / "conf").rglob("*.yaml")}
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "recexp").rglob("*.py")}
    described = {name for name in names if ".dist-info/" in name}
    assert yaml <= names
    assert code <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"recexp"}

    ours = zipfile.ZipFile(io.BytesIO(of_this_process.content()))
    theirs = zipfile.ZipFile(wheel)
    package = [name for name in ours.namelist() if ".dist-info" not in name]
    assert {name: ours.read(name) for name in package} == {name: theirs.read(name) for name in names - described}
    assert {name for name in ours.namelist() if ".dist-info" in name} >= {
        name for name in described if "lic" not in name
    }

    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    words = ["-m", "dataset=electronics", "seed=1,2", "hydra/launcher=processes", "hydra.launcher.workers=0"]
    done = subprocess.run(
        [sys.executable, "-m", "recexp", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
    )
    assert done.returncode == 2, "its launchers are found by Hydra"
    assert "hydra.launcher.workers: must be greater than or equal to 1 (got 0)" in done.stderr
