"""Whole processes side by side: recexp to a complete tracked run, RecTools in a plain script; see README.md."""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
OURS = {"ease": ["algorithm=ease"], "item_knn": ["algorithm=item_knn", "algorithm.neighbors_of=seen"]}
DATA = ["dataset=movielens_1m", "filter=all_positive", "split=random", "runner.cache=false"]


def timed(command: list[str], folder: Path, threads: int) -> tuple[float, str]:
    """Run a fresh process on `threads` cores; return its seconds and what it printed."""
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(variables, str(threads))}
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads]),
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout


def quality(store: Path) -> tuple[float, float]:
    """Return NDCG@10 and Recall@10 of the newest run in an MLflow store."""
    query = "SELECT value FROM latest_metrics JOIN runs USING (run_uuid) WHERE key = ? ORDER BY start_time DESC LIMIT 1"
    with sqlite3.connect(store) as database:
        return tuple(database.execute(query, [f"test/{name}_at_10"]).fetchone()[0] for name in ("ndcg", "recall"))


def compare(name: str, peer: str, repeats: int, threads: int) -> str:
    """Return a row of the table: medians, their ratio, and the quality that each side reached."""
    archive = Path(os.environ["RECEXP_DATA"]) / "ml-1m" / "ml-1m.zip"
    ours, theirs, found = [], [], {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for seed in range(repeats + 1):  # the first, uncounted, makes the tracking store and fills the disk cache
            mine, _ = timed([sys.executable, "-m", "recexp", *DATA, *OURS[name], f"seed={seed}"], folder, threads)
            script = [peer, str(HERE / "rectools_plain.py"), str(archive), name, str(seed), str(threads)]
            other, text = timed(script, folder, threads)
            reached = json.loads(text)
            found = {"ours": quality(folder / "mlflow.db"), "theirs": (reached["ndcg_10"], reached["recall_10"])}
            if seed:
                ours.append(mine)
                theirs.append(other)
            sys.stderr.write(f"{name} {seed}: recexp {mine:.2f} s, RecTools {other:.2f} s\n")
    a, b = statistics.median(ours), statistics.median(theirs)
    scores = " | ".join("{:.4f} {:.4f}".format(*found[side]) for side in ("ours", "theirs"))
    return f"| {name} | {a:.2f} s | {b:.2f} s | {a / b:.2f} | {scores} |\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="the Python of an environment that has rectools and implicit")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    heads = ["", "recexp, tracked", "RecTools, untracked", "ratio", "recexp NDCG@10 Recall@10", "RecTools"]
    sys.stdout.write(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n")
    for algorithm in OURS:
        sys.stdout.write(compare(algorithm, given.peer, given.repeats, given.threads))
