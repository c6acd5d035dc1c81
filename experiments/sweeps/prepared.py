"""How often does a sweep load and split its data, and how long do the jobs wait for them?

    RECEXP_DATA=DIR python prepared.py [--dataset movielens_1m] [--jobs 20]

Three sweeps of the same jobs, which differ in a hyperparameter: in one process with nothing prepared, on two processes
with nothing prepared, and on two processes once more; then new processes that only prepare. What each job found
prepared is read from the log of its run, and its seconds on data and split are the run's own metrics.
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

PROCESSES = ("hydra/launcher=processes", "hydra.launcher.workers=2")
HEADS = ("sweep", "jobs", "loaded", "split", "s on data, first job of each process", "other jobs", "at most", "load")
TAKEN = "using cached data ("
"""What a run says of data and of a split that it took from what was prepared."""
_JOBS = """
select r.artifact_uri, sum(m.value) from runs r join latest_metrics m using (run_uuid)
join tags t using (run_uuid) where t.key = 'recexp.complete' and t.value = 'true'
and m.key in ('cost/data_seconds', 'cost/split_seconds') group by r.run_uuid order by r.start_time
"""
_ALONE = """
import sys, time, recexp
from recexp.prepared import Preparation
parts = [recexp.make(word) for word in (f"dataset={sys.argv[1]}", "filter=positive", "split=random")]
wall, cpu = time.perf_counter(), time.process_time()
with Preparation(*parts, seed=1, cache=True) as prepared:
    next(prepared.splits(prepared.load()))
print(f"{time.perf_counter() - wall:.2f} s, of processor time {time.process_time() - cpu:.2f} s")
"""
"""The wall clock tells of other programs too."""


def sweep(folder: Path, cache: Path, dataset: str, jobs: int, *launcher: str) -> list[tuple[str, float]]:
    """Run a sweep in an empty folder; return the log of each job, those that began first before, and its seconds."""
    folder.mkdir()
    values = ",".join(str(days) for days in range(1, jobs + 1))
    words = [
        f"dataset={dataset}",
        "algorithm=popularity",
        f"algorithm.half_life_days={values}",
        "tracking.log_model=false",
        "evaluation.resamples=50",
    ]
    command = [sys.executable, "-m", "recexp", "-m", *words, *launcher]
    environment = {**os.environ, "RECEXP_CACHE": str(cache)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        found = store.execute(_JOBS).fetchall()
    return [(Path(url2pathname(urlsplit(uri).path), "recexp.log").read_text(), seconds) for uri, seconds in found]


def row(name: str, found: list[tuple[str, float]], processes: int) -> str:
    """Return a row of the table. Those that began first are the first of their process."""
    logs, seconds = zip(*found)
    taken = [log.count(TAKEN) for log in logs]  # the data and the split, the data alone, or nothing
    loaded, split = taken.count(0), taken.count(0) + taken.count(1)
    first, later = ", ".join(f"{value:.2f}" for value in seconds[:processes]), seconds[processes:]
    cells = [
        name,
        len(found),
        loaded,
        split,
        first,
        f"{statistics.median(later):.3f}",
        f"{max(later):.3f}",
        f"{os.getloadavg()[0]:.1f}",
    ]
    return f"| {' | '.join(map(str, cells))} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="movielens_1m")
    parser.add_argument("--jobs", type=int, default=20)
    given = parser.parse_args()
    sys.stdout.write(f"| {' | '.join(HEADS)} |\n{'|---' * len(HEADS)}|\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, cache, launcher in (
            ("one process, nothing prepared", "a", ()),
            ("two processes, nothing prepared", "b", PROCESSES),
            ("two processes, all prepared", "b", PROCESSES),
        ):
            found = sweep(folder / name, folder / cache, given.dataset, given.jobs, *launcher)
            sys.stdout.write(row(name, found, 2 if launcher else 1))
            sys.stdout.flush()
        environment = {**os.environ, "RECEXP_CACHE": str(folder / cache)}
        for _ in range(3):
            alone = [sys.executable, "-c", _ALONE, given.dataset]
            done = subprocess.run(alone, env=environment, capture_output=True, text=True, check=True)
            sys.stdout.write(f"\na new process, all prepared: {done.stdout}")


if __name__ == "__main__":
    main()
