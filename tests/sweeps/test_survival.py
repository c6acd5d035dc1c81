"""The study of survival, small: a worker is killed, then the whole sweep; nothing is lost, nothing is double."""

import importlib.util
import random
from collections.abc import Callable
from pathlib import Path

FILE = Path(__file__).parent.parent.parent / "experiments" / "sweeps" / "survival.py"


def test_a_sweep_survives_its_workers_and_itself_being_killed(workplace: Path, inside: Callable) -> None:
    spec = importlib.util.spec_from_file_location("survival", FILE)
    survival = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(survival)
    calm, wild = workplace, workplace / "wild"
    wild.mkdir()
    (wild / "mlflow.db").write_bytes((calm / "mlflow.db").read_bytes())
    words = [*survival.words(6), "runner.threads=1"]
    assert inside(*words).returncode == 0  # in this process, where nothing can be killed
    plan = [(0, "worker"), (2, "sweep")]
    assert survival.disturb(wild, [*words, *survival.LAUNCHER], plan, random.Random(1)) == 2
    assert survival.found(wild) == survival.found(calm)
    assert len(survival.found(wild)) == 6
    assert "RUNNING" not in survival.states(wild)
