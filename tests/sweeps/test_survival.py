"""The study of survival, small: a worker is killed, then the whole sweep; nothing is lost, nothing is double."""

import importlib.util
import random
from collections.abc import Callable
from pathlib import Path

FILE = Path(__file__).parent.parent.parent / "experiments" / "sweeps" / "survival.py"
JOBS = 12  # a quick job takes a tenth of a second: fewer could all be done before they are disturbed


def test_a_sweep_survives_its_workers_and_itself_being_killed(workplace: Path, inside: Callable) -> None:
    spec = importlib.util.spec_from_file_location("survival", FILE)
    survival = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(survival)
    calm, wild = workplace, workplace / "wild"
    wild.mkdir()
    (wild / "mlflow.db").write_bytes((calm / "mlflow.db").read_bytes())
    words = [*survival.words(JOBS), "runner.threads=1"]
    assert inside(*words).returncode == 0  # in this process, where nothing can be killed
    plan = [(0, "worker"), (1, "sweep")]
    launcher = [*survival.LAUNCHER, "hydra.launcher.workers=1"]
    assert survival.disturb(wild, [*words, *launcher], plan, random.Random(32), within=0.2) == 2
    assert survival.found(wild) == survival.found(calm)
    assert len(survival.found(wild)) == JOBS
    assert "RUNNING" not in survival.states(wild)
