"""Each algorithm beside its fastest public peers on ML-1M: seconds, quality, memory; see README.md.

`RECEXP_DATA=DIR python algorithms.py peers/bin/python --rows ease,als --repeats 5`
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
from reference import ndcg_and_recall, split

from recexp import make

HERE = Path(__file__).parent
SLACK = 0.001
"""How much quality may differ by chance and still count as equal: a third of the standard error over 6,040 users."""
VARIABLES = ("OMP", "OPENBLAS", "MKL", "NUMBA")


@dataclass(frozen=True)
class Row:
    """An algorithm with the settings that make it the peers' equal, and the ratio aimed at for each peer."""

    settings: list[str]
    goals: dict[str, float | None]
    rates: bool = False


ROWS = {
    "item_knn": Row([], {"implicit": 0.75}),
    "user_knn": Row(["k=100"], {"irspack": 0.7}),
    "ease": Row(["l2=250.0"], {"irspack": 0.4, "scipy": 0.6}),
    "als": Row(["factors=64", "iterations=15"], {"irspack": 1.0, "implicit": 0.6}),
    "slim": Row([], {"irspack": 0.8}),
    "bpr": Row(["factors=64"], {"implicit": 0.4}),
    "mf": Row([], {"surprise": 0.5}, rates=True),
    "svdpp": Row([], {"surprise": None}, rates=True),
    "slope_one": Row([], {"surprise": None}, rates=True),
}
USUAL = ["item_knn", "user_knn", "ease", "als", "slim", "bpr", "mf"]


@dataclass
class Series:
    """What the runs of one side took and reached."""

    runs: list[dict[str, float]] = field(default_factory=list)
    first: float | None = None

    def median(self, key: str) -> float:
        return statistics.median(run[key] for run in self.runs)

    @property
    def seconds(self) -> float:
        """Median of fit and answer together."""
        return statistics.median(run["fit"] + run["answer"] for run in self.runs)

    @property
    def processor(self) -> float:
        """The least that processors worked for fit and answer: other work only adds to it."""
        return min(run["fit_processor"] + run["answer_processor"] for run in self.runs)


def once(
    python: str,
    script: str,
    name: str,
    folder: Path,
    *,
    seed: int,
    k: int,
    threads: int,
    cache: Path,
    limit: int = 600,
    evaluate: bool = False,
    path: str | None = None,
) -> dict[str, float]:
    """Run a side in a fresh process on `threads` cores and return what it printed; `path` has another recexp."""
    counts = dict.fromkeys([f"{name}_NUM_THREADS" for name in VARIABLES], str(threads))
    environment = {**os.environ, **counts, "NUMBA_CACHE_DIR": str(cache)}
    environment |= {} if path is None else {"PYTHONPATH": path}
    begin = time.perf_counter()
    done = subprocess.run(
        [python, str(HERE / script), name, str(folder), str(seed), str(k), *["evaluate"] * evaluate],
        env=environment,
        capture_output=True,
        text=True,
        timeout=limit,
        preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads]),
    )
    whole = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{script} {name} failed:\n{done.stdout}{done.stderr}")
    return {**json.loads(done.stdout.splitlines()[-1]), "whole": whole}


def write(folder: Path, arrays: dict[str, np.ndarray], n_users: int, n_items: int) -> None:
    """Write the one file that both sides read; all users get lists unless the arrays say who."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {"asked": np.arange(n_users, dtype=np.int32), **arrays}
    np.savez(folder / "split.npz", **arrays, n_users=n_users, n_items=n_items)


def ranking_task(folder: Path) -> Callable[[np.ndarray], float]:
    """Write the recipe's split of seed 1 (all positive, 80/20) and return what judges lists: NDCG@10."""
    train, test = split("ml-1m", 1, 1)
    rows, sizes = train.interactions, (train.n_users, train.n_items)
    arrays = {"users": rows.users, "items": rows.items, "values": rows.values}
    write(folder, {**arrays, "test_users": test.users, "test_items": test.items}, *sizes)
    seen, target = (part.csr(values=False).toarray() > 0 for part in (rows, test))
    asked = target.any(axis=1)

    def judge(lists: np.ndarray) -> float:
        full = lists.shape == (train.n_users, 10) and lists.min() >= 0 and (np.diff(np.sort(lists)) > 0).all()
        if not full or np.take_along_axis(seen, lists, axis=1).any():
            raise ValueError("a list is short, repeats an item or holds a seen one")
        return ndcg_and_recall(lists[asked], target[asked])[0]

    return judge


