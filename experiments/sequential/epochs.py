"""Time an epoch of sequence networks beside RecBole: `python epochs.py PEER_PYTHON [--repeats 3]`.

Both sides learn from the same rows of MovieLens 100K, which RecBole has, with vectors of 64, windows of 50 and the full
cross-entropy, each in a process of its own, by turns. The first epoch of a process is not counted. RecBole learns one
target from each prefix, 2,048 to a batch; this project all targets of a sequence at once, 128 sequences to a batch.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE, GOAL = Path(__file__).parent, 0.1


def seconds(python: str, script: str, name: str, folder: Path) -> float:
    """Return what a side says an epoch takes of processor time: the median of those after the first."""
    done = subprocess.run(
        [python, HERE / script, name, folder], capture_output=True, text=True, check=True, cwd=folder, env=os.environ
    )
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("peer", help="the Python of an environment with RecBole")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    print("| model | recexp, processor s an epoch | RecBole, s | of RecBole | goal |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("gru4rec", "sasrec"):
            sides = {"recbole": [], "recexp": []}
            for _ in range(args.repeats):
                for side, times in sides.items():
                    python = args.peer if side == "recbole" else sys.executable
                    times.append(seconds(python, f"epochs_{side}.py", name, Path(folder)))
            ours, theirs = (statistics.median(sides[side]) for side in ("recexp", "recbole"))
            verdict = "met" if ours / theirs <= GOAL else "missed"
            print(f"| {name} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.3f} | <= {GOAL}: {verdict} |", flush=True)
