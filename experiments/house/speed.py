"""Is anything slower than in the version before? Seconds of each stage, both versions in turn.

python experiments/house/speed.py OLD_PYTHON [--repeats 7]     OLD_PYTHON: the interpreter of an environment with the
                                                               version before; RECEXP_DATA: where MovieLens 1M lies
Each repeat is a process of the old version, one of the new, and one of the old again: what two processes of the old
version differ by is the noise. A process makes all runs below, after one that is not counted.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ONE_M = ("dataset=movielens_1m", "filter=all_positive", "tracking.log_model=false")
METRICS = "[ndcg,recall,precision,map,hit_rate,mrr,f1,novelty,serendipity,catalog_coverage,gini,personalization]"
RUNS = {
    **{name: (f"algorithm={name}",) for name in ("item_knn", "user_knn", "ease", "als", "slim", "popularity")},
    "bpr": ("algorithm=bpr", "algorithm.iterations=20"),
    "mf": ("algorithm=mf", "filter=ratings", "split=random_rows", "evaluation=ratings"),
    "12 metrics": ("algorithm=popularity", f"evaluation.metrics={METRICS}", "evaluation.cutoffs=[5,10,20,100]"),
    "small run": ("dataset=electronics", "filter=positive", "algorithm=popularity"),
    "temporal": ("algorithm=popularity", "split=temporal", "runner.cache=false"),
}
STAGES = ("data", "split", "audit", "fit", "recommend", "evaluate")


def measure() -> None:
    """Make all runs in this process and print the seconds of their stages, and of each as a whole."""
    import time

    import recexp

    found = {}
    for name, words in RUNS.items():
        begin = time.perf_counter()
        run = recexp.run(*ONE_M, *words)
        found[f"{name}: whole"] = time.perf_counter() - begin
        for stage in STAGES:
            found[f"{name}: {stage}"] = run.metrics[f"cost/{stage}_seconds"]
    print(json.dumps(found))


def process(python: str, folder: Path) -> dict[str, float]:
    """Return what a process of a version measured; it has a store and a cache of its own."""
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "RECEXP_CACHE": str(folder / "cache")}
    command = [python, os.path.abspath(__file__), "--inside"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", nargs="?")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return measure()
    sides = {"old": given.old, "new": sys.executable, "old again": given.old}
    times: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as scratch:
        for repeat in range(given.repeats + 1):
            for side, python in sides.items():
                found = process(python, Path(scratch) / side.split()[0])
                times[side] += [found] if repeat else []
    print("| what | old, s | new, s | new / old | old again / old |\n| --- | --- | --- | --- | --- |")
    for name in times["old"][0]:
        old, new, again = (statistics.median(row[name] for row in times[side]) for side in sides)
        if old > 0.02:  # less is noise
            print(f"| {name} | {old:.3f} | {new:.3f} | {new / old:.2f} | {again / old:.2f} |")


if __name__ == "__main__":
    main()
