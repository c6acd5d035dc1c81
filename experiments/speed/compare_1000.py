"""Time `recexp compare` on an experiment of 1,000 runs: `RECEXP_DATA=DIR python compare_1000.py [OVERRIDE ...]`.

A few real runs are made in a temporary store, then copied in its database, each copy with a value of its own for a
hyperparameter and slightly other metrics; copies share the files of the run that they come from.
"""

import itertools
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

RUNS = 1000
REAL = ("algorithm=ease,item_knn,rp3beta,popularity", "seed=1,2", "tracking.log_model=false")
TABLES = ("runs", "params", "tags", "latest_metrics")


def command(folder: Path, *arguments: str) -> str:
    """Run recexp in a folder and return what it says."""
    done = subprocess.run([sys.executable, "-m", "recexp", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def copy(file: Path, runs: int) -> None:
    """Copy the runs of an experiment, in turn, until there are `runs`."""
    with closing(sqlite3.connect(file)) as database:
        columns = {t: [row[1] for row in database.execute(f"pragma table_info({t})")] for t in TABLES}
        real = [row[0] for row in database.execute("select run_uuid from runs order by start_time")]
        pairs = [real[i : i + 2] for i in range(0, len(real), 2)]  # the seeds of a configuration are neighbours
        draws = random.Random(1)
        for number, pair in zip(range((runs - len(real)) // 2), itertools.cycle(pairs)):
            shift = draws.gauss(0, 0.003)
            for old in pair:
                new = uuid.uuid4().hex
                for table, names in columns.items():
                    chosen = ", ".join("?" if name == "run_uuid" else name for name in names)
                    query = f"insert into {table} select {chosen} from {table} where run_uuid = ?"
                    database.execute(query, (new, old))
                variant = ("algorithm.variant", str(number), new)
                database.execute("insert into params (key, value, run_uuid) values (?, ?, ?)", variant)
                query = "update latest_metrics set value = value + ? where run_uuid = ? and key like 'test/ndcg%'"
                database.execute(query, (shift, new))
        database.commit()


def main(overrides: Sequence[str]) -> None:
    """Make the store and time three comparisons."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command(folder, "-m", *REAL, *overrides)
        copy(folder / "mlflow.db", RUNS)
        for arguments in (
            ["compare"],
            ["compare", "--baseline", "popularity"],
            ["compare", "--html", "a.html"],
        ):
            began = time.perf_counter()
            said = command(folder, *arguments)
            sys.stdout.write(f"{time.perf_counter() - began:.1f} s: recexp {' '.join(arguments)}\n")
        sys.stdout.write(said)


if __name__ == "__main__":
    main(sys.argv[1:])
