"""Kill trainings at random epochs, start them again, and compare their weights: `python kill.py [--times 20]`."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

EPOCHS = 12
NAMES = ["neumf", "multvae", "recvae", "lightgcn", "autorec"]
CHILD = f"""
import sys
import numpy as np, recexp
from recexp.algorithms import FitContext
from recexp.algorithms.neural import checkpoint
from pathlib import Path
checkpoint.SECONDS = 0.0
name, folder = sys.argv[1], Path(sys.argv[2])
with np.load(folder.parent / "rows.npz") as rows:
    from recexp.data import Dataset, Interactions
    users, items = rows["users"], rows["items"]
    log = Interactions(users, items, rows["values"], users.max() + 1, items.max() + 1)
data = Dataset("ml-100k", log, np.arange(log.n_users), np.arange(log.n_items))
model = recexp.make("algorithm=" + name, "algorithm.epochs={EPOCHS}", "algorithm.batch_size=4096")
say = lambda epoch, values: print(epoch, flush=True)
model.fit(data, FitContext(rng=np.random.default_rng(1), threads=2, checkpoint=folder, log_step=say))
np.savez(folder / "weights.npz", **model.weights_)
"""


def begin(name: str, folder: Path) -> subprocess.Popen:
    """Start a training in a process of its own, which says each epoch when it has ended."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen([sys.executable, "-c", CHILD, name, str(folder)], stdout=subprocess.PIPE, text=True)


def weights(folder: Path) -> dict[str, np.ndarray]:
    """Return the weights that a training left."""
    with np.load(folder / "weights.npz") as file:
        return {name: file[name] for name in file.files}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--times", type=int, default=20)
    args = parser.parse_args()
    import recexp

    log = recexp.make("dataset=movielens_100k").load().interactions
    rng, equal = np.random.default_rng(0), 0
    with tempfile.TemporaryDirectory() as place:
        np.savez(Path(place) / "rows.npz", users=log.users, items=log.items, values=log.values)
        whole = {}
        for name in NAMES:
            begin(name, Path(place) / name).communicate()
            whole[name] = weights(Path(place) / name)
        for number in range(args.times):
            name = NAMES[number % len(NAMES)]
            folder, kills = Path(place) / f"{name}{number}", sorted(rng.choice(np.arange(1, EPOCHS), 2, replace=False))
            for last in kills:
                child = begin(name, folder)
                while int(child.stdout.readline()) < last:
                    pass
                child.kill()
                child.wait()
            begin(name, folder).communicate()
            found = weights(folder)
            same = all(np.array_equal(found[key], array) for key, array in whole[name].items())
            equal += same
            print(
                f"{name}: killed after epochs {kills[0]} and {kills[1]}, {'equal' if same else 'not equal'}", flush=True
            )
    print(f"{equal} of {args.times} are bit-equal to trainings that were not interrupted")
