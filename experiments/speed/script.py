"""Whole processes of a plain script, from a csv of ratings to a csv of everyone's item_knn lists; see README.md.

`RECEXP_DATA=DIR python script.py peers/bin/python --repeats 5`
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
from reference import held_out, ndcg_and_recall

from recexp import make

HERE = Path(__file__).parent


def timed(command: list[str]) -> tuple[float, float]:
    """Run a fresh process; return its seconds on the clock and of the processor."""
    before, begin = os.times(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wall, after = time.perf_counter() - begin, os.times()
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")
    used = (now - then for now, then in zip(after[2:4], before[2:4]))  # by children
    return wall, sum(used)


def main() -> None:
    """Write four fifths of everyone's ratings (seed 1), run the sides by turns, and judge their lists by the rest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="the Python of an environment that has pandas and implicit")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    data = make("dataset=movielens_1m").load()
    rows = data.interactions
    test = held_out(rows.users, 1)
    target = rows.take(test).csr(values=False).toarray() > 0
    asked = target.any(axis=1)
    table = [data.user_ids[rows.users], data.item_ids[rows.items], rows.values.astype(int), rows.timestamps]
    sides = {"recexp": sys.executable, "implicit": args.peer}
    times: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
    quality = {}
    with tempfile.TemporaryDirectory() as folder:
        ratings, lists = f"{folder}/ratings.csv", f"{folder}/lists.csv"
        header = "user_id,item_id,rating,timestamp"
        np.savetxt(ratings, np.stack(table, axis=1)[~test], "%d", ",", header=header, comments="")
        for repeat in range(args.repeats + 1):  # the first, uncounted, fills the cache of kernels and of files
            for side, python in sides.items():
                took = timed([python, str(HERE / f"script_{side}.py"), ratings, lists])
                times[side] += [took] if repeat else []
                users, items = np.loadtxt(lists, int, delimiter=",", skiprows=1).reshape(-1, 10, 2).transpose(2, 0, 1)
                codes = np.searchsorted(data.item_ids, items)[np.argsort(users[:, 0])]
                quality[side] = ndcg_and_recall(codes[asked], target[asked])[0]
    print("| side | wall, s | processor, s | NDCG@10 |\n|---|---|---|---|")
    for side, runs in times.items():
        wall, cpu = map(statistics.median, zip(*runs))
        print(f"| {side} | {wall:.2f} | {cpu:.2f} | {quality[side]:.4f} |")


if __name__ == "__main__":
    main()
