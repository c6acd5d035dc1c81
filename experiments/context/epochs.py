"""Time an epoch of models of fields beside RecBole: `python epochs.py PEER_PYTHON [--repeats 3]`.

Both sides learn from as many labels of MovieLens 1M, with the same seven fields, sizes and batches, each in a process
of its own with one thread, by turns. The first epoch of a process is not counted. Times are of the processor.
"""

import argparse
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

EPOCHS, GOAL = 3, 0.6
DEEP = ["algorithm.layers=[256,256,256]", "algorithm.dropout=0.1"]
OURS = {"fm": [], "deepfm": DEEP}
THEIRS = {"fm": "FM", "deepfm": "DeepFM"}
FIELDS = "[user,item,users.age,users.gender,users.occupation,items.genres,items.year]"


def recexp_epochs(name: str, folder: Path) -> Iterator[float]:
    """Yield this project's processor seconds of each epoch, on eight tenths of the labels."""
    import numpy as np

    import recexp
    from recexp.algorithms import FitContext

    labels, _ = recexp.make("filter=clicks").apply(recexp.make("dataset=movielens_1m").load(), seed=1)
    train = labels.take(np.random.default_rng(1).random(len(labels.interactions)) < 0.8)
    words = ["algorithm.task=click", f"algorithm.fields={FIELDS}", "algorithm.factors=16", "algorithm.batch_size=4096"]
    moments = [time.process_time()]
    model = recexp.make(f"algorithm={name}", f"algorithm.epochs={EPOCHS}", *words, *OURS[name])
    model.fit(train, FitContext(threads=1, log_step=lambda *_: moments.append(time.process_time())))
    yield from np.diff(moments)


def recbole_epochs(name: str, folder: Path) -> Iterator[float]:
    """Yield RecBole's."""
    import torch

    torch.load = functools.partial(torch.load, weights_only=False)
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    columns = {
        "inter": ["user_id", "item_id", "rating"],
        "user": ["user_id", "age", "gender", "occupation"],
        "item": ["item_id", "release_year", "genre"],
    }
    settings = {
        "data_path": str(folder),
        "load_col": columns,
        "threshold": {"rating": 4},
        "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "none", "order": "RO", "mode": "labeled"},
        "train_neg_sample_args": None,
        "metrics": ["AUC"],
        "valid_metric": "AUC",
        "embedding_size": 16,
        "mlp_hidden_size": [256, 256, 256],
        "dropout_prob": 0.1,
        "train_batch_size": 4096,
        "learning_rate": 0.005,
        "use_gpu": False,
        "show_progress": False,
        "state": "ERROR",
    }
    sys.argv = sys.argv[:1]
    config = Config(model=THEIRS[name], dataset="ml-1m", config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    train, _, _ = data_preparation(config, create_dataset(config))
    network = get_model(config["model"])(config, train._dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, network)
    for epoch in range(EPOCHS):
        start = time.process_time()
        trainer._train_epoch(train, epoch)
        yield time.process_time() - start


def write_atomic(folder: Path) -> None:
    """Write the labels and side tables in RecBole's format."""
    import recexp

    data, _ = recexp.make("filter=clicks").apply(recexp.make("dataset=movielens_1m").load(), seed=1)
    (folder / "ml-1m").mkdir()
    rows = data.interactions

    def names(column, at: int) -> str:
        if column.offsets is not None:
            return " ".join(
                column.categories[code] for code in column.values[column.offsets[at] : column.offsets[at + 1]]
            )
        return column.categories[column.values[at]] if column.categories else f"{column.values[at]:g}"

    def write(ending: str, head: str, lines: Iterator[tuple]) -> None:
        text = "\n".join(["\t".join(head.split()), *("\t".join(map(str, line)) for line in lines)])
        (folder / "ml-1m" / f"ml-1m.{ending}").write_text(text + "\n")

    triples = zip(rows.users.tolist(), rows.items.tolist(), (rows.values * 4 + 1).tolist())
    write("inter", "user_id:token item_id:token rating:float", triples)
    of_users = [data.users[name] for name in ("age", "gender", "occupation")]
    lines = ((code, *(names(column, code) for column in of_users)) for code in range(data.n_users))
    write("user", "user_id:token age:token gender:token occupation:token", lines)
    of_items = [data.items[name] for name in ("year", "genres")]
    lines = ((code, *(names(column, code) for column in of_items)) for code in range(data.n_items))
    write("item", "item_id:token release_year:token genre:token_seq", lines)


def seconds(python: str, side: str, name: str, folder: Path) -> float:
    """Return what a side says an epoch takes: the median of those after the first."""
    words = [python, __file__, "--side", side, "--model", name, "--folder", folder]
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=folder, env=alone)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("peer", nargs="?", help="the Python of an environment with RecBole")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=["recexp", "recbole"], help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        times = {"recexp": recexp_epochs, "recbole": recbole_epochs}[args.side](args.model, args.folder)
        print(statistics.median([*times][1:]))
        sys.exit()
    print("| model | recexp, processor s an epoch | RecBole, s | of RecBole | goal |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        write_atomic(Path(folder))
        for name in OURS:
            found = {"recbole": [], "recexp": []}
            for _ in range(args.repeats):
                for side, times in found.items():
                    python = args.peer if side == "recbole" else sys.executable
                    times.append(seconds(python, side, name, Path(folder)))
            ours, theirs = (statistics.median(found[side]) for side in ("recexp", "recbole"))
            verdict = "met" if ours / theirs <= GOAL else "missed"
            print(f"| {name} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} | <= {GOAL}: {verdict} |", flush=True)
