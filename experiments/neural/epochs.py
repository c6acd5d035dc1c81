"""Time an epoch of networks beside RecBole and a bare loop: `python epochs.py PEER_PYTHON [--repeats 3]`.

All sides learn from the same rows of MovieLens 100K, which RecBole has, with the same sizes and batches, each in
a process of its own, by turns. The first epoch of a process is not counted. The table is that of the README.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
GOALS = {"neumf": 0.6, "lightgcn": 0.6, "multvae": 0.85}
"""Of RecBole's time, at most."""
BARE = 1.1
"""Of the bare loop's time, at most."""


def seconds(python: str, script: str, name: str, folder: Path) -> float:
    """Return what a side says an epoch takes: the median of those after the first."""
    done = subprocess.run(
        [python, HERE / script, name, folder], capture_output=True, text=True, check=True, cwd=folder, env=os.environ
    )
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("peer", help="the Python of an environment with RecBole")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    print("| model | recexp, s an epoch | RecBole, s | bare loop, s | of RecBole | goal | of the bare loop | goal |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, goal in GOALS.items():
            sides = {"recbole": [], "recexp": [], "bare": []}
            for _ in range(args.repeats):
                for side, times in sides.items():
                    python = args.peer if side == "recbole" else sys.executable
                    times.append(seconds(python, f"epochs_{side}.py", name, Path(folder)))
            ours, theirs, bare = (statistics.median(sides[side]) for side in ("recexp", "recbole", "bare"))
            of_theirs, of_bare = ours / theirs, ours / bare
            verdicts = ("met" if ratio <= most else "missed" for ratio, most in ((of_theirs, goal), (of_bare, BARE)))
            first, second = verdicts
            print(
                f"| {name} | {ours:.3f} | {theirs:.3f} | {bare:.3f} | {of_theirs:.2f} | <= {goal}: {first} "
                f"| {of_bare:.2f} | <= {BARE}: {second} |"
            )