def rating_task(folder: Path) -> Callable[[np.ndarray], float]:
    """Write a random 80/20 split of ML-1M's rows, train in file order, and return what judges predictions: RMSE."""
    rows = make("dataset=movielens_1m").load().interactions
    test = np.zeros(len(rows), bool)
    test[np.random.default_rng(1).permutation(len(rows))[: len(rows) // 5]] = True
    train, held = rows.take(~test), rows.take(test)
    arrays = {"users": train.users, "items": train.items, "values": train.values}
    write(folder, {**arrays, "test_users": held.users, "test_items": held.items}, rows.n_users, rows.n_items)
    return lambda predicted: float(np.sqrt(np.mean((predicted.astype(np.float64) - held.values) ** 2)))


def compare(name: str, peer: str, folder: Path, judge: Callable, repeats: int, threads: int) -> dict[str, Series]:
    """Run all sides by turns and return their series; our first run has an empty kernel cache and is kept apart."""
    ours = ",".join([name, *ROWS[name].settings])
    sides = {"recexp": (sys.executable, "side_recexp.py", ours)}
    sides |= {other: (peer, f"peer_{other}.py", name) for other in ROWS[name].goals}
    found = {side: Series() for side in sides}
    cache = folder / f"kernels_{name}"
    for repeat in range(repeats + 1):
        for side, command in sides.items():
            if repeat == 0 and side != "recexp":
                continue
            run = once(*command, folder, seed=max(1, repeat), k=10, threads=threads, cache=cache)
            run["quality"] = judge(np.load(folder / "answers.npy"))
            if repeat:
                found[side].runs.append(run)
            else:
                found[side].first = run["fit"] + run["answer"]
            took = f"{run['fit']:.2f} + {run['answer']:.2f} s"
            sys.stderr.write(f"{name} {repeat} {side}: {took}, {run['quality']:.4f}\n")
    return found


def lines(name: str, found: dict[str, Series]) -> list[tuple[str, str]]:
    """Return for each peer a line of the table of times and one of the table of memory."""
    ours, row = found["recexp"], ROWS[name]
    leanest = min(found[peer].median("peak") for peer in row.goals)
    out = []
    for peer, goal in row.goals.items():
        theirs = found[peer]
        ratio = ours.seconds / theirs.seconds
        better = (
            theirs.median("quality") - ours.median("quality")
            if row.rates
            else (ours.median("quality") - theirs.median("quality"))
        )
        verdict = "" if goal is None else "worse quality" if better < -SLACK else "met" if ratio <= goal else "missed"
        cells = [
            name,
            peer,
            f"**{ours.seconds:.2f}** ({ours.median('fit'):.2f} + {ours.median('answer'):.2f})",
            f"{theirs.seconds:.2f} ({theirs.median('fit'):.2f} + {theirs.median('answer'):.2f})",
            f"{ratio:.2f}",
            "" if goal is None else f"<= {goal:g}",
            verdict,
            f"{ours.median('quality'):.4f}",
            f"{theirs.median('quality'):.4f}",
            f"{ours.seconds + ours.median('start'):.2f}",
            f"{ours.first:.2f}",
            f"{ours.median('whole'):.1f}",
            f"{theirs.median('whole'):.1f}",
            f"{ours.processor:.2f} : {theirs.processor:.2f} = {ours.processor / theirs.processor:.2f}",
        ]
        lean = "met" if ours.median("peak") <= 1.2 * leanest else "missed"
        memory = [f"{side.median('peak'):.0f} ({side.median('increase'):.0f})" for side in (ours, theirs)]
        out.append((" | ".join(cells), " | ".join([name, peer, *memory, lean])))
    return out


def table(heads: list[str], rows: list[str]) -> str:
    """Return a Markdown table."""
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *(f"| {row} |" for row in rows)]) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="the Python of an environment that has implicit, irspack and scikit-surprise")
    parser.add_argument("--rows", default=",".join(USUAL), help=f"some of {','.join(ROWS)} (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    times, memories, tasks = [], [], {}
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.rows.split(","):
            rates = ROWS[name].rates
            folder = Path(temporary) / ("ratings" if rates else "ranking")
            if rates not in tasks:
                tasks[rates] = (rating_task if rates else ranking_task)(folder)
            found = compare(name, given.peer, folder, tasks[rates], given.repeats, given.threads)
            for line, memory in lines(name, found):
                times.append(line)
                memories.append(memory)
    heads = ["algorithm", "peer", "recexp, s (fit + answer)", "peer, s", "ratio", "goal", "verdict"]
    heads += [
        "recexp's quality",
        "peer's",
        "with the start of kernels, s",
        "recexp's first run, s",
        "recexp's process, s",
        "peer's",
        "least processor time, s",
    ]
    sys.stdout.write(table(heads, times) + "\n")
    sys.stdout.write(table(["algorithm", "peer", "recexp, peak MiB (increase)", "peer", "<= 1.2 x leanest"], memories))
