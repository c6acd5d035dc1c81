"""What sweeps and new stores cost, beside another version: `python sweeps.py [FOLDER_OF_THE_OTHER_VERSION]`.

Each row is a command in a folder of its own, with one cache a version. Processor time counts what all processes took;
wall time, until the command ends, is of this machine. Linux only.
"""

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
SMALL = ("dataset=electronics", "dataset.n_users=120", "dataset.n_products=80", "dataset.n_visits=1500")
JOBS = (*SMALL, "evaluation.resamples=50", "algorithm=popularity")
TWO = ("hydra/launcher=processes", "hydra.launcher.workers=2")
FITS = ("dataset=movielens_100k", "algorithm=slim", "algorithm.positive=false", "algorithm.alpha=0.0001",
        "algorithm.l1_ratio=0.1", "algorithm.iterations=100", "runner.threads=1")  # fmt: skip
"""A fit of some seconds in one thread."""
ADOPT = 36  # PR_SET_CHILD_SUBREAPER: what outlives its parent becomes a child of this process
NEW_STORE = """
import sys, time
from pathlib import Path
from recexp.tracking import client
client.load()
import mlflow.store.tracking.sqlalchemy_store
began = time.process_time(), time.perf_counter()
with client.opened(f"sqlite:///{Path.cwd() / 'mlflow.db'}") as store:
    store.search_experiments()
print(time.process_time() - began[0], time.perf_counter() - began[1])
"""


def run(root: Path, cache: Path, *words: str, until: str | None = None) -> tuple[float, float]:
    """Run recexp in a new folder; return processor and wall seconds, up to a line that holds `until` if given."""
    with tempfile.TemporaryDirectory() as folder:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(root), "RECEXP_CACHE": str(cache)}
        process = subprocess.Popen(
            [sys.executable, "-m", "recexp", *words], cwd=folder, env=environment, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        for line in process.stderr or ():
            if until is not None and until in line:
                process.terminate()
                break
        wall = time.perf_counter() - began
        process.communicate()
        with suppress(ChildProcessError):
            while True:
                os.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def new_store(root: Path, cache: Path) -> tuple[float, float]:
    """Return processor and wall seconds of making a store, MLflow being imported."""
    environment = {**os.environ, "PYTHONPATH": str(root), "RECEXP_CACHE": str(cache)}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-c", NEW_STORE], cwd=folder, env=environment, capture_output=True)
    processor, wall = map(float, done.stdout.split())
    return processor, wall


def measure(root: Path, cache: Path) -> dict[str, tuple[float, float]]:
    """Return the rows of one version."""
    new_store(root, cache)
    found = {"a new store": new_store(root, cache)}
    for name, words in {"in one process": (), "by two workers": TWO}.items():
        few, many = (run(root, cache, "-m", *JOBS, f"seed=range(1,{n + 1})", *words) for n in (4, 24))
        found[f"24 jobs {name}"] = many
        found[f"one more job {name}"] = ((many[0] - few[0]) / 20, (many[1] - few[1]) / 20)
        found[f"4 fits of some seconds {name}"] = run(root, cache, "-m", *FITS, "seed=range(1,5)", *words)
    found["first job of 300"] = run(root, cache, "-m", *JOBS, "seed=range(1,301)", until=" job 0: ")
    return found


def main(versions: list[Path]) -> None:
    """Print a table, a line a row, processor and wall seconds of each version."""
    ctypes.CDLL(None).prctl(ADOPT, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        tables = [measure(root, Path(folder) / str(number)) for number, root in enumerate(versions)]
    for row in tables[0]:
        cells = (f"{table[row][0]:.2f} ({table[row][1]:.2f})" for table in tables)
        sys.stdout.write(f"| {row} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main([*map(Path, sys.argv[1:]), ROOT])
