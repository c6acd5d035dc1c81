"""What recexp itself takes: jobs in one process with tracking, model and plots; all but data, fit and judging."""

import argparse
import os
import subprocess
import sys
import tempfile
import time

WORK = ("data", "split", "fit", "recommend", "evaluate")
"""Steps that are the experiment, not what is around it."""


def jobs(dataset: str, algorithm: str, n: int) -> str:
    """Return a row a job: seconds from its start to the complete run, and what of them is recexp's own."""
    begin = time.perf_counter()  # imports and the tracking process are part of the first job
    import recexp

    rows = []
    for seed in range(n):
        outcome = recexp.run(f"dataset={dataset}", f"algorithm={algorithm}", f"seed={seed}")
        total, begin = time.perf_counter() - begin, time.perf_counter()
        work = sum(outcome.metrics.get(f"cost/{step}_seconds", 0) for step in WORK)
        audit = outcome.metrics.get("cost/audit_seconds", 0)
        rows.append(f"| {seed + 1} | {total:.2f} s | {work:.2f} s | {total - work:.2f} s | {audit:.2f} s |\n")
    return "".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="movielens_1m")
    parser.add_argument("--algorithm", default="ease")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        sys.stdout.write(jobs(given.dataset, given.algorithm, given.jobs))
    else:
        with tempfile.TemporaryDirectory() as folder:  # a new process, a new store, nothing prepared
            environment = {**os.environ, "RECEXP_CACHE": folder, "PYTHONPATH": os.pathsep.join(sys.path)}
            command = [sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--inside"]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        heads = ["job", "in all", "data, split, fit, recommend, evaluate", "recexp's own", "of that the audit"]
        sys.stdout.write(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n{done.stdout}")
