"""Time and memory at 1, 3 and 10 million interactions, of 138,000 users x 27,000 items, beside implicit; see README.md.

`python scales.py peers/bin/python`
"""

import argparse
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from algorithms import once, table, write

GROUPS = 30
ALGORITHMS = {  # als with the settings of implicit, so that both minimise the same
    "item_knn": "item_knn",
    "p3alpha": "p3alpha",
    "slim": "slim",
    "als": "als,factors=64,iterations=15,alpha=10.0,regularization=0.05,frequency_scaling=0.0",
}
PEERS = ("item_knn", "als")
"""Algorithms that implicit has."""
LIMIT = 3600
"""Seconds after which a side is given up."""


def power_law(n: int, exponent: float, offset: float) -> np.ndarray:
    """Return n weights (rank / n + offset) ** -exponent that sum to 1."""
    weights = (np.arange(n) / n + offset) ** -exponent
    return weights / weights.sum()


def synthetic(m: int, n_users: int, n_items: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return int32 users and items of m distinct pairs, in the order in which they were drawn.

    Every user draws twice; further draws go to users by a power law (exponent .8, offset .001). An item is drawn by
    popularity, another power law (exponent 2, offset .012), half of the time among all items, half among those of the
    user's own taste, one of 30 groups that users and items belong to by chance. Pairs drawn before do not count. Of 10
    million, the median user has 44, the mean 72, the most active 1,856; the most popular item has 20,882 and a tenth of
    the items 86 %, much like half of MovieLens 20M.
    """
    rng = np.random.default_rng(seed)
    activity = np.cumsum(power_law(n_users, 0.8, 0.001))
    group = rng.integers(GROUPS, size=n_items)  # an item's code is its rank in popularity until the end
    by_group, sizes = np.argsort(group, kind="stable"), np.bincount(group, minlength=GROUPS)
    ends = np.concatenate([[0.0], np.cumsum(power_law(n_items, 2.0, 0.012)[by_group])])
    bounds = ends[np.concatenate([[0], np.cumsum(sizes)])]
    taste, names = rng.integers(GROUPS, size=n_users), rng.permutation(n_items)
    users, keys = np.repeat(np.arange(n_users), 2), np.empty(0, np.int64)
    while True:
        own = np.where(rng.random(len(users)) < 0.5, taste[users], -1)
        low, high = np.where(own < 0, 0.0, bounds[own]), np.where(own < 0, ends[-1], bounds[own + 1])
        place = np.searchsorted(ends, low + (high - low) * rng.random(len(users)), side="right") - 1
        keys = np.concatenate([keys, users * n_items + by_group[place.clip(max=n_items - 1)]])
        keys = keys[np.sort(np.unique(keys, return_index=True)[1])]
        if len(keys) >= m:
            users, items = np.divmod(keys[:m], n_items)
            return users.astype(np.int32), names[items].astype(np.int32)
        drawn = np.searchsorted(activity, rng.random(int(1.3 * (m - len(keys))) + 1000))
        users = drawn.clip(max=n_users - 1)


def task(folder: Path, m: int, n_users: int, n_items: int, n_asked: int) -> np.ndarray:
    """Write the split, a random row of each user held out, and return the item held out, -1 for users with one row, of
    `n_asked` drawn users, who get lists."""
    users, items = synthetic(m, n_users, n_items, seed=1)
    asked = np.sort(np.random.default_rng(1).permutation(n_users)[:n_asked]).astype(np.int32)
    last = len(users) - 1 - np.unique(users[::-1], return_index=True)[1]  # rows come in random order
    last = last[np.bincount(users)[users[last]] > 1]
    train = np.ones(m, bool)
    train[last] = False
    arrays = {"users": users[train], "items": items[train], "values": np.ones(train.sum(), np.float32), "asked": asked}
    write(folder, {**arrays, "test_users": users[last], "test_items": items[last]}, n_users, n_items)
    wanted = np.full(n_users, -1)
    wanted[users[last]] = items[last]
    return wanted[asked]


def ndcg(lists: np.ndarray, wanted: np.ndarray) -> float:
    """Return NDCG@10 where one item of each user is held out."""
    asked = wanted >= 0
    hits = lists[asked, :10] == wanted[asked, None]
    return float((hits / np.log2(np.arange(10) + 2)).sum(axis=1).mean())


def report(found: dict[tuple[str, str], list[dict[str, float]]], millions: list[float]) -> str:
    """Return a Markdown table of what each algorithm and side took at each size, and how that grows."""
    lines, growth = [], []
    for (name, side), runs in found.items():
        for size, run in zip(millions, runs):
            times = [f"{run[key]:.1f}" if run[key] > 0.001 else "" for key in ("fit", "answer", "evaluate")]
            times += [f"{run[key]:.3f}" for key in ("ms", "processor_ms")]
            peaks = [f"{run[key]:.0f}" for key in ("peak", "all")]
            lines.append(" | ".join([name, side, f"{size:g} M", *times, *peaks, f"{run['quality']:.4f}"]))
        if len(millions) > 1:
            logs = np.log([[run["fit"] + run["answer"], run["peak"]] for run in runs])
            time, memory = np.polyfit(np.log(millions), logs, 1)[0]
            growth.append(f"{name}, {side}: time grows as m^{time:.2f}, peak memory as m^{memory:.2f}\n")
    heads = ["algorithm", "side", "interactions", "fit, s", "recommend, s", "evaluate, s", "a list, ms"]
    heads += ["of processor time"]
    return table([*heads, "peak MiB", "with evaluation", "NDCG@10"], lines) + "\n" + "".join(growth)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="the Python of an environment that has implicit")
    parser.add_argument("--algorithms", default="item_knn,als")
    parser.add_argument("--millions", default="1,3,10")
    parser.add_argument("--users", type=int, default=138_000)
    parser.add_argument("--items", type=int, default=27_000)
    parser.add_argument("--asked", type=int, help="so many users, drawn, get lists (default: all)")
    parser.add_argument("--before", help="a folder with another version of recexp, which runs by turns with this one")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    millions = [float(text) for text in given.millions.split(",")]
    names = given.algorithms.split(",")
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shared = {"folder": folder, "cache": folder / "kernels", "threads": given.threads, "limit": LIMIT}
        shared |= {"seed": 1, "k": 20, "evaluate": True}
        ours = {"recexp": None} | ({"before": given.before} if given.before else {})
        for rows, users, items in ((60_000, 20_000, given.items), (60_000, 2_000, 300)):  # few of many items, and many
            task(folder, rows, users, items, users)
            for name, path in product(names, ours.values()):  # compiles the kernels
                once(sys.executable, "side_recexp.py", ALGORITHMS[name], **shared, path=path)
        for size in millions:
            wanted = task(folder, int(size * 1e6), given.users, given.items, given.asked or given.users)
            for name in names:
                sides = dict.fromkeys(ours, (sys.executable, "side_recexp.py", ALGORITHMS[name]))
                if name in PEERS:
                    sides["implicit"] = (given.peer, "peer_implicit.py", name)
                for side, command in sides.items():
                    run = once(*command, **shared, path=ours.get(side))
                    run["quality"] = ndcg(np.load(folder / "answers.npy"), wanted)
                    run["ms"], run["processor_ms"] = (
                        1000 * run[key] / len(wanted) for key in ("answer", "answer_processor")
                    )
                    found.setdefault((name, side), []).append(run)
                    sys.stderr.write(f"{name} {size:g} M {side}: {run}\n")
    sys.stdout.write(report(found, millions))
